"""A person's phone among their means: another one, or a first one, by the code that it receives."""

from typing import Any
from uuid import UUID

from fastapi import Depends, Response

from auth import means, one_time_codes, phone_enrolment, pins
from auth.phone_enrolment import TypedForPhone
from base.errors import ServiceError
from vault.consent.request_transfer import adopt_requests
from web.http.path_ids import PathId
from web.http.rate_limit import limit_sign_ins
from web.http.visitor import visitor_of
from web.i18n.typography import national
from web.pages.demonstration import demo_message
from web.pages.own_proofs import MEANS, proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()


@router.get("/me/phone")
async def ask_number(page: PersonPageDep) -> Response:
    """The field for a number."""
    return await page.show("means/phone.html", **await _values(page))


@router.post("/me/phone", dependencies=[Depends(limit_sign_ins)])
async def send_code(page: PersonPageDep) -> Response:
    """Send a code to it."""
    form = await page.form()
    typed = form.get("phone")[:320]
    try:
        # The session's own secret: only this browser can finish what it begins here.
        sent = await phone_enrolment.begin(
            page.services, page.person, typed, visitor_of(page.request), secret=page.secret
        )
    except ServiceError as failure:
        return await page.show_failure(failure, "means/phone.html", **await _values(page, typed))
    return go(_address(sent.id))


@router.get("/me/phone/{sign_in_id}")
async def ask_code(sign_in_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """The fields for the code, and for the PIN that this phone asks too."""
    values = await _code_values(page, sign_in_id, sent)
    return await page.show("means/phone_code.html", **values) if values else go("/me/phone")


@router.post("/me/phone/{sign_in_id}")
async def add(sign_in_id: PathId, page: PersonPageDep) -> Response:
    """Add the phone, in the place of the one that there was."""
    form = await page.form()
    code, pin, again = (form.get(name)[:32] for name in ("code", "pin", "again"))
    try:
        await phone_enrolment.finish(
            page.services,
            page.person,
            sign_in_id,
            TypedForPhone(page.secret, code, pin, again, proof_in(page, form)),
            on_phone_added=adopt_requests,
            visitor=visitor_of(page.request),
        )
    except ServiceError as failure:
        code_sent = form.get("sent")
        values = await _code_values(page, sign_in_id, code_sent)
        if values:
            at = with_code(_address(sign_in_id), code_sent)
            return await page.show_failure(failure, "means/phone_code.html", at=at, **values)
        sent_to = await one_time_codes.sent_to(page.services, sign_in_id, page.secret)
        number = national(sent_to.address) if sent_to and sent_to.address else ""
        asked = await _values(page, number, pin_refused=failure.code == "pin_weak")
        return await page.show_failure(failure, "means/phone.html", at="/me/phone", **asked)
    return go(MEANS, done="phone_added")


async def _values(
    page: PersonPage, typed: str = "", *, pin_refused: bool = False
) -> dict[str, Any]:
    found = await means.list_means(page.services, page.person)
    former = next((one for one in found if one.kind == "phone"), None)
    return {"former": former, "typed": typed, "pin_refused": pin_refused}


async def _code_values(page: PersonPage, sign_in_id: UUID, sent: str) -> dict[str, Any]:
    """Nothing for a code that was used, is too old, or was asked for elsewhere."""
    sent_to = await one_time_codes.sent_to(page.services, sign_in_id, page.secret)
    used = await phone_enrolment.is_used_up(page.services, sign_in_id, page.secret)
    if used or sent_to is None or not sent_to.address:
        return {}
    return {
        "action": _address(sign_in_id),
        "proof": await shown_on(page, sent),
        "sent_to": sent_to,
        "has_pin": await pins.has_pin(page.services, page.person),
        "shown": await demo_message(page, "sms"),
    }


def _address(sign_in_id: UUID) -> str:
    return f"/me/phone/{sign_in_id}"
