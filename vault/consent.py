"""Consent requests: asked of the holder of a phone, listed, seen, approved, refused, disowned.

A sender learns nothing of who holds the phone: the same answer, row, log line and message whether
or not there is a vault, and a refusal that looks like silence until the request lapses.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor
from audit.records import audit_key
from auth.desk import Desk
from auth.records.instants import hold, instant
from auth.subjects import Person, Recipient, kind_of
from base.contact import normal_phone
from base.errors import Failure, Kind
from base.ids import new_id
from storage.fields import Sealer
from vault import cursors, durations, idempotency, judging, notices
from vault.catalogue import is_sensitive
from vault.cursors import Page
from vault.grants import GrantView, Terms, issue, snapshot, type_tags, view_of
from vault.judging import NOBODY, Act, Declined
from vault.pacing import HOUR
from vault.records import grants as grant_records
from vault.records import requests as records
from vault.rules import Reason, Refused, RequestFacts, may_answer
from vault.scopes import (
    Choice,
    Holdings,
    Scope,
    check,
    check_purpose,
    check_storing,
    narrow,
    scope_of,
    shorter,
    storing,
)

LAPSES_AFTER = timedelta(days=7)
_TABLE = "consent_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks, in words: the content of its sealed row, but for the phone."""

    scope: Scope
    purpose_code: str
    purpose: str = field(repr=False)
    legal_basis: str
    duration: str
    may_store: bool
    store_for: str | None
    contact: dict[str, str] = field(repr=False)

    def values(self) -> dict[str, Any]:
        """JSON-able. Fields are only ever added."""
        return {
            "document_types": list(self.scope.document_types),
            "document_ids": [str(each) for each in self.scope.document_ids],
            "actions": [action.value for action in self.scope.actions],
            "purpose_code": self.purpose_code,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "duration": self.duration,
            "may_store": self.may_store,
            "store_for": self.store_for,
            "contact": self.contact,
        }

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Asked":
        """Out of an opened row."""
        return cls(
            scope=scope_of(
                values["document_types"], map(UUID, values["document_ids"]), values["actions"]
            ),
            purpose_code=values["purpose_code"],
            purpose=values["purpose"],
            legal_basis=values["legal_basis"],
            duration=values["duration"],
            may_store=values["may_store"],
            store_for=values["store_for"],
            contact=values["contact"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All that a sender is told at once."""

    id: UUID
    lapses_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """A request as its sender sees it: `waiting`, `approved` or `lapsed`, and nothing else.

    `phone` is the number that the sender wrote.
    """

    id: UUID
    state: Literal["waiting", "approved", "lapsed"]
    grant_id: UUID | None
    asked_at: datetime
    lapses_at: datetime
    phone: str = field(repr=False)
    asked: Asked


@dataclass(frozen=True, slots=True)
class Covered:
    """A type asked for, and which of the person's documents are of that type now."""

    type: str
    sensitive: bool
    document_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as the person sees it. `ends_at`: when a grant approved now would end."""

    id: UUID
    state: Literal["waiting", "approved", "refused", "not_me", "lapsed"]
    grant_id: UUID | None
    asked_at: datetime
    lapses_at: datetime
    ends_at: datetime
    requester: dict[str, str] = field(repr=False)
    asked: Asked
    covers: tuple[Covered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person says yes to. None: as it was asked; nothing may be wider."""

    choice: Choice = field(default_factory=Choice)
    duration: str | None = None
    may_store: bool | None = None
    covers_future: bool = False

    def values(self) -> dict[str, Any]:
        """All of it, JSON-able: what an idempotency key stands for."""
        ids = self.choice.document_ids
        return {
            "types": self.choice.document_types,
            "ids": None if ids is None else [str(each) for each in ids],
            "actions": self.choice.actions,
            "how_long": [self.duration, self.may_store, self.covers_future],
        }


async def ask(
    desk: Desk, sender: Recipient, phone: str, asked: Asked, *, idempotency_key: str | None = None
) -> Sent:
    """Ask the holder of a phone for consent; it lapses in 7 days.

    Raises `Failure`: `phone_invalid`, `unknown_document_type`, `scope_empty`, `unknown_purpose`,
    `unknown_legal_basis`, `duration_invalid`, `duration_too_long`, `store_not_asked`,
    `token_scope_missing`, `too_many_requests` (with `retry_after`), and those of
    `idempotency.claim`.
    """
    number = normal_phone(phone)
    check(asked.scope)
    check_purpose(asked.purpose_code, asked.legal_basis)
    check_storing(asked.may_store, asked.store_for)
    await judging.check_token(desk, sender, "consent_requests", Action.REQUEST)
    async with desk.database.transaction() as tx:
        outcome = await _ask(desk, tx, sender, number, asked, idempotency_key)
    if isinstance(outcome, Declined):
        raise await judging.decline(desk, outcome)
    return outcome


async def _ask(
    desk: Desk,
    tx: AsyncConnection,
    sender: Recipient,
    phone: str,
    asked: Asked,
    key: str | None,
) -> Sent | Declined:
    act = Act(
        action=Action.REQUEST,
        actor=sender.actor(),
        purpose_code=asked.purpose_code,
        purpose=asked.purpose,
    )
    claimed = await idempotency.claim(
        desk, tx, caller_id=sender.id, route="consent-requests", key=key,
        body={"phone": phone, **asked.values()},
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await _sent_before(tx, claimed.result_id)
    # 1. One request of a sender at a time, so that two at once do not both find room.
    await hold(tx, await desk.fields.tag("pace", "consent-request", sender.id.bytes))
    most = desk.settings.requests_per_hour
    wait = await records.over_the_pace(tx, sender.id, most=most, within=HOUR)
    if wait is not None:
        return Declined(act, Reason.PACED, wait)
    # 2. The vault of that phone, if any; one being opened at this moment is waited for.
    phone_tag = await desk.fields.tag("phone", phone)
    await hold(tx, phone_tag)
    person = await records.addressee(tx, phone_tag)
    person_id: UUID | None = None if person is None else person.id
    # 3. The same row, line and message either way. A crash before the commit leaves none of them.
    at = await instant(tx)
    durations.grant_end(at, asked.duration)
    request_id = new_id()
    await _look_for_audit_key(desk, tx, person_id, at)
    sealer = await desk.fields.afresh(person_id, tx)
    await records.add_request(
        tx,
        id=request_id,
        requester_kind=kind_of(sender),
        requester_id=sender.id,
        organisation_id=sender.organisation_id,
        phone_tag=phone_tag,
        person_id=person_id,
        sealed=sealer.seal(
            _TABLE,
            request_id,
            {**asked.values(), "phone": phone, "requester": snapshot(sender)},
        ),
        created_at=at,
        lapses_at=at + LAPSES_AFTER,
    )
    await judging.allow(desk, tx, at, replace(act, person=person_id, request=request_id))
    language = "fr" if person is None else person.language
    await notices.request_waits(desk, tx, phone, sender, language=language)
    await idempotency.keep(tx, claimed, request_id)
    return Sent(id=request_id, lapses_at=at + LAPSES_AFTER)


async def list_received(
    desk: Desk, person: Person, *, limit: int = 50, cursor: str | None = None
) -> Page[ReceivedRequest]:
    """What the person was asked: what waits first, then the newest."""
    after = cursors.read(cursor)
    async with desk.database.transaction() as tx:
        rows = await records.of_person(tx, person.id, after=after, limit=limit)
        items = [await _received(desk, tx, row) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (row.rank, row.id)))


async def list_sent(
    desk: Desk, sender: Recipient, *, limit: int = 50, cursor: str | None = None
) -> Page[SentRequest]:
    """What a worker or a client asked, newest first."""
    after = cursors.read(cursor)
    async with desk.database.transaction() as tx:
        rows = await records.of_requester(tx, kind_of(sender), sender.id, after=after, limit=limit)
        items = [await _sent(desk, tx, row) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def see_received(desk: Desk, person: Person, request_id: UUID) -> ReceivedRequest:
    """One request, to the person it was put to. Raises `Failure` `not_found`."""
    async with desk.database.transaction() as tx:
        row = await records.request(tx, request_id)
        if row is not None and row.person_id == person.id:
            return await _received(desk, tx, row)
    reason = Reason.NOT_FOUND if row is None else Reason.NOT_ADDRESSEE
    raise await judging.refuse(desk, _act_on(row, person, Action.REQUEST), reason)


async def see_sent(desk: Desk, sender: Recipient, request_id: UUID) -> SentRequest:
    """One request, to the one who sent it. Raises `Failure` `not_found`."""
    async with desk.database.transaction() as tx:
        row = await records.request(tx, request_id)
        if row is not None and (row.requester_kind, row.requester_id) == (
            kind_of(sender),
            sender.id,
        ):
            return await _sent(desk, tx, row)
    reason = Reason.NOT_FOUND if row is None else Reason.NOT_RECIPIENT
    raise await judging.refuse(desk, _act_on(row, sender, Action.REQUEST), reason)


async def approve(
    desk: Desk,
    person: Person,
    request_id: UUID,
    approval: Approval,
    *,
    idempotency_key: str | None = None,
) -> GrantView:
    """Say yes, maybe to less: makes the grant, to the one who asked and nobody else.

    Raises `Failure`: `not_found`, `request_answered`, `request_lapsed`, `scope_widened`,
    `unknown_document`, `sensitive_by_type`, `nothing_granted`, `duration_invalid`,
    `duration_too_long`, and those of `idempotency.claim`.
    """
    async with desk.database.transaction() as tx:
        outcome = await _approve(desk, tx, person, request_id, approval, idempotency_key)
    if isinstance(outcome, Declined):
        raise await judging.decline(desk, outcome)
    return outcome


async def _approve(
    desk: Desk,
    tx: AsyncConnection,
    person: Person,
    request_id: UUID,
    approval: Approval,
    key: str | None,
) -> GrantView | Declined:
    claimed = await idempotency.claim(
        desk, tx, caller_id=person.id, route=f"approve/{request_id}", key=key,
        body=approval.values(),
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await view_of(desk, tx, claimed.result_id)
    # 1. The row under lock: of two answers at once, one waits and finds the other's.
    answerable = await _answerable(tx, person, request_id, Action.APPROVE)
    if isinstance(answerable, Declined):
        return answerable
    row, act = answerable
    values = (await desk.fields.of(person.id, tx)).open(_TABLE, row.id, row.sealed)
    asked = Asked.read(values)
    act = replace(act, purpose_code=asked.purpose_code, purpose=asked.purpose)
    # 2. Never wider than what was asked.
    terms = await _terms(desk, tx, person.id, row.at, asked, values["requester"], approval)
    if isinstance(terms, Refused):
        return Declined(act, terms.reason)
    # 3. Grant, answer and line in one commit. A crash before it leaves the request waiting.
    await records.answer(tx, row.id, "approved")
    view = await issue(
        desk, tx, person.id, recipient=(row.requester_kind, row.requester_id),
        organisation_id=row.organisation_id, terms=terms, covers_future=approval.covers_future,
        at=row.at, act=act, request_id=row.id,
    )  # fmt: skip
    await idempotency.keep(tx, claimed, view.id)
    return view


async def refuse(
    desk: Desk, person: Person, request_id: UUID, reason: Literal["no", "not_me"] = "no"
) -> None:
    """Say no, or "this is not me": the sender sees neither.

    Raises `Failure`: `not_found`, `request_answered`, `request_lapsed`.
    """
    action = Action.REFUSE if reason == "no" else Action.NOT_ME
    async with desk.database.transaction() as tx:
        answerable = await _answerable(tx, person, request_id, action)
        if not isinstance(answerable, Declined):
            row, act = answerable
            await records.answer(tx, row.id, "refused" if reason == "no" else "not_me")
            await judging.allow(desk, tx, row.at, act)
            return
    raise await judging.decline(desk, answerable)


async def adopt_requests(desk: Desk, tx: AsyncConnection, person_id: UUID, phone_tag: bytes) -> int:
    """Hand a vault, in the transaction that opens it, the requests that wait for its phone.

    They are sealed anew under the person's key. Gives how many.
    """
    await hold(tx, phone_tag)
    service = await desk.fields.of_service()
    own = await desk.fields.of(person_id, tx)
    rows = await records.unclaimed(tx, phone_tag)
    for row in rows:
        values = service.open(_TABLE, row.id, row.sealed)
        await records.claim(
            tx, row.id, person_id=person_id, sealed=own.seal(_TABLE, row.id, values)
        )
    return len(rows)


async def release_requests(desk: Desk, tx: AsyncConnection, person_id: UUID) -> None:
    """Before a vault is erased, give what came to nothing back to the service's key.

    Its sender goes on seeing a request without an answer: that a vault was there, and is no more,
    is not theirs to learn (invariant 7). What was approved goes with the vault.
    """
    service = await desk.fields.of_service()
    own = await desk.fields.of(person_id, tx)
    for row in await records.fruitless(tx, person_id):
        values = own.open(_TABLE, row.id, row.sealed)
        sealed = service.seal(_TABLE, row.id, values)
        await records.claim(tx, row.id, person_id=None, sealed=sealed)


async def _answerable(
    tx: AsyncConnection, person: Person, request_id: UUID, action: Action
) -> tuple[Row[Any], Act] | Declined:
    row = await records.to_be_answered(tx, request_id)
    act = _act_on(row, person, action)
    if row is None:
        return Declined(act, Reason.NOT_FOUND)
    judged = may_answer(
        RequestFacts(row.person_id, row.answer, row.lapses_at), person_id=person.id, now=row.at
    )
    return Declined(act, judged.reason) if isinstance(judged, Refused) else (row, act)


async def _terms(
    desk: Desk,
    tx: AsyncConnection,
    person_id: UUID,
    at: datetime,
    asked: Asked,
    requester: dict[str, str],
    approval: Approval,
) -> Terms | Refused:
    """What the grant will say, or the first way in which it would be wider than what was asked."""
    choice = approval.choice
    wanted = asked.scope.document_ids if choice.document_ids is None else choice.document_ids
    tags = await type_tags(desk, person_id, asked.scope.document_types)
    held = await grant_records.held(tx, person_id, wanted)
    holdings = Holdings(
        theirs=frozenset(row.id for row in held),
        of_asked_types=frozenset(row.id for row in held if row.type_tag in tags),
    )
    scope = narrow(asked.scope, choice, holdings)
    duration = shorter(at, asked.duration, approval.duration)
    may_store = storing(asked.may_store, approval.may_store)
    for part in (scope, duration, may_store):
        if isinstance(part, Refused):
            return part
    assert isinstance(scope, Scope)  # noqa: S101  (the loop above; mypy reads one at a time)
    assert isinstance(duration, str)  # noqa: S101  (idem)
    assert isinstance(may_store, bool)  # noqa: S101  (idem)
    return Terms(
        scope=scope,
        purpose_code=asked.purpose_code,
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        duration=duration,
        may_store=may_store,
        store_for=asked.store_for if may_store else None,
        contact=asked.contact,
        recipient=requester,
    )


def _act_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> Act:
    """An act on a request as its addressee's log shows it; a stranger's line names nobody."""
    if row is None:
        return Act(action=action, actor=subject.actor())
    stranger = isinstance(subject, Person) and subject.id != row.person_id
    actor: Actor = NOBODY if stranger else subject.actor()
    return Act(action=action, actor=actor, person=row.person_id, request=row.id)


async def _sealer(desk: Desk, tx: AsyncConnection, person_id: UUID | None) -> Sealer:
    if person_id is None:
        return await desk.fields.of_service()
    return await desk.fields.of(person_id, tx)


async def _look_for_audit_key(
    desk: Desk, tx: AsyncConnection, person_id: UUID | None, at: datetime
) -> None:
    """Have the database asked for one audit key, whether or not someone is there and was seen
    lately: a stranger times the answer."""
    if person_id is None:
        await audit_key(tx, new_id(), at.year)
    else:
        desk.ledger.forget(person_id)


async def _sent_before(tx: AsyncConnection, request_id: UUID) -> Sent:
    row = await records.request(tx, request_id)
    if row is None:
        raise Failure(Kind.INVALID, "idempotency_key_reused")
    return Sent(id=row.id, lapses_at=row.lapses_at)


async def _sent(desk: Desk, tx: AsyncConnection, row: Row[Any]) -> SentRequest:
    values = (await _sealer(desk, tx, row.person_id)).open(_TABLE, row.id, row.sealed)
    approved = row.answer == "approved"
    state: Literal["waiting", "lapsed"] = "waiting" if row.at < row.lapses_at else "lapsed"
    return SentRequest(
        id=row.id,
        state="approved" if approved else state,
        grant_id=row.grant_id if approved else None,
        asked_at=row.created_at,
        lapses_at=row.lapses_at,
        phone=values["phone"],
        asked=Asked.read(values),
    )


async def _received(desk: Desk, tx: AsyncConnection, row: Row[Any]) -> ReceivedRequest:
    values = (await desk.fields.of(row.person_id, tx)).open(_TABLE, row.id, row.sealed)
    asked = Asked.read(values)
    silent: Literal["waiting", "lapsed"] = "waiting" if row.at < row.lapses_at else "lapsed"
    return ReceivedRequest(
        id=row.id,
        state=row.answer or silent,
        grant_id=row.grant_id,
        asked_at=row.created_at,
        lapses_at=row.lapses_at,
        ends_at=durations.end_of(row.at, asked.duration),
        requester=values["requester"],
        asked=asked,
        covers=await _covers(desk, tx, row.person_id, asked.scope.document_types),
    )


async def _covers(
    desk: Desk, tx: AsyncConnection, person_id: UUID, codes: tuple[str, ...]
) -> tuple[Covered, ...]:
    tags = await type_tags(desk, person_id, codes)
    rows = await grant_records.held_of_types(tx, person_id, tags)
    return tuple(
        Covered(code, is_sensitive(code), tuple(row.id for row in rows if row.type_tag == tag))
        for tag, code in tags.items()
    )
