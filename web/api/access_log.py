"""The access log: a person's, and a recipient's own actions."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from auth.subjects import Person
from vault.access_log import entries, inclusion_proof, reports
from vault.access_log.report_views import ReportView
from vault.cursors import Page
from web.api.shapes import Cursor, Limit, Strict
from web.api.vocabulary import (
    LoggedAction,
    LoggedActorKind,
    LoggedOutcome,
    PurposeCode,
    RefusalReason,
    SendingState,
)
from web.http.dependencies import CallerDep, PersonDep, ServicesDep
from web.http.path_ids import PathId
from web.http.problems import language_of
from web.i18n.event_messages import describe

router = APIRouter(prefix="/v1/access-log", tags=["access log"])


class ActorOut(BaseModel):
    """Who acted. For your own acts, `kind` is `owner` and the sentence says "you"."""

    kind: LoggedActorKind
    name: str | None = None
    job: str | None = None
    organisation: str | None = None
    contact: str | None = Field(None, description="How to reach them.")


class BesideOut(BaseModel):
    """A worker, as they were that day."""

    name: str
    job: str | None = None
    organisation: str | None = None
    contact: str | None = None


class ReportIn(Strict):
    """What a person says of a line that is not normal to them."""

    text: str = Field("", max_length=4 * reports.MAX_TEXT, description="At most 500 characters.")


class ReportOut(BaseModel):
    """A report of a line, and its answer once there is one."""

    id: UUID = Field(description="The reference that the operator and the organisation have.")
    reported_at: datetime
    text: str
    organisation_told: bool = Field(description="Whether the actor's organisation was told too.")
    answer: str | None
    answered_at: datetime | None
    answer_by: datetime = Field(description="Until when the operator said that they answer.")


class EntryOut(BaseModel):
    """One line of the log."""

    id: UUID
    at: datetime
    actor: ActorOut
    action: LoggedAction
    documents: list[UUID]
    purpose: str | None
    purpose_code: PurposeCode | None
    grant: UUID | None
    request: UUID | None
    outcome: LoggedOutcome
    reason: RefusalReason | None
    confirmed: SendingState | None = Field(
        description="Of content: `completed`, `interrupted`, `not_confirmed`, or `not_sent`."
    )
    sentence: str = Field(description="The line in plain words, in the caller's language.")
    report: ReportOut | None = Field(None, description="The person's own report of this line.")
    beside: BesideOut | None = Field(
        None, description="On whose device the person acted, and who was beside them."
    )


class EntryList(BaseModel):
    """A page of the log."""

    items: list[EntryOut]
    next: str | None = Field(
        description="The cursor of the following page, or null. A page may be short, or empty,"
        " before the last: it leaves out what a client's access token does not name."
    )


class ProofOut(BaseModel):
    """What proves one line, offline, with the log's public key alone (bytes in base64)."""

    event: dict[str, Any]
    k_event: str = Field(description="HMAC key: with it the event gives the commitment.")
    commitment: str
    sealed_sha256: str = Field(description="The leaf's entry is the commitment, then this.")
    index: int
    inclusion: list[str] = Field(description="Audit path, leaf to root (RFC 6962 §2.1.1).")
    checkpoint: str = Field(description="Signed note of a tree that has the leaf.")


class ProofPending(BaseModel):
    """The line is recorded, and not yet in a signed tree: ask again."""

    status: Literal["pending"]


_RETRY_AFTER = {
    "Retry-After": {"description": "In seconds.", "schema": {"type": "integer"}},
}


@router.get("", operation_id="listAccessLog")
async def list_(
    services: ServicesDep,
    caller: CallerDep,
    request: Request,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EntryList:
    """A person: everything on their vault. A worker or a client: their own doings."""
    page: Page[entries.EntryView]
    if isinstance(caller, Person):
        page = await entries.list_for_person(services, caller, cursor=cursor, limit=limit)
    else:
        page = await entries.list_by_actor(services, caller, cursor=cursor, limit=limit)
    return entries_out(page, language_of(request))


def entries_out(page: Page[entries.EntryView], language: str) -> EntryList:
    """A page of the log, in the caller's language."""
    return EntryList(items=[_out(entry, language) for entry in page.items], next=page.next)


@router.get("/{event_id}", operation_id="getAccessLogEntry")
async def see(
    event_id: PathId, services: ServicesDep, person: PersonDep, request: Request
) -> EntryOut:
    """One line of my log."""
    entry = await entries.see_for_person(services, person, event_id)
    return _out(entry, language_of(request))


@router.post("/{event_id}/report", operation_id="reportAccessLogEntry")
async def report(
    event_id: PathId, services: ServicesDep, person: PersonDep, body: ReportIn | None = None
) -> ReportOut:
    """Say that a line is not normal. The operator is told, and so is the organisation of whoever
    acted under a grant; neither learns whose vault it is. The operator answers, not whoever
    acted, in `report` of that line, until `answer_by`. A second call gives the first report."""
    text = body.text if body else ""
    return _report_out(await reports.report(services, person, event_id, text))


@router.get(
    "/{event_id}/proof",
    operation_id="getAccessLogProof",
    response_model=ProofOut,
    responses={202: {"model": ProofPending, "description": "Not yet.", "headers": _RETRY_AFTER}},
)
async def prove(event_id: PathId, services: ServicesDep, person: PersonDep) -> ProofOut | Response:
    """The proof of one line of my log; 202 with `Retry-After` before it is in a signed tree."""
    proof = await inclusion_proof.prove_inclusion(services, person, event_id)
    receipt = inclusion_proof.receipt_of(proof)
    if receipt is None:
        return JSONResponse({"status": "pending"}, 202, {"Retry-After": "1"})
    return ProofOut.model_validate(receipt)


def _out(entry: entries.EntryView, language: str) -> EntryOut:
    actor = {name: entry.actor[name] for name in ActorOut.model_fields if name in entry.actor}
    values: dict[str, Any] = {
        "actor": ActorOut.model_validate(actor),
        "sentence": describe(entry, language),
        "reason": entry.reason or None,
        "report": _report_out(entry.report) if entry.report else None,
        "beside": None if entry.beside is None else BesideOut.model_validate(entry.beside),
    }
    for name in ("id", "at", "action", "purpose", "purpose_code", "grant", "request"):
        values[name] = getattr(entry, name)
    return EntryOut(
        documents=[UUID(document_id) for document_id in entry.documents],
        outcome=entry.outcome,
        confirmed=entry.confirmed,
        **values,
    )


def _report_out(report_: ReportView) -> ReportOut:
    return ReportOut(
        id=report_.id,
        reported_at=report_.reported_at,
        text=report_.text,
        organisation_told=report_.organisation_told,
        answer=report_.answer,
        answered_at=report_.answered_at,
        answer_by=report_.answer_by,
    )
