"""A mandate, to its person: what is on the paper, the scan of it, their own yes; and, once they
have signed, until when it lasts if nobody sees them again."""

from collections.abc import Iterable
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.consent import mandate_signatures, mandates
from vault.consent.mandates import ReceivedMandate
from vault.document_view import DocumentMetadata
from vault.documents.mandate_scans import sign_with_scan
from vault.documents.own_deposit import deposit_own
from web.http.path_ids import PathId
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
SCAN_TYPE = "power_of_attorney"
_TICKED = "ticked_"
"""What the name of a box begins with: each has its own, because a form with files keeps one value
a name."""


@router.get("/mandates/{mandate_id}")
async def see(mandate_id: PathId, page: PersonPageDep) -> Response:
    """What is on the paper, and what I may tick."""
    mandate = await mandates.see_mandate(page.services, page.person, mandate_id)
    return await _show(page, mandate)


@router.post("/mandates/{mandate_id}/sign")
async def sign(mandate_id: PathId, page: PersonPageDep) -> Response:
    """Keep the scan among my papers, and say yes to what I ticked on it. Where that is refused, the
    scan stays among my papers."""
    mandate = await mandates.see_mandate(page.services, page.person, mandate_id)
    upload = page.upload()
    ticked: list[UUID] = []
    try:
        kept = await deposit_own(
            page.services, page.person, upload, lambda: DocumentMetadata(type=SCAN_TYPE)
        )
        ticked = _ticked(upload.fields)
        await sign_with_scan(page.services, page.person, mandate_id, kept.document.id, ticked)
    except ServiceError as failure:
        if failure.kind is ErrorKind.REFUSED:
            raise
        return await _show(page, mandate, failure, ticked=ticked or _ticked(upload.fields))
    return go("/grants", done="approved")


@router.get("/mandates/{mandate_id}/signed")
async def see_signed(mandate_id: PathId, page: PersonPageDep) -> Response:
    """What I signed, what it gave, and until when."""
    signed = await mandate_signatures.see_signed(page.services, page.person, mandate_id)
    return await page.show("mandate_signed.html", mandate=signed)


@router.post("/mandates/{mandate_id}/go-on")
async def go_on(mandate_id: PathId, page: PersonPageDep) -> Response:
    """I am here again, and it goes on."""
    await page.form()
    try:
        await mandate_signatures.go_on(page.services, page.person, mandate_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.CONFLICT:
            raise
        signed = await mandate_signatures.see_signed(page.services, page.person, mandate_id)
        return await page.show_failure(failure, "mandate_signed.html", mandate=signed)
    return go(f"/mandates/{mandate_id}/signed", done="goes_on")


def _ticked(fields: Iterable[str]) -> list[UUID]:
    """What was ticked: the names of the boxes."""
    named = [parse_id(name.removeprefix(_TICKED)) for name in fields if name.startswith(_TICKED)]
    return [one for one in named if one is not None]


async def _show(
    page: PersonPage,
    mandate: ReceivedMandate,
    *failures: ServiceError,
    ticked: Iterable[UUID] = (),
) -> Response:
    waiting = [one for one in mandate.authorisations if one.state == "waiting"]
    return await page.show_failures(
        failures, "mandate.html", mandate=mandate, waiting=waiting, ticked=set(ticked)
    )
