"""A mandate, to its person: what is on the paper, the scan of it, their own yes; and, once they
have signed, until when it lasts if nobody sees them again."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Response

from base import clock
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import parse_id
from vault.consent import mandate_signatures, mandates
from vault.consent.mandate_papers import asleep_from
from vault.consent.mandates import ReceivedMandate
from vault.consent.request_views import ReceivedRequest
from vault.document_view import DocumentMetadata
from vault.documents.mandate_scans import sign_with_scan
from vault.documents.own_deposit import deposit_own
from web.http.path_ids import PathId
from web.pages.acts import act_on
from web.pages.answer_steps import digest
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
SCAN_TYPE = "power_of_attorney"
_TICKED = "ticked_"
"""What the name of a box begins with: each has its own, because a form with files keeps one value
a name."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One authorisation that waits. `number`: that of the paper. `ends_at`: when it would end,
    unless its person says that it goes on; `request.ends_at` is what was signed for."""

    number: int
    request: ReceivedRequest
    ends_at: datetime


@router.get("/mandates/{mandate_id}")
async def see(mandate_id: PathId, page: PersonPageDep) -> Response:
    """What is on the paper, and what I may tick; once it is signed, what it gave."""
    mandate = await mandates.see_mandate(page.services, page.person, mandate_id)
    if mandate.signed:
        return go(f"/mandates/{mandate_id}/signed")
    return await _show(page, mandate)


@router.post("/mandates/{mandate_id}/sign")
async def sign(mandate_id: PathId, page: PersonPageDep) -> Response:
    """Keep the scan among my papers, and say yes to what I ticked on it. Where that is refused, the
    scan stays among my papers."""
    mandate = await mandates.see_mandate(page.services, page.person, mandate_id)
    upload, seen = page.upload(), _seen(page, mandate)

    def stated() -> DocumentMetadata:
        # All of the form is read, nothing of it is kept.
        if mandate.signed:
            raise ServiceError(ErrorKind.CONFLICT, "mandate_signed")
        if not hmac.compare_digest(seen.encode(), upload.fields.get("seen", "").encode()):
            raise invalid("answer_changed")
        mandates.chosen_of(mandate, _ticked(upload.fields))
        return DocumentMetadata(type=SCAN_TYPE)

    try:
        kept = await deposit_own(page.services, page.person, upload, stated)
        await sign_with_scan(
            page.services,
            page.person,
            mandate_id,
            kept.document.id,
            _ticked(upload.fields),
            seen=bytes.fromhex(seen),
        )
    except ServiceError as failure:
        if failure.kind is ErrorKind.REFUSED:
            raise
        ticked = _ticked(upload.fields)
        if failure.code == "mandate_signed":
            return await _signed_before(page, failure, mandate_id, ticked)
        return await _show(page, mandate, failure, ticked=ticked)
    return go("/grants", done="approved")


async def _signed_before(
    page: PersonPage, failure: ServiceError, mandate_id: UUID, ticked: list[UUID]
) -> Response:
    """A second tap says the same, and leads to the same page; anything else is not given."""
    mandate = await mandates.see_mandate(page.services, page.person, mandate_id)
    approved = {one.id for one in mandate.authorisations if one.state == "approved"}
    if ticked and approved.issuperset(ticked):
        return go("/grants", done="approved")
    signed = await mandate_signatures.see_signed(page.services, page.person, mandate_id)
    return await page.show_failure(failure, "mandate_signed.html", mandate=signed)


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
        await mandate_signatures.go_on(
            page.services, page.person, mandate_id, act_on(page, "mandate_signed.html")
        )
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
    return await page.show_failures(
        failures,
        "mandate.html",
        mandate=mandate,
        offers=_offers(mandate),
        seen=_seen(page, mandate),
        ticked=set(ticked),
    )


def _offers(mandate: ReceivedMandate) -> list[Offer]:
    asleep = asleep_from(clock.now())
    # Not their place in this list, where one may be kept back from who is beside.
    numbers = {id_: number for number, id_ in enumerate(mandate.paper.request_ids, 1)}
    return [
        Offer(numbers[one.id], one, min(one.ends_at, asleep))
        for one in mandate.authorisations
        if one.state == "waiting"
    ]


def _seen(page: PersonPage, mandate: ReceivedMandate) -> str:
    """The digest of what the page says of each."""
    told: list[object] = [str(mandate.paper.id), mandate.paper.template_hash.hex()]
    for offer in _offers(mandate):
        ends = [one.astimezone(page.zone).date() for one in (offer.ends_at, offer.request.ends_at)]
        request = offer.request
        told.append([str(request.id), request.requester, request.asked.values(), ends])
    return digest(told)
