"""Grants: given, listed, read, revoked; and the evidence that one allows."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vault.consent import evidence as vault_evidence
from vault.consent import grant_issue, grants
from vault.consent.grant_issue import GrantDraft, RecipientRef
from vault.consent.receipt_issue import signed_receipt
from web.api.consent_evidence import EvidenceIn, act_of
from web.api.shapes import Cursor, Limit, Strict
from web.api.terms import (
    Duration,
    GrantList,
    GrantOut,
    IdempotencyKey,
    PurposeIn,
    ScopeIn,
    StoreFor,
    Until,
    end_as_sent,
    grant_out,
    positions_in,
)
from web.api.vocabulary import DocumentTypeCode
from web.http.dependencies import CallerDep, PersonDep, RecipientDep, ServicesDep
from web.http.path_ids import PathId
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.problems import language_of
from web.printouts.grant_receipt import print_receipt

router = APIRouter(prefix="/v1/grants", tags=["grants"])

_RECEIPT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A consent record after ISO/IEC TS 27560:2023, in W3C DPV words. Its member"
        " `jws` is a detached JWS (RFC 7515, appendix F; ES256) over the record without it, in the"
        " encoding of RFC 8785; its keys are at `/v1/receipt-keys`.",
        "content": {"application/ld+json": {"schema": {"type": "object"}}},
    }
}


class RecipientIn(Strict):
    """Exactly one of the four."""

    worker_id: UUID | None = None
    worker_email: Annotated[str, StringConstraints(max_length=320)] | None = None
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    meeting: UUID | None = Field(
        None, description="The professional of a meeting that both agreed to: once, in 30 minutes."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [self.worker_id, self.worker_email, self.client_id, self.meeting]
        if given.count(None) != len(given) - 1:
            raise PydanticCustomError(
                "exactly_one", "worker_id, worker_email, client_id or meeting"
            )
        return self


class NewGrantIn(Strict):
    """What is given unasked, to whom, why, and for how long: by exactly one of `duration` and
    `until`."""

    recipient: RecipientIn
    scope: ScopeIn
    purpose: PurposeIn
    duration: Duration | None = None
    until: Until | None = None
    may_store: StrictBool = False
    store_for: StoreFor | None = None
    covers_future: StrictBool = Field(
        False, description="Also documents of these types that are added later."
    )
    evidence: EvidenceIn | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.duration is None) == (self.until is None):
            raise PydanticCustomError("exactly_one", "duration or until")
        return self

    def draft(self) -> GrantDraft:
        return GrantDraft(
            recipient=RecipientRef(**self.recipient.model_dump()),
            scope=self.scope.scope(),
            purpose_code=self.purpose.code,
            purpose=self.purpose.cleaned(),
            duration=self.duration,
            until=self.until,
            may_store=self.may_store,
            store_for=self.store_for,
            covers_future=self.covers_future,
        )


class EvidenceOut(BaseModel):
    """Whether a type is held, with its dates; of several documents, the one last issued."""

    type: DocumentTypeCode
    held: bool
    issued_on: date | None
    valid_until: date | None
    verified: bool
    deposited_on: date | None
    as_of: datetime
    documents: int


@router.post("", operation_id="giveGrant", status_code=201)
async def give(
    body: NewGrantIn,
    services: ServicesDep,
    person: PersonDep,
    idempotency_key: IdempotencyKey = None,
) -> GrantOut:
    """Give a grant that nobody asked for."""
    with positions_in(body.scope), end_as_sent(body.until):
        grant = await grant_issue.give(
            services,
            person,
            body.draft(),
            idempotency_key=idempotency_key,
            act=act_of(person, body.evidence),
        )
    return grant_out(grant)


@router.get("", operation_id="listGrants")
async def list_(
    services: ServicesDep,
    caller: CallerDep,
    state: Annotated[Literal["live", "ended"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> GrantList:
    """The caller's grants, given or received, newest first."""
    page = await grants.list_grants(services, caller, state=state, limit=limit, cursor=cursor)
    return GrantList(items=[grant_out(grant) for grant in page.items], next=page.next)


@router.get("/{grant_id}", operation_id="getGrant")
async def see(grant_id: PathId, services: ServicesDep, caller: CallerDep) -> GrantOut:
    """One grant, to either of its sides, live or over; recorded."""
    return grant_out(await grants.see(services, caller, grant_id))


@router.get(
    "/{grant_id}/receipt",
    operation_id="getGrantReceipt",
    response_class=JSONResponse,
    responses=_RECEIPT,
)
async def receipt(grant_id: PathId, services: ServicesDep, caller: CallerDep) -> JSONResponse:
    """The grant's receipt as it stands now, signed, to either of its sides; recorded."""
    content = await signed_receipt(services, caller, grant_id)
    return JSONResponse(content, media_type="application/ld+json")


@router.get(
    "/{grant_id}/receipt.pdf",
    operation_id="getGrantReceiptAsPdf",
    response_class=PdfResponse,
    responses=PDF,
)
async def receipt_to_print(
    grant_id: PathId, services: ServicesDep, caller: CallerDep, request: Request
) -> PdfResponse:
    """The grant's receipt, to print; to either of its sides; recorded."""
    pdf = await print_receipt(services, caller, grant_id, language_of(request))
    return pdf_response(pdf, "recu")


@router.post("/{grant_id}/revoke", operation_id="revokeGrant")
async def revoke(grant_id: PathId, services: ServicesDep, person: PersonDep) -> GrantOut:
    """Take a grant back at once; downloads under way stop. A second time changes nothing."""
    return grant_out(await grants.revoke(services, person, grant_id))


@router.post("/{grant_id}/give-back", operation_id="giveGrantBack")
async def give_back(grant_id: PathId, services: ServicesDep, recipient: RecipientDep) -> GrantOut:
    """Give back a grant that you received, at once; downloads under way stop. The person sees who
    ended it. One that has ended does not change."""
    return grant_out(await grants.give_back(services, recipient, grant_id))


@router.get("/{grant_id}/evidence", operation_id="getEvidence")
async def evidence(
    grant_id: PathId,
    services: ServicesDep,
    recipient: RecipientDep,
    type_: Annotated[DocumentTypeCode, Query(alias="type", description="Of what type.")],
) -> EvidenceOut:
    """Whether a document of this type is held, of what date, valid until when; no file."""
    answer = await vault_evidence.evidence(services, recipient, grant_id, type_)
    return EvidenceOut(
        type=answer.type,
        held=answer.held,
        issued_on=answer.issued_on,
        valid_until=answer.valid_until,
        verified=answer.verified,
        deposited_on=answer.deposited_on,
        as_of=answer.as_of,
        documents=answer.documents,
    )
