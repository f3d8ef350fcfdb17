"""At the desk: a worker reads the judgement that names somebody's representative, in front of
them."""

from typing import Any

from fastapi import Response

from auth.anchor_rules import LONGEST as LONGEST_NAME
from auth.anchors import tag_of
from base.errors import ServiceError, about, invalid
from vault.representation import judgements
from vault.representation.judgements import LONGEST
from vault.representation.representation_rules import Judgement
from web.i18n.languages import SOURCE
from web.pages.document_fields import date_of
from web.pages.forms import Form
from web.pages.own_anchor import NOTHING_TYPED, typed_in
from web.pages.page import WorkerPageDep, go, page_router

router = page_router()
_AT = "/pro/desk/judgement"
_TEXTS = ("representative", "court", "decided_on", "ends_on")


@router.get(_AT)
async def ask(page: WorkerPageDep) -> Response:
    """The digits, what stands on the judgement, and on the person's paper where one is needed."""
    return await page.show("desk/judgement.html", **_values(None))


@router.post(_AT)
async def read(page: WorkerPageDep) -> Response:
    """Note it."""
    form = await page.form()
    try:
        judgement = _judgement(form)
        anchor = await tag_of(page.services, typed_in(form)) if form.has("new") else None
        await judgements.read(
            page.services,
            page.worker,
            form.get("code")[:32],
            judgement,
            anchor=anchor,
            language=SOURCE,
        )
    except ServiceError as failure:
        values = _values(form)
        return await page.show_failure(failure, "desk/judgement.html", at=_AT, **values)
    return go("/pro/desk", done="judgement_read")


def _judgement(form: Form) -> Judgement:
    days = []
    for name in ("decided_on", "ends_on"):
        with about(name):
            day = date_of(form.get(name)[:16])
            if day is None:
                raise invalid("judgement_date")
        days.append(day)
    return Judgement(form.get("representative"), form.get("court"), *days)


def _values(form: Form | None) -> dict[str, Any]:
    """What was typed, but the digits."""
    told = {name: "" if form is None else form.get(name)[: 4 * LONGEST] for name in _TEXTS}
    paper = {name: "" if form is None else form.get(name)[:LONGEST_NAME] for name in NOTHING_TYPED}
    return {
        "told": told,
        "typed": paper,
        "is_new": form is not None and form.has("new"),
        "longest": LONGEST_NAME,
        "longest_text": LONGEST,
    }
