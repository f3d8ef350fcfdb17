"""Consent requests: asked by workers and administrations, answered by the person."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from auth.subjects import Person
from vault.consent import answers, request_views, requests, withdrawals
from vault.consent.request_views import ReceivedRequest, SentRequest
from vault.consent.requests import Whom
from vault.consent.scopes import Choice
from vault.consent.terms import Approval, Terms
from web.api.consent_evidence import EvidenceIn, act_of
from web.api.shapes import Cursor, Limit, Strict
from web.api.terms import (
    AskedOut,
    ChoiceIn,
    ContactIn,
    ContactOut,
    Duration,
    GrantOut,
    IdempotencyKey,
    PartyOut,
    PurposeIn,
    ScopeIn,
    StoreFor,
    Until,
    end_as_sent,
    grant_out,
    party_out,
    positions_in,
    terms_out,
)
from web.api.vocabulary import DocumentTypeCode, LegalBasisCode
from web.http.dependencies import CallerDep, PersonDep, RecipientDep, ServicesDep
from web.http.openapi_problems import QUOTA
from web.http.path_ids import PathId
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.problems import language_of
from web.http.quota_headers import quota_headers
from web.printouts.request_sheet import print_request

router = APIRouter(prefix="/v1/consent-requests", tags=["consent requests"])


class PersonIn(Strict):
    """Whom to ask: the holder of a phone, or the person of a meeting. Exactly one of the two."""

    phone: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    meeting: UUID | None = Field(
        None, description="A meeting that both agreed to: once, in 30 minutes."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.phone is None) == (self.meeting is None):
            raise PydanticCustomError("exactly_one", "phone or meeting")
        return self


class ConsentRequestIn(Strict):
    """What is asked, why, for how long, and whom to call about it."""

    person: PersonIn
    scope: ScopeIn
    purpose: PurposeIn
    legal_basis: LegalBasisCode
    duration: Duration
    may_store: StrictBool = False
    store_for: StoreFor | None = None
    contact: ContactIn

    def terms(self) -> Terms:
        return Terms(
            scope=self.scope.scope(),
            purpose_code=self.purpose.code,
            purpose=self.purpose.cleaned(),
            legal_basis=self.legal_basis,
            duration=self.duration,
            may_store=self.may_store,
            store_for=self.store_for,
            contact=self.contact.cleaned(),
        )


class ApprovalIn(Strict):
    """What is changed of what was asked, never to more; `duration` or `until`, not both."""

    scope: ChoiceIn | None = None
    duration: Duration | None = None
    until: Until | None = None
    may_store: StrictBool | None = None
    covers_future: StrictBool = Field(
        False, description="Also documents of these types that are added later."
    )
    evidence: EvidenceIn | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.duration is not None and self.until is not None:
            raise PydanticCustomError("exactly_one", "duration or until")
        return self

    def approval(self) -> Approval:
        return Approval(
            choice=Choice() if self.scope is None else self.scope.choice(),
            duration=self.duration,
            until=self.until,
            may_store=self.may_store,
            covers_future=self.covers_future,
        )


class RefusalIn(Strict):
    """`not_me`: the phone is not, or no longer, that of the person meant."""

    reason: Literal["no", "not_me"] = "no"


class SentOut(BaseModel):
    """The same answer whether or not that phone has a vault."""

    id: UUID
    state: Literal["waiting"] = "waiting"
    lapses_at: datetime


class SentPersonOut(BaseModel):
    """The phone, as the sender wrote it; or the meeting, in its place."""

    phone: str | None
    meeting: UUID | None


class SentRequestOut(AskedOut):
    """A request, to its sender. One that is refused reads as one that is not answered."""

    id: UUID
    state: Literal["waiting", "approved", "lapsed", "withdrawn"]
    grant_id: UUID | None
    mandate_id: UUID | None = Field(description="The paper that it is printed on, to be signed.")
    person: SentPersonOut
    contact: ContactOut
    asked_at: datetime
    lapses_at: datetime
    withdrawn_at: datetime | None


class CoveredOut(BaseModel):
    """A type asked for, and the documents of that type held now. `sensitive_ids`: those of them
    that you called sensitive; to approve the whole type does not show them, to pick them does."""

    type: DocumentTypeCode
    sensitive: bool
    document_ids: list[UUID]
    sensitive_ids: list[UUID]


class ReceivedRequestOut(AskedOut):
    """A request, to the person. `ends_at`: when a grant approved now would end."""

    id: UUID
    state: Literal["waiting", "approved", "refused", "not_me", "lapsed", "withdrawn"]
    grant_id: UUID | None
    mandate_id: UUID | None = Field(description="The paper that it is printed on, to be signed.")
    requester: PartyOut
    covers: list[CoveredOut]
    asked_at: datetime
    lapses_at: datetime
    ends_at: datetime


class RequestList(BaseModel):
    """A page of requests: received by a person, or sent by anyone else."""

    items: list[ReceivedRequestOut] | list[SentRequestOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


@router.post("", operation_id="sendConsentRequest", status_code=202, responses=QUOTA)
async def ask(
    body: ConsentRequestIn,
    services: ServicesDep,
    recipient: RecipientDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> SentOut:
    """Ask the holder of a phone, or the person of a meeting, for consent. It lapses in 7 days."""
    whom = Whom(phone=body.person.phone, meeting=body.person.meeting)
    with positions_in(body.scope):
        sent = await requests.ask(
            services, recipient, whom, body.terms(), idempotency_key=idempotency_key
        )
    response.headers.update(quota_headers(sent.quota))
    return SentOut(id=sent.id, lapses_at=sent.lapses_at)


@router.get("", operation_id="listConsentRequests")
async def list_(
    services: ServicesDep, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None
) -> RequestList:
    """A person's received requests, what waits first; anyone else's sent ones, newest first."""
    if isinstance(caller, Person):
        received = await request_views.list_received(services, caller, limit=limit, cursor=cursor)
        return RequestList(items=[_received(item) for item in received.items], next=received.next)
    sent = await request_views.list_sent(services, caller, limit=limit, cursor=cursor)
    return RequestList(items=[sent_out(item) for item in sent.items], next=sent.next)


@router.get("/{request_id}", operation_id="getConsentRequest")
async def see(
    request_id: PathId, services: ServicesDep, caller: CallerDep
) -> ReceivedRequestOut | SentRequestOut:
    """One request, to the one it was put to or the one who sent it."""
    if isinstance(caller, Person):
        return _received(await request_views.see_received(services, caller, request_id))
    return sent_out(await request_views.see_sent(services, caller, request_id))


@router.get(
    "/{request_id}/sheet.pdf",
    operation_id="getConsentRequestAsPdf",
    response_class=PdfResponse,
    responses=PDF,
)
async def to_print(
    request_id: PathId, services: ServicesDep, person: PersonDep, request: Request
) -> PdfResponse:
    """One request to me, as I read it before I answer, to print."""
    pdf = await print_request(services, person, request_id, language_of(request))
    return pdf_response(pdf, "demande")


@router.post("/{request_id}/approve", operation_id="approveConsentRequest", status_code=201)
async def approve(
    request_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    body: ApprovalIn | None = None,
    idempotency_key: IdempotencyKey = None,
) -> GrantOut:
    """Say yes, to all of it or to less."""
    approval = Approval() if body is None else body.approval()
    with (
        positions_in(None if body is None else body.scope),
        end_as_sent(approval.until),
    ):
        grant = await answers.approve(
            services,
            person,
            request_id,
            approval,
            idempotency_key=idempotency_key,
            act=act_of(person, None if body is None else body.evidence),
        )
    return grant_out(grant)


@router.post("/{request_id}/refuse", operation_id="refuseConsentRequest", status_code=204)
async def refuse(
    request_id: PathId, services: ServicesDep, person: PersonDep, body: RefusalIn | None = None
) -> Response:
    """Say no, or "this is not me". The sender is told neither."""
    await answers.refuse(services, person, request_id, "no" if body is None else body.reason)
    return Response(status_code=204)


@router.post("/{request_id}/withdraw", operation_id="withdrawConsentRequest")
async def withdraw(
    request_id: PathId, services: ServicesDep, recipient: RecipientDep
) -> SentRequestOut:
    """Withdraw a request that you sent: it can be answered no more. The answer is the same whatever
    became of it, unless it was approved: then give the grant back. A second time changes
    nothing."""
    return sent_out(await withdrawals.withdraw(services, recipient, request_id))


def sent_out(item: SentRequest) -> SentRequestOut:
    """A request, as its sender sees it."""
    return SentRequestOut(
        id=item.id,
        state=item.state,
        grant_id=item.grant_id,
        mandate_id=item.mandate.id if item.mandate else None,
        person=SentPersonOut(phone=item.phone, meeting=item.meeting),
        contact=ContactOut(**item.asked.contact),
        asked_at=item.asked_at,
        lapses_at=item.lapses_at,
        withdrawn_at=item.withdrawn_at,
        **terms_out(item.asked).model_dump(),
    )


def _received(item: ReceivedRequest) -> ReceivedRequestOut:
    return ReceivedRequestOut(
        id=item.id,
        state=item.state,
        grant_id=item.grant_id,
        mandate_id=item.mandate.id if item.mandate else None,
        requester=party_out(item.requester, item.asked.contact),
        covers=[
            CoveredOut(
                type=covered.type,
                sensitive=covered.sensitive,
                document_ids=list(covered.document_ids),
                sensitive_ids=list(covered.sensitive_ids),
            )
            for covered in item.covers
        ],
        asked_at=item.asked_at,
        lapses_at=item.lapses_at,
        ends_at=item.ends_at,
        **terms_out(item.asked).model_dump(),
    )
