"""Mandates signed on paper: prepared by a worker, signed for by the person, who lets them go on."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from auth.bearer import wrong_caller
from auth.subjects import Person, Worker
from base.errors import about, invalid
from vault.consent import mandate_signatures, mandates
from vault.consent.mandate_papers import MAX_AUTHORISATIONS
from vault.consent.mandate_signatures import SignedMandate
from vault.consent.mandates import ReceivedMandate, SentMandate
from vault.consent.requests import Whom
from vault.consent.scopes import scope_of
from vault.consent.terms import Terms
from vault.documents.mandate_scans import sign_with_scan
from web.api.consent_requests import PersonIn
from web.api.shapes import Strict
from web.api.terms import (
    Actions,
    AskedOut,
    ContactIn,
    Duration,
    GrantOut,
    IdempotencyKey,
    PurposeIn,
    StoreFor,
    grant_out,
    terms_out,
)
from web.api.vocabulary import DocumentTypeCode, LegalBasisCode
from web.http.dependencies import CallerDep, PersonDep, ServicesDep, WorkerDep
from web.http.openapi_problems import QUOTA
from web.http.path_ids import PathId
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.quota_headers import quota_headers
from web.i18n.translations import LANGUAGES
from web.printouts.mandate_sheet import form_in, print_mandate

router = APIRouter(prefix="/v1/mandates", tags=["mandates"])


class AuthorisationIn(Strict):
    """One of the things that the person may tick: sorts of papers, never sensitive ones."""

    document_types: Annotated[list[DocumentTypeCode], Field(min_length=1, max_length=10)]
    actions: Annotated[Actions, Field(min_length=1)]
    purpose: PurposeIn
    legal_basis: LegalBasisCode
    duration: Duration
    may_store: StrictBool = False
    store_for: StoreFor | None = None

    def terms(self, contact: dict[str, str]) -> Terms:
        return Terms(
            scope=scope_of(self.document_types, (), self.actions),
            purpose_code=self.purpose.code,
            purpose=self.purpose.cleaned(),
            legal_basis=self.legal_basis,
            duration=self.duration,
            may_store=self.may_store,
            store_for=self.store_for,
            contact=contact,
        )


class MandateIn(Strict):
    """A mandate to print. `language`: that of the person, beside the French."""

    person: PersonIn
    language: Annotated[str, StringConstraints(min_length=2, max_length=8)]
    authorisations: Annotated[
        list[AuthorisationIn], Field(min_length=1, max_length=MAX_AUTHORISATIONS)
    ]
    contact: ContactIn

    def each(self) -> list[Terms]:
        contact = self.contact.cleaned()
        found = []
        for position, one in enumerate(self.authorisations):
            with about("authorisations", position):
                found.append(one.terms(contact))
        return found


class PreparedOut(BaseModel):
    """The same answer whether or not that phone has a vault."""

    id: UUID
    request_ids: list[UUID] = Field(description="One an authorisation, in the order of the page.")
    lapses_at: datetime


class AuthorisationOut(AskedOut):
    """One of the things on the paper, as far as its caller may know what became of it."""

    request_id: UUID
    state: Literal["waiting", "approved", "refused", "not_me", "lapsed", "withdrawn"]
    grant_id: UUID | None


class MandateOut(BaseModel):
    """A mandate on paper, to the worker who prepared it, or to its person."""

    id: UUID
    language: str
    template: str
    template_sha256: str
    authorisations: list[AuthorisationOut]


class SignedOut(BaseModel):
    """A mandate that was signed, to its person."""

    id: UUID
    language: str
    template: str
    template_sha256: str
    scan_id: UUID = Field(description="The paper that is its scan.")
    signed_at: datetime
    asleep_from: datetime | None = Field(
        description="When what it gave ends, unless its person says before that it goes on; null"
        " where nothing can last longer than it does."
    )
    grants: list[GrantOut]


class SignatureIn(Strict):
    """What was ticked on the paper, and the scan of it: a paper in the person's own vault."""

    document_id: UUID
    authorisations: Annotated[
        list[UUID],
        Field(min_length=1, max_length=MAX_AUTHORISATIONS, description="`request_ids` ticked."),
    ]


@router.post("", operation_id="prepareMandate", status_code=202, responses=QUOTA)
async def prepare(
    body: MandateIn,
    services: ServicesDep,
    worker: WorkerDep,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> PreparedOut:
    """Ask one person for several things at once, to be signed on one paper. It gives nothing: each
    is a request, which lapses in 7 days."""
    if body.language not in LANGUAGES:
        raise invalid("invalid_field", fields=[("language",)], field="language")
    whom = Whom(phone=body.person.phone, meeting=body.person.meeting)
    prepared = await mandates.prepare(
        services,
        worker,
        whom,
        body.each(),
        form_in(body.language),
        idempotency_key=idempotency_key,
    )
    response.headers.update(quota_headers(prepared.quota))
    paper = prepared.paper
    return PreparedOut(
        id=paper.id, request_ids=list(paper.request_ids), lapses_at=prepared.lapses_at
    )


@router.get("/{mandate_id}", operation_id="getMandate")
async def see(mandate_id: PathId, services: ServicesDep, caller: CallerDep) -> MandateOut:
    """A mandate, to the worker who prepared it, or to its person."""
    if isinstance(caller, Person):
        return _out(await mandates.see_mandate(services, caller, mandate_id))
    if not isinstance(caller, Worker):
        raise wrong_caller()
    return _out(await mandates.see_prepared(services, caller, mandate_id))


@router.get(
    "/{mandate_id}/sheet.pdf",
    operation_id="getMandateAsPdf",
    response_class=PdfResponse,
    responses=PDF,
)
async def to_print(mandate_id: PathId, services: ServicesDep, worker: WorkerDep) -> PdfResponse:
    """The mandate, to print and to sign; each page with a code by which its scan is known."""
    return pdf_response(await print_mandate(services, worker, mandate_id), "mandat")


@router.post("/{mandate_id}/sign", operation_id="signMandate", status_code=201)
async def sign(
    mandate_id: PathId,
    body: SignatureIn,
    services: ServicesDep,
    person: PersonDep,
    idempotency_key: IdempotencyKey = None,
) -> SignedOut:
    """Say yes to what I ticked on the paper that I signed, whose scan is among my papers: each is a
    grant of its own. The paper alone gives nothing."""
    signed = await sign_with_scan(
        services,
        person,
        mandate_id,
        body.document_id,
        body.authorisations,
        idempotency_key=idempotency_key,
    )
    return _signed(signed)


@router.get("/{mandate_id}/signed", operation_id="getSignedMandate")
async def see_signed(mandate_id: PathId, services: ServicesDep, person: PersonDep) -> SignedOut:
    """A mandate that I signed, and what it gave."""
    return _signed(await mandate_signatures.see_signed(services, person, mandate_id))


@router.post("/{mandate_id}/go-on", operation_id="letMandateGoOn")
async def go_on(mandate_id: PathId, services: ServicesDep, person: PersonDep) -> SignedOut:
    """I am seen again: what still lasts of it lasts three months more, never longer than what I
    signed for."""
    return _signed(await mandate_signatures.go_on(services, person, mandate_id))


def _out(mandate: SentMandate | ReceivedMandate) -> MandateOut:
    paper = mandate.paper
    return MandateOut(
        id=paper.id,
        language=paper.language,
        template=paper.template,
        template_sha256=paper.template_hash.hex(),
        authorisations=[
            AuthorisationOut(
                request_id=one.id,
                state=one.state,
                grant_id=one.grant_id,
                **terms_out(one.asked).model_dump(),
            )
            for one in mandate.authorisations
        ],
    )


def _signed(mandate: SignedMandate) -> SignedOut:
    return SignedOut(
        id=mandate.id,
        language=mandate.language,
        template=mandate.template,
        template_sha256=mandate.template_hash.hex(),
        scan_id=mandate.scan_id,
        signed_at=mandate.signed_at,
        asleep_from=mandate.asleep_from,
        grants=[grant_out(grant) for grant in mandate.grants],
    )
