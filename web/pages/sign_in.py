"""The way in and out: a phone or an e-mail, the code, the session's cookie, the language."""

import re
from typing import Any, Literal

from fastapi import Depends, Response

from auth import messages, one_time_codes, sessions
from base.errors import ServiceError, not_found
from vault.consent.adoption import adopt_requests
from web.http.dependencies import ServicesDep
from web.http.path_ids import PathId
from web.http.rate_limit import limit_sign_ins
from web.i18n.translations import LANGUAGES
from web.pages import cookies, forms
from web.pages.page import Page, VisitorPage, go, page_router, signed_in

router = page_router()
Door = Literal["person", "worker"]
_HOMES: dict[Door, str] = {"person": "/documents", "worker": "/pro/grants"}
_DOORS: dict[Door, str] = {"person": "/", "worker": "/pro"}
_PATH = re.compile(r"/[A-Za-z0-9_-][A-Za-z0-9/_-]*|/")


@router.get("/")
async def welcome(page: VisitorPage) -> Response:
    """The first page: a phone number, and what this is."""
    return await _door(page, "person")


@router.get("/pro")
async def welcome_worker(page: VisitorPage) -> Response:
    """The workers' first page."""
    return await _door(page, "worker")


@router.post("/sign-in", dependencies=[Depends(limit_sign_ins)])
async def start(page: VisitorPage) -> Response:
    """Send a code to a phone."""
    return await _start(page, "person")


@router.post("/pro/sign-in", dependencies=[Depends(limit_sign_ins)])
async def start_worker(page: VisitorPage) -> Response:
    """Send a code to a work e-mail."""
    return await _start(page, "worker")


@router.get("/sign-in/{sign_in_id}")
async def ask_code(sign_in_id: PathId, page: VisitorPage) -> Response:
    """Where the code is typed."""
    return await page.show("code.html", **await _code_values(page, "person", sign_in_id))


@router.get("/pro/sign-in/{sign_in_id}")
async def ask_code_of_worker(sign_in_id: PathId, page: VisitorPage) -> Response:
    """Where the code is typed."""
    return await page.show("code.html", **await _code_values(page, "worker", sign_in_id))


@router.post("/sign-in/{sign_in_id}")
async def finish(sign_in_id: PathId, page: VisitorPage) -> Response:
    """Exchange the code for a session."""
    return await _finish(page, "person", sign_in_id)


@router.post("/pro/sign-in/{sign_in_id}")
async def finish_worker(sign_in_id: PathId, page: VisitorPage) -> Response:
    """Exchange the code for a session."""
    return await _finish(page, "worker", sign_in_id)


@router.post("/sign-out")
async def leave(page: VisitorPage) -> Response:
    """End the person's session."""
    return await _leave(page, "person")


@router.post("/pro/sign-out")
async def leave_worker(page: VisitorPage) -> Response:
    """End the worker's session."""
    return await _leave(page, "worker")


@router.get("/language/{language}")
async def choose_language(language: str, services: ServicesDep, back: str = "/") -> Response:
    """Remember a language, and back to the same page."""
    if language not in LANGUAGES:
        raise not_found()
    response = go(back if len(back) < 200 and _PATH.fullmatch(back) else "/")
    cookies.put_language(response, services.settings, language)
    return response


async def _door(page: Page, door: Door) -> Response:
    """The form, unless one is signed in already."""
    found, _ = await signed_in(page.request, page.services, door)
    if found is not None:
        return go(_HOMES[door])
    return await page.show("welcome.html", door=door, typed="")


async def _start(page: Page, door: Door) -> Response:
    form = await page.form()
    name = "phone" if door == "person" else "email"
    typed = form.get(name)[:320]
    try:
        started = await one_time_codes.send_code(
            page.services, language=page.language, **{name: typed}
        )
    except ServiceError as failure:
        return await page.show_failure(failure, "welcome.html", door=door, typed=typed)
    return go(f"{_DOORS[door].rstrip('/')}/sign-in/{started.id}")


async def _finish(page: Page, door: Door, sign_in_id: PathId) -> Response:
    form = await page.form()
    try:
        opened = await one_time_codes.redeem_code(
            page.services,
            sign_in_id,
            code=form.get("code")[:32],
            language=page.language,
            on_vault_opened=adopt_requests,
        )
    except ServiceError as failure:
        values = await _code_values(page, door, sign_in_id)
        return await page.show_failure(failure, "code.html", **values)
    response = go(_HOMES[opened.kind])
    cookies.put_session(response, page.services.settings, opened.kind, opened.token)
    # The visitor's secret ends with the visit: forms are bound to the session from here on.
    cookies.drop(response, page.services.settings, "visit")
    return response


async def _leave(page: Page, door: Door) -> Response:
    """A session already over leaves just as well. Another site's page makes nobody leave: without
    the session's cookie, which it does not get sent, it could still have it dropped."""
    forms.check_origin(page.request, page.services.settings)
    found, secret = await signed_in(page.request, page.services, door)
    response = go(_DOORS[door], done="bye")
    if found is not None:
        page.secret = secret
        await page.form()
        await sessions.sign_out(page.services, found)
    cookies.drop(response, page.services.settings, door)
    return response


async def _code_values(page: Page, door: Door, sign_in_id: PathId) -> dict[str, Any]:
    return {
        "door": door,
        "start": _DOORS[door],
        "action": f"{_DOORS[door].rstrip('/')}/sign-in/{sign_in_id}",
        "shown": await _demo_message(page, door),
    }


async def _demo_message(page: Page, door: Door) -> str | None:
    """In the demo, the last message that would have left; never anywhere else."""
    settings = page.services.settings
    if settings.mode != "demo" or settings.messenger != "inbox":
        return None
    channel = "sms" if door == "person" else "email"
    found = await messages.inbox(page.services)
    return next((one.text for one in found if one.channel == channel), None)
