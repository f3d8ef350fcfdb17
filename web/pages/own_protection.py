"""« Si un juge me protège »: who assists me (curatelle), noted by myself; and in words what is not
possible yet, or is done otherwise."""

from datetime import date
from typing import Any

from fastapi import Response

from auth import protection
from auth.protection import KINDS, LONGEST, ProtectionKind
from base.errors import ErrorKind, ServiceError, about, invalid
from web.pages.document_fields import date_of
from web.pages.forms import Form
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
PROTECTION = "/me/protection"
_END = "/me/protection/remove"


@router.get(PROTECTION)
async def see(page: PersonPageDep, sent: str = "") -> Response:
    """What is noted, and the fields for it."""
    return await page.show("protection/protection.html", **await _values(page, sent))


@router.post(PROTECTION)
async def note(page: PersonPageDep) -> Response:
    """Note who assists me, in the place of what was noted."""
    form = await page.form()
    try:
        until = _day(form)
        await protection.note(
            page.services, page.person, _kind(form), form.get("name"), until, proof_in(page, form)
        )
    except ServiceError as failure:
        sent = form.get("sent")
        values = await _values(page, sent) | {"typed": _typed(form)}
        at = with_code(PROTECTION, sent)
        return await page.show_failure(failure, "protection/protection.html", at=at, **values)
    return go("/me", done="protection_noted")


@router.get(_END)
async def ask_to_forget(page: PersonPageDep, sent: str = "") -> Response:
    """The proof alone."""
    values = await _values(page, sent)
    if values["noted"] is None:
        return go(PROTECTION)
    return await page.show("protection/remove.html", **values)


@router.post(_END)
async def forget(page: PersonPageDep) -> Response:
    """Note nobody any more."""
    form = await page.form()
    try:
        await protection.forget(page.services, page.person, proof_in(page, form))
    except ServiceError as failure:
        if failure.kind is ErrorKind.NOT_FOUND:
            return go(PROTECTION)
        values, at = await _values(page, form.get("sent")), with_code(_END, form.get("sent"))
        return await page.show_failure(failure, "protection/remove.html", at=at, **values)
    return go("/me", done="protection_forgotten")


def _kind(form: Form) -> ProtectionKind:
    kind = form.get("kind")
    if kind not in KINDS:
        raise invalid("protection_kind")
    return kind


def _day(form: Form) -> date | None:
    with about("until"):
        return date_of(form.get("until")[:16])


def _typed(form: Form) -> dict[str, str]:
    return {
        "kind": form.get("kind")[:40],
        "name": form.get("name")[: 4 * LONGEST],
        "until": form.get("until")[:16],
    }


async def _values(page: PersonPage, sent: str) -> dict[str, Any]:
    noted = await protection.noted(page.services, page.person)
    kept = {"kind": "", "name": "", "until": ""}
    if noted is not None:
        until = "" if noted.until is None else noted.until.isoformat()
        kept = {"kind": noted.kind, "name": noted.name, "until": until}
    return {
        "proof": await shown_on(page, sent),
        "noted": noted,
        "typed": kept,
        "longest": LONGEST,
    }
