"""Signing in and out: a phone or an e-mail, the code, the session's cookie."""

from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Response

from auth import one_time_codes, pin_sign_ins, session_list, sessions
from auth.pin_sign_ins import PinAsked
from auth.session_start import NewSession
from auth.subjects import Person
from auth.visitor import Visitor
from base.errors import ServiceError
from vault.consent.request_transfer import adopt_requests
from web.http.dependencies import remember_session
from web.http.path_ids import PathId
from web.http.rate_limit import limit_sign_ins
from web.http.visitor import visitor_of
from web.pages import cookies, failure_notes, forms, return_address
from web.pages.assisted_ends import after_beside, given_beside
from web.pages.demonstration import demo_account, demo_message
from web.pages.goodbyes import say_goodbye
from web.pages.page import Page, VisitorPageDep, go, page_router, signed_in, worker_beside

router = page_router()
AccountKind = Literal["person", "worker"]
_OPEN_ELSEWHERE: dict[AccountKind, str] = {"person": "bye_here", "worker": "bye_here_worker"}
"""What is said to who leaves another device open: where each ends all of them."""
_HOMES: dict[AccountKind, str] = {"person": "/documents", "worker": "/pro/people"}
_SIGN_IN_PAGES: dict[AccountKind, str] = {"person": "/", "worker": "/pro"}


@router.get("/")
async def welcome(page: VisitorPageDep) -> Response:
    """The first page: a phone number, and what this is."""
    return await _welcome(page, "person")


@router.get("/pro")
async def welcome_worker(page: VisitorPageDep) -> Response:
    """The workers' first page."""
    return await _welcome(page, "worker")


@router.post("/sign-in", dependencies=[Depends(limit_sign_ins)])
async def start(page: VisitorPageDep) -> Response:
    """Send a code to a phone."""
    return await _start(page, "person")


@router.post("/pro/sign-in", dependencies=[Depends(limit_sign_ins)])
async def start_worker(page: VisitorPageDep) -> Response:
    """Send a code to a work e-mail."""
    return await _start(page, "worker")


@router.get("/sign-in/{sign_in_id}")
async def ask_code(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """The form for the code."""
    return await _ask_code(page, "person", sign_in_id, _said(page))


@router.get("/pro/sign-in/{sign_in_id}")
async def ask_code_of_worker(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """The form for a worker's code."""
    return await _ask_code(page, "worker", sign_in_id, "")


@router.post("/sign-in/{sign_in_id}/again", dependencies=[Depends(limit_sign_ins)])
async def send_again(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """Another code to the same phone."""
    return await _send_again(page, "person", sign_in_id)


@router.post("/pro/sign-in/{sign_in_id}/again", dependencies=[Depends(limit_sign_ins)])
async def send_again_to_worker(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """Another code to the same e-mail."""
    return await _send_again(page, "worker", sign_in_id)


@router.post("/sign-in/{sign_in_id}")
async def finish(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """Exchange the code for a session."""
    return await _finish(page, "person", sign_in_id)


@router.post("/pro/sign-in/{sign_in_id}")
async def finish_worker(sign_in_id: PathId, page: VisitorPageDep) -> Response:
    """Exchange the code for a session."""
    return await _finish(page, "worker", sign_in_id)


@router.post("/sign-out")
async def leave(page: VisitorPageDep) -> Response:
    """End the person's session, or all of them."""
    return await _sign_out(page, "person")


@router.post("/pro/sign-out")
async def leave_worker(page: VisitorPageDep) -> Response:
    """End the worker's session, or all of them."""
    return await _sign_out(page, "worker")


async def _welcome(page: Page, kind: AccountKind) -> Response:
    """The form, unless the visitor is already signed in. People choose their language first, once
    in each browser."""
    subject, _ = await signed_in(page.request, page.services, kind)
    if subject is not None:
        return go(_HOMES[kind])
    chosen = cookies.read(page.request, page.services.settings, "language")
    if kind == "person" and chosen is None and "done" not in page.request.query_params:
        return go("/language")
    account = demo_account(page, kind)
    over = await after_beside(page) if kind == "person" and page.done == "bye_beside" else {}
    return await page.show(
        "welcome.html", kind=kind, typed="", owner="", demo_account=account, **over
    )


async def beside_worker(page: Page) -> Response | None:
    """Where to enter instead, where a worker is signed in in the same browser: on their device a
    person is in an assisted session, whose limits another way in would take off."""
    if await worker_beside(page.request, page.services):
        return go("/pro/beside", done="enter_beside")
    return None


async def _start(page: Page, kind: AccountKind) -> Response:
    form = await page.form()
    if kind == "person" and (instead := await beside_worker(page)):
        return instead
    name = "phone" if kind == "person" else "email"
    typed = form.get(name)[:320]
    try:
        started = await one_time_codes.send_code(
            page.services,
            language=page.language,
            visitor=visitor_here(page),
            # The visit's own secret: only this browser can finish what it begins here.
            secret=page.secret,
            **{name: typed},
        )
    except ServiceError as failure:
        values = {"kind": kind, "typed": typed, "owner": form.get("device")}
        return await page.show_failure(failure, "welcome.html", **values)
    return go(_code_page(kind, started.id, form.get("device")))


async def _ask_code(page: Page, kind: AccountKind, sign_in_id: PathId, device: str) -> Response:
    """The page of a code that this browser waits for. « Back » asks for it again once it was used:
    it leads home whoever is inside, and has no field for anybody else."""
    values = await _code_values(page, kind, sign_in_id, device)
    waiting = values["asks_pin"] or values["sent_to"] is not None
    if not waiting and not await failure_notes.waiting(page.request, page.services, page.secret):
        subject, _ = await signed_in(page.request, page.services, kind, used=False, locked_too=True)
        if subject is not None:
            return go(_HOMES[kind])
    return await page.show("code.html", **values)


async def _send_again(page: Page, kind: AccountKind, sign_in_id: PathId) -> Response:
    form = await page.form()
    try:
        started = await one_time_codes.send_again(
            page.services,
            sign_in_id,
            secret=page.secret,
            language=page.language,
            visitor=visitor_here(page),
        )
    except ServiceError as failure:
        values = await _code_values(page, kind, sign_in_id, form.get("device"))
        return await page.show_failure(failure, "code.html", **values)
    if started is None:
        return go(_SIGN_IN_PAGES[kind], done="signed_out")
    return go(_code_page(kind, started.id, form.get("device"), done="code_again"))


async def _finish(page: Page, kind: AccountKind, sign_in_id: PathId) -> Response:
    form = await page.form()
    if kind == "person" and (instead := await beside_worker(page)):
        return instead
    device = form.get("device")
    visitor = replace(visitor_here(page), shared=_is_shared(kind, device))
    try:
        opened = await _redeem(page, sign_in_id, form.get("code")[:32], visitor)
    except PinAsked:
        return go(_code_page(kind, sign_in_id, device))
    except ServiceError as failure:
        values = await _code_values(page, kind, sign_in_id, device)
        at = _code_page(kind, sign_in_id, device)
        return await page.show_failure(failure, "code.html", at=at, **values)
    return await open_here(page, opened)


async def open_here(page: Page, opened: NewSession) -> Response:
    """To their papers, or to the page that they asked for, with the session that was just opened.
    A person who enters where another one's papers are open closes those."""
    remember_session(page.request, opened)
    settings = page.services.settings
    if opened.kind == "person":
        former, _ = await signed_in(page.request, page.services, "person", used=False)
        if former is not None:
            await sessions.sign_out(page.services, former)
    response = go(return_address.kept(page.request, settings, opened.kind) or _HOMES[opened.kind])
    cookies.drop(response, settings, "next")
    if opened.kind == "worker" and cookies.read(page.request, settings, "aside"):
        cookies.drop(response, settings, "aside")  # of one who did not leave, perhaps another
    cookies.put_session(response, page.services.settings, opened.kind, opened.token)
    if opened.browser:
        cookies.put_browser(response, settings, opened.browser)
        if cookies.read(page.request, settings, "left"):
            cookies.drop(response, settings, "left")
    elif not await worker_beside(page.request, page.services):
        cookies.end_with_window(page.request, response, settings)
    # The visitor's secret ends with the visit: forms are bound to the session from here on.
    cookies.drop(response, page.services.settings, "visit")
    return response


async def _redeem(page: Page, sign_in_id: UUID, typed: str, visitor: Visitor) -> NewSession:
    """The code; or the PIN, once the code was right."""
    if await pin_sign_ins.is_begun(page.services, sign_in_id, page.secret):
        return await pin_sign_ins.redeem_pin(
            page.services, sign_in_id, secret=page.secret, pin=typed, visitor=visitor
        )
    return await one_time_codes.redeem_code(
        page.services,
        sign_in_id,
        secret=page.secret,
        code=typed,
        language=page.language,
        on_vault_opened=adopt_requests,
        visitor=visitor,
    )


async def _sign_out(page: Page, kind: AccountKind) -> Response:
    """Works for a session that is already over. Another site's page must sign nobody out: its form
    comes without the session's cookie, and the answer would still delete that cookie."""
    forms.check_origin(page.request, page.services.settings)
    subject, secret = await signed_in(page.request, page.services, kind)
    done, given = "bye", None
    if subject is not None:
        page.secret = secret
        form = await page.form()
        alone = not isinstance(subject, Person) or subject.represented_by is None
        if alone and form.has("everywhere"):
            await sessions.end_others(page.services, subject, this_too=True)
            done = "bye_everywhere"
        else:
            others = await session_list.count_others(page.services, subject)
            given = await given_beside(page.services, subject)
            await sessions.sign_out_here(page.services, subject)
            done = _OPEN_ELSEWHERE[kind] if others else "bye"
    # Whoever sits down next learns nothing of other devices.
    told = done if done == "bye_everywhere" else "bye"
    if isinstance(subject, Person) and subject.beside is not None:
        told = "bye_beside"
    return await say_goodbye(page, kind, done, told, of=given)


def _is_shared(kind: AccountKind, said: str) -> bool:
    """Whether others use the device. Who says nothing is kept as safe as who says so. A worker is
    not asked: their session ends with the browser's in any case."""
    return kind == "person" and said != "own"


def _code_page(kind: AccountKind, sign_in_id: UUID, said: str, done: str = "") -> str:
    told = {"device": "own" if said == "own" else "shared"} if kind == "person" else {}
    query = urlencode({**told, **({"done": done} if done else {})})
    address = f"{_SIGN_IN_PAGES[kind].rstrip('/')}/sign-in/{sign_in_id}"
    return f"{address}?{query}" if query else address


async def _code_values(
    page: Page, kind: AccountKind, sign_in_id: PathId, said: str
) -> dict[str, Any]:
    return {
        "owner": said,
        "asks_pin": await pin_sign_ins.is_begun(page.services, sign_in_id, page.secret),
        "kind": kind,
        "sent_to": await one_time_codes.sent_to(page.services, sign_in_id, page.secret),
        "start": _SIGN_IN_PAGES[kind],
        "action": f"{_SIGN_IN_PAGES[kind].rstrip('/')}/sign-in/{sign_in_id}",
        "shown": await demo_message(page, "sms" if kind == "person" else "email"),
    }


def _said(page: Page) -> str:
    return page.request.query_params.get("device", "")


def visitor_here(page: Page) -> Visitor:
    """Who asks, as their browser shows it, in the language that was chosen there."""
    settings = page.services.settings
    visitor = visitor_of(page.request, cookies.read(page.request, settings, "browser"))
    return replace(visitor, language=cookies.chosen_language(page.request, settings))
