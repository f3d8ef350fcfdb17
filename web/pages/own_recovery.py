"""« Mes papiers d’avant »: in the place that was opened at the desk, how far it is, and the yes
that opens what its person had."""

from typing import Any

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.maintenance.joins import openings
from vault.maintenance.joins.union import TypedYes
from vault.recovery import recovery_views, stops
from vault.recovery.recovery_rules import SECOND_WITHIN
from vault.recovery.recovery_views import OwnRecovery
from web.http.pdf_response import pdf_response
from web.pages.acts import act_on
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.sign_in import open_here, visitor_here
from web.printouts.recovery_sheet import print_receipt

router = page_router()
RECOVERY = "/recovery"


@router.get(RECOVERY)
async def see(page: PersonPageDep, sent: str = "") -> Response:
    """How far it is; once it may be, the form that opens what I had."""
    found = await recovery_views.own(page.services, page.person)
    if found is None:
        return (
            await page.show("own_recovery/opened.html") if await _has_receipt(page) else go("/me")
        )
    return await page.show("own_recovery/recovery.html", **await _values(page, found, sent))


@router.post(RECOVERY)
async def open_former(page: PersonPageDep) -> Response:
    """Open what I had: this place ends in it, at once and for good."""
    form = await page.form()
    said = act_on(page, "own_recovery/recovery.html")
    typed = TypedYes(form.get("pin")[:32], form.get("again")[:32], proof_in(page, form), said)
    try:
        opened = await openings.open_former(page.services, page.person, typed, visitor_here(page))
    except ServiceError as failure:
        found = await recovery_views.own(page.services, page.person)
        if found is None:
            raise
        sent = form.get("sent")
        values, at = await _values(page, found, sent), with_code(RECOVERY, sent)
        return await page.show_failure(failure, "own_recovery/recovery.html", at=at, **values)
    response = await open_here(page, opened)
    response.headers["Location"] = "/documents?done=recovery_opened"
    return response


@router.post("/recovery/end")
async def give_up(page: PersonPageDep) -> Response:
    """I do not want what I had opened again."""
    await page.form()
    try:
        await stops.give_up(page.services, page.person)
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.NOT_FOUND, ErrorKind.CONFLICT):
            raise
        return go(RECOVERY, done="recovery_gone")
    return go(RECOVERY, done="recovery_given_up")


@router.get("/recovery/receipt.pdf")
async def receipt(page: PersonPageDep) -> Response:
    """Who saw me, and when: for the one that waits, or the last one by which this was opened."""
    try:
        pdf = await print_receipt(page.services, page.person, page.language)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return go(RECOVERY)
    return pdf_response(pdf, "recu")


async def _values(page: PersonPage, found: OwnRecovery, sent: str) -> dict[str, Any]:
    return {
        "found": found,
        "second_before": found.began_at + SECOND_WITHIN,
        "proof": await shown_on(page, sent),
    }


async def _has_receipt(page: PersonPage) -> bool:
    """Whether what is here was opened again at a desk."""
    try:
        await recovery_views.receipt(page.services, page.person)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return False
    return True
