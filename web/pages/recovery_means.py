"""At the desk: what somebody still has, or by what their papers may be found, asked before their
identity paper. Whether any of it is theirs no page tells.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ServiceError
from vault.consent import people
from vault.recovery import reached_phones, shown_means
from vault.recovery.shown_means import ShownMeans
from web.pages import recovery_steps
from web.pages.demonstration import demo_message
from web.pages.forms import Form
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.recovery_steps import AT, RecoveryVisit, lead_to, steps_of
from web.pages.sign_in import visitor_here

router = page_router()
_KNOWN = 100
_NOTHING_TYPED = {"trusted_code": "", "former_phone": "", "phone": "", "person": ""}


@router.get("/pro/desk/recovery/left")
async def ask_left(page: WorkerPageDep) -> Response:
    """A card without its code, a phone, somebody trusted; or a number, or that I know them."""
    visit = await recovery_steps.kept(page)
    return go(AT) if visit is None else await page.show(**await _left(page, visit))


@router.post("/pro/desk/recovery/left")
async def take_left(page: WorkerPageDep) -> Response:
    """What was typed goes on; a phone is sent a code first."""
    form = await page.form()
    visit = await recovery_steps.visit_in(page, form)
    phone = form.get("phone")[:40]
    try:
        shown = _shown_in(form)
        await shown_means.read(page.services, page.worker, shown)
        if phone:
            started = await reached_phones.send(
                page.services,
                page.worker,
                phone,
                visitor_here(page),
                language=visit.language or page.language,
                secret=page.secret,
            )
    except ServiceError as failure:
        shown_again = await _left(page, visit) | {"typed": _typed(form)}
        at = recovery_steps.address("left", visit)
        response = await page.show_failure(failure, at=at, **shown_again)
        await recovery_steps.keep(page, response, visit)
        return response
    sign_in = started.id if phone else None
    return await lead_to(
        page, "phone" if phone else "who", replace(visit, shown=shown, sign_in=sign_in)
    )


@router.get("/pro/desk/recovery/phone")
async def ask_code(page: WorkerPageDep) -> Response:
    """The digits that arrived on the person's phone."""
    visit = await recovery_steps.kept(page)
    if visit is None or visit.sign_in is None:
        return go(AT)
    return await page.show(**await _code(page, visit))


@router.post("/pro/desk/recovery/phone")
async def take_code(page: WorkerPageDep) -> Response:
    """The phone answers; or goes on without it."""
    form = await page.form()
    visit = await recovery_steps.visit_in(page, form)
    if form.has("without") or visit.sign_in is None:
        return await lead_to(page, "who", replace(visit, sign_in=None))
    try:
        note = await reached_phones.confirm(
            page.services,
            page.worker,
            visit.sign_in,
            secret=page.secret,
            code=form.get("code")[:32],
            visitor=visitor_here(page),
        )
    except ServiceError as failure:
        shown, at = await _code(page, visit), recovery_steps.address("phone", visit)
        response = await page.show_failure(failure, at=at, **shown)
        await recovery_steps.keep(page, response, visit)
        return response
    shown_now = replace(visit.shown, reached=note)
    return await lead_to(page, "who", replace(visit, shown=shown_now, sign_in=None))


def _shown_in(form: Form) -> ShownMeans:
    return ShownMeans(
        card=form.get("card")[:400],
        trusted_code=form.get("trusted_code")[:32],
        former_phone=form.get("former_phone")[:40],
        known=_uuid(form.get("person")),
    )


def _typed(form: Form) -> dict[str, str]:
    return {name: form.get(name)[:40] for name in _NOTHING_TYPED if name != "trusted_code"} | {
        "trusted_code": "",
        "card": form.get("card")[:400],
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _left(page: WorkerPage, visit: RecoveryVisit) -> dict[str, Any]:
    """The page of what is left: its template and values."""
    known = (await people.list_people(page.services, page.worker, limit=_KNOWN)).items
    return {
        "template": "recovery/left.html",
        **await steps_of(page, visit),
        "back": f"{AT}/language" if visit.card is not None else f"{AT}/second",
        "known": [one for one in known if one.label],
        "typed": {**_NOTHING_TYPED, "card": ""},
    }


async def _code(page: WorkerPage, visit: RecoveryVisit) -> dict[str, Any]:
    return {
        "template": "recovery/phone.html",
        **await steps_of(page, visit),
        "back": recovery_steps.address("left", visit),
        "message": await demo_message(page, "sms"),
    }
