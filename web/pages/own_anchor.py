"""« Si je perds tout »: who I am on my identity paper, kept as a keyed tag alone; enrolled,
replaced, removed, each with a proof of now."""

from typing import Any

from fastapi import Response

from auth import anchors
from auth.anchor_rules import LONGEST, TypedAnchor, date_typed
from base.errors import ErrorKind, ServiceError
from web.pages.forms import Form
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
ANCHOR = "/me/anchor"
_END = "/me/anchor/remove"
_FIELDS = ("family_name", "given_name", "birth_date", "document_end")
NOTHING_TYPED = dict.fromkeys(_FIELDS, "")


@router.get(ANCHOR)
async def see(page: PersonPageDep, sent: str = "") -> Response:
    """Whether there is one, since when, and the fields for another."""
    return await page.show("means/anchor.html", **await _values(page, sent))


@router.post(ANCHOR)
async def enrol(page: PersonPageDep) -> Response:
    """Keep it, in the place of the one that there was."""
    form = await page.form()
    try:
        tag = await anchors.tag_of(page.services, typed_in(form))
        await anchors.enrol(page.services, page.person, tag, proof_in(page, form))
    except ServiceError as failure:
        at = with_code(ANCHOR, form.get("sent"))
        values = await _values(page, form.get("sent")) | shown_again(form)
        return await page.show_failure(failure, "means/anchor.html", at=at, **values)
    return go("/me", done="anchor_enrolled")


@router.get("/me/anchor/remove")
async def ask_to_remove(page: PersonPageDep, sent: str = "") -> Response:
    """The proof alone."""
    values = await _values(page, sent)
    if values["since"] is None:
        return go(ANCHOR)
    return await page.show("means/anchor_end.html", **values)


@router.post("/me/anchor/remove")
async def remove(page: PersonPageDep) -> Response:
    """Keep nothing of it."""
    form = await page.form()
    try:
        await anchors.remove(page.services, page.person, proof_in(page, form))
    except ServiceError as failure:
        if failure.kind is ErrorKind.NOT_FOUND:
            return go(ANCHOR)
        values, at = await _values(page, form.get("sent")), with_code(_END, form.get("sent"))
        return await page.show_failure(failure, "means/anchor_end.html", at=at, **values)
    return go("/me", done="anchor_removed")


def typed_in(form: Form) -> TypedAnchor:
    """What was typed, as on the paper."""
    return TypedAnchor(
        form.get("family_name"),
        form.get("given_name"),
        date_typed(form.get("birth_date")[:LONGEST]),
        form.get("document_end"),
    )


def shown_again(form: Form) -> dict[str, Any]:
    """For the form that was refused: its holder corrects one field."""
    return {"typed": {name: form.get(name)[:LONGEST] for name in _FIELDS}}


async def _values(page: PersonPage, sent: str) -> dict[str, Any]:
    return {
        "proof": await shown_on(page, sent),
        "since": await anchors.enrolled_at(page.services, page.person),
        "typed": NOTHING_TYPED,
        "longest": LONGEST,
    }
