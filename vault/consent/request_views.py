"""Consent requests as each side sees them: a sender cannot tell a refusal from silence."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Party, Person, Recipient
from base.key_names import CONSENT_REQUEST, SENT_REQUEST
from vault import cursors, decisions, durations
from vault.catalogue import is_sensitive
from vault.consent.mandate_papers import MandatePaper
from vault.consent.records import grants as grant_records
from vault.consent.records import mandates as mandate_records
from vault.consent.records import requests as records
from vault.consent.records.mandates import MANDATE_ROW
from vault.consent.terms import Terms
from vault.consent.type_tags import tags_of_type
from vault.cursors import Page
from vault.decisions import AccessAttempt
from vault.rules import Reason
from vault.tables import REQUEST_ROW

SentState = Literal["waiting", "approved", "lapsed", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """A request as its sender sees it: `waiting`, `approved` or `lapsed`, or `withdrawn` by
    themself, and nothing else.

    `phone` is the number that the sender wrote; `meeting`, in its place, whom they stood before.
    """

    id: UUID
    state: SentState
    grant_id: UUID | None
    asked_at: datetime
    lapses_at: datetime
    withdrawn_at: datetime | None
    phone: str | None = field(repr=False)
    asked: Terms
    meeting: UUID | None = None
    mandate: MandatePaper | None = None


@dataclass(frozen=True, slots=True)
class CoveredType:
    """A requested type, and which of the person's documents have that type now.

    `sensitive_ids`: those of them that the person calls sensitive. A grant of the whole type does
    not cover them; one that picks them does.
    """

    type: str
    sensitive: bool
    document_ids: tuple[UUID, ...]
    sensitive_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the person sees it. `ends_at`: when a grant approved now would end.
    `mandate_signed`: the mandate was, and is signed once: what it left out waits on a screen."""

    id: UUID
    state: Literal["waiting", "approved", "refused", "not_me", "lapsed", "withdrawn"]
    grant_id: UUID | None
    asked_at: datetime
    lapses_at: datetime
    ends_at: datetime
    requester_kind: str
    requester_id: UUID
    requester: dict[str, str] = field(repr=False)
    asked: Terms
    covers: tuple[CoveredType, ...]
    mandate: MandatePaper | None = None
    mandate_signed: bool = False


async def list_received(
    services: CoreServices, person: Person, *, limit: int = 50, cursor: str | None = None
) -> Page[ReceivedRequest]:
    """The requests to a person: those that wait first, then newest first. Without those that are
    kept back from who is beside them: such a page is shorter."""
    after = cursors.read(cursor)
    async with services.database.transaction() as tx:
        rows = await records.requests_of_person(tx, person.id, after=after, limit=limit)
        found = [await received(services, tx, row) for row in rows[:limit]]
    items = [one for one in found if not is_kept_back(person, one)]
    return Page(items, cursors.cut(rows, limit, lambda row: (row.rank, row.id)))


async def list_sent(
    services: CoreServices, sender: Recipient, *, limit: int = 50, cursor: str | None = None
) -> Page[SentRequest]:
    """The requests of a worker or a client, newest first. Raises `ServiceError`
    `token_scope_missing`, `cursor_invalid`."""
    await decisions.check_token(services, sender, "consent_requests", Action.REQUEST)
    after = cursors.read(cursor)
    async with services.database.transaction() as tx:
        rows = await records.requests_of_requester(tx, sender.party, after=after, limit=limit)
        items = [await sent(services, row) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def see_received(
    services: CoreServices, person: Person, request_id: UUID, *, kept_back: bool = False
) -> ReceivedRequest:
    """One request, for the person it was sent to. Raises `ServiceError` `not_found`, also for one
    that is kept back from who is beside them, unless `kept_back`: its answer is not shown."""
    async with services.database.transaction() as tx:
        row = await records.request(tx, request_id)
        if row is not None and row.person_id == person.id:
            found = await received(services, tx, row)
            if kept_back or not is_kept_back(person, found):
                return found
    mine = row is not None and row.person_id == person.id
    reason = Reason.NOT_FOUND if row is None or mine else Reason.NOT_ADDRESSEE
    raise await decisions.record_refusal(services, attempt_on(row, person, Action.REQUEST), reason)


def is_kept_back(person: Person, request: ReceivedRequest) -> bool:
    """Whether it was refused to the worker who is beside the person, and reads this screen: they
    do not learn of it there either (invariant 7)."""
    return (
        person.beside is not None
        and person.beside.id == request.requester_id
        and request.state in ("refused", "not_me")
    )


async def see_sent(services: CoreServices, sender: Recipient, request_id: UUID) -> SentRequest:
    """One request, for its sender. Raises `ServiceError` `not_found`, `token_scope_missing`."""
    await decisions.check_token(services, sender, "consent_requests", Action.REQUEST)
    async with services.database.transaction() as tx:
        row = await records.request(tx, request_id)
        if row is not None and Party(row.requester_kind, row.requester_id) == sender.party:
            return await sent(services, row)
    reason = Reason.NOT_FOUND if row is None else Reason.NOT_RECIPIENT
    raise await decisions.record_refusal(services, attempt_on(row, sender, Action.REQUEST), reason)


def attempt_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> AccessAttempt:
    """An act on a request as its addressee's log shows it; that of another person is anonymous."""
    if row is None:
        return AccessAttempt(action=action, actor=subject.actor())
    actor = decisions.shown_to(row.person_id, subject)
    return AccessAttempt(action=action, actor=actor, person=row.person_id, request=row.id)


async def sent(services: CoreServices, row: Row[Any]) -> SentRequest:
    """A request from its row, for its sender: opened under the service's key alone, it takes the
    same time with a vault and without. Raises `RowAltered`."""
    (await services.field_encryption.row_macs()).check(REQUEST_ROW, row)
    reader = await services.field_encryption.reader(None)
    values = reader.open(SENT_REQUEST, row.id, row.sender_sealed)
    approved = row.answer == "approved"
    # Of the row's own answer only an approval is looked at: the rest is what the sender did.
    withdrawn_at = None if approved else values.get("withdrawn_at")
    return SentRequest(
        id=row.id,
        state="approved" if approved else _unapproved(row, withdrawn=withdrawn_at is not None),
        grant_id=row.grant_id if approved else None,
        asked_at=row.created_at,
        lapses_at=row.lapses_at,
        withdrawn_at=None if withdrawn_at is None else datetime.fromisoformat(withdrawn_at),
        phone=values.get("phone"),
        asked=Terms.read(values),
        meeting=UUID(values["meeting"]) if "meeting" in values else None,
        mandate=MandatePaper.read(values.get("mandate")),
    )


def _unapproved(row: Row[Any], *, withdrawn: bool) -> SentState:
    if withdrawn:
        return "withdrawn"
    return "waiting" if row.at < row.lapses_at else "lapsed"


async def received(services: CoreServices, tx: AsyncConnection, row: Row[Any]) -> ReceivedRequest:
    """A request from its row, for its person: the caller MUST have checked whose it is. Raises
    `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    macs.check(REQUEST_ROW, row)
    values = (await services.field_encryption.reader(row.person_id, tx)).open(
        CONSENT_REQUEST, row.id, row.sealed
    )
    terms = Terms.read(values)
    unanswered: Literal["waiting", "lapsed"] = "waiting" if row.at < row.lapses_at else "lapsed"
    paper = MandatePaper.read(values.get("mandate"))
    signed = None if paper is None else await mandate_records.mandate(tx, paper.id)
    if signed is not None:
        macs.check(MANDATE_ROW, signed)
    return ReceivedRequest(
        id=row.id,
        state=row.answer or unanswered,
        grant_id=row.grant_id,
        asked_at=row.created_at,
        lapses_at=row.lapses_at,
        ends_at=durations.end_of(row.at, terms.duration),
        requester_kind=row.requester_kind,
        requester_id=row.requester_id,
        requester=values["requester"],
        asked=terms,
        covers=await _covers(services, tx, row.person_id, terms.scope.document_types),
        mandate=paper,
        mandate_signed=signed is not None,
    )


async def _covers(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, codes: tuple[str, ...]
) -> tuple[CoveredType, ...]:
    tags = {code: await tags_of_type(services, person_id, code) for code in codes}
    rows = await grant_records.documents_of_types(tx, person_id, chain.from_iterable(tags.values()))
    return tuple(
        CoveredType(
            code,
            is_sensitive(code),
            tuple(row.id for row in rows if row.type_tag in of_type),
            tuple(row.id for row in rows if row.type_tag == of_type[1]),
        )
        for code, of_type in tags.items()
    )
