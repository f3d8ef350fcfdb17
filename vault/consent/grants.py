"""Grants as both sides see them: listing, reading, ending: revoked by the person, or given back.

A list shows the terms of grants and no document, and is not recorded. Reading one grant or its
receipt is recorded, and so is every refusal.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.services import CoreServices
from auth.subjects import Party, Person, Recipient, Worker
from base.database import notify
from base.db_time import instant
from base.ids import new_id
from base.key_names import GRANT
from vault import cursors, decisions
from vault.consent import consent_evidence
from vault.consent.consent_acts import ConsentAct
from vault.consent.consent_evidence import Change, EvidenceView, Receiver
from vault.consent.records import grants as records
from vault.consent.terms import Terms
from vault.consent.token_scope import grant_actions
from vault.cursors import Page, Position
from vault.decisions import AccessAttempt, Denial
from vault.revocations import CHANNEL
from vault.rules import Refused, may_revoke, may_see, reason_of, state_of
from vault.tables import GRANT_ROW

EndedBy = Literal["owner", "recipient", "service"]
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """A grant as both sides see it. `recipient`: who they were on the day it was given. `ended_by`:
    who ended it before its end, if anyone did; `service`: it showed nothing more. `as_of`: when it
    was so, by the database's clock. `evidence_id`: of the act by which it was given; none of grants
    of before. `mandate_id`: of the paper that was signed for it."""

    id: UUID
    request_id: UUID | None
    state: Literal["live", "expired", "revoked"]
    recipient_kind: str
    recipient_id: UUID
    recipient: dict[str, str] = field(repr=False)
    covers_future: bool
    given_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    ended_by: EndedBy | None
    as_of: datetime = field(compare=False, repr=False)
    terms: Terms
    evidence_id: UUID | None = None
    mandate_id: UUID | None = None


async def list_grants(
    services: CoreServices,
    subject: Person | Recipient,
    *,
    state: Literal["live", "ended"] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[GrantView]:
    """The caller's grants, given or received, newest first; a client's, those that its access token
    names. Raises `ServiceError`
    `cursor_invalid`."""
    after = cursors.read(cursor)
    async with services.database.transaction() as tx:
        if isinstance(subject, Person):
            rows = await records.grants_of_person(
                tx, subject.id, state=state, after=after, limit=limit
            )
        else:
            rows = await records.grants_of_recipient(
                tx,
                subject.party,
                grant_actions(subject),
                state=state,
                after=after,
                limit=limit,
            )
        items = [await opened(services, row, tx) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def find(services: CoreServices, worker: Worker, grant_id: UUID) -> GrantView | None:
    """One of a worker's grants as their list shows it, live or ended, which is not recorded; None
    for any other. Raises `RowAltered`."""
    async with services.database.transaction() as tx:
        row = await records.grant(tx, grant_id)
        if row is None or Party(row.recipient_kind, row.recipient_id) != worker.party:
            return None
        return await opened(services, row, tx)


async def live_from(services: CoreServices, worker: Worker, person_id: UUID) -> list[GrantView]:
    """A worker's living grants from one person, newest first; as the list, not recorded. Raises
    `RowAltered`."""
    async with services.database.transaction() as tx:
        rows = await records.grants_from(tx, worker.id, [person_id])
        live = [row for row in rows if state_of(row.revoked_at, row.ends_at, row.at) == "live"]
        return [await opened(services, row, tx) for row in live]


async def live_on(
    services: CoreServices, person: Person, document_id: UUID, *, limit: int = 100
) -> list[GrantView]:
    """The person's living grants that show one of their documents, or that it exists; newest
    first."""
    async with services.database.transaction() as tx:
        rows = await records.grants_covering(tx, person.id, document_id, limit=limit)
        return [await opened(services, row, tx) for row in rows]


async def see(services: CoreServices, subject: Person | Recipient, grant_id: UUID) -> GrantView:
    """One grant, for either side, live or ended; recorded. Raises `ServiceError` `not_found`."""
    return await decisions.decide(services, lambda tx: _see(services, tx, subject, grant_id))


async def see_with_evidence(
    services: CoreServices, subject: Person | Recipient, grant_id: UUID
) -> tuple[GrantView, list[EvidenceView]]:
    """`see`, and the acts by which it was given and ended, as they were at the same moment."""

    async def judge(tx: AsyncConnection) -> tuple[GrantView, list[EvidenceView]] | Denial:
        seen = await _see(services, tx, subject, grant_id)
        if isinstance(seen, Denial):
            return seen
        row = await records.grant(tx, grant_id)
        assert row is not None  # noqa: S101  (it was seen)
        acts = await consent_evidence.evidence_of(
            services, tx, grant_id=grant_id, person_id=row.person_id, named=seen.evidence_id
        )
        return seen, acts

    return await decisions.decide(services, judge)


async def _see(
    services: CoreServices, tx: AsyncConnection, subject: Person | Recipient, grant_id: UUID
) -> GrantView | Denial:
    row = await records.grant(tx, grant_id)
    attempt = attempt_on(row, subject, Action.GRANT_SEEN)
    facts = records.grant_facts(await services.field_encryption.row_macs(), row)
    # Before anything of it is opened: what the token does not name costs what is not there costs.
    judgement = may_see(facts, caller=subject.party, able=grant_actions(subject))
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, reason_of(judgement))
    view = await opened(services, row, tx)
    await decisions.record_allowed(services, tx, row.at, _with_purpose(attempt, view.terms))
    return view


async def revoke(
    services: CoreServices, person: Person, grant_id: UUID, act: ConsentAct | None = None
) -> GrantView:
    """Revoke a grant, at once and for good; a second call gives the same answer, and of one that is
    over nothing changes.

    Running downloads are notified when the transaction commits and stop within a second. Raises
    `ServiceError` `not_found`.
    """
    return await decisions.decide(
        services, lambda tx: revoke_within(services, tx, person, grant_id, act)
    )


async def revoke_all(services: CoreServices, person: Person, act: ConsentAct | None = None) -> int:
    """Revoke every living grant of a person, each with its own entry in the log; returns how many.

    Each is a commit of its own: a crash leaves the first ones ended, and a second call ends the
    rest.
    """
    ended = 0
    while live := (await list_grants(services, person, state="live", limit=100)).items:
        for grant in live:
            await revoke(services, person, grant.id, act)
        ended += len(live)
    return ended


async def revoke_all_to(
    services: CoreServices, person: Person, recipient_id: UUID, act: ConsentAct | None = None
) -> list[GrantView]:
    """Revoke every living grant of a person to one recipient, each with its own entry in the log;
    returns those that ended by it. Of whoever has none, nothing changes.

    All are one commit: a crash before it leaves all of them live.
    """
    return await decisions.decide(
        services, lambda tx: _revoke_all_to(services, tx, person, recipient_id, act)
    )


async def _revoke_all_to(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    recipient_id: UUID,
    act: ConsentAct | None,
) -> list[GrantView] | Denial:
    # Whoever gives, or ends all of them in another order, holds the vault too: none is missed, and
    # neither waits for what the other has.
    await hold_living_vault(tx, person.id)
    ended: list[GrantView] = []
    for grant_id in await living_ids(tx, person.id, recipient_id):
        revoked = await revoke_within(services, tx, person, grant_id, act)
        if isinstance(revoked, Denial):
            return revoked
        ended.append(revoked)
    return ended[::-1]


async def living_ids(
    tx: AsyncConnection, person_id: UUID, recipient_id: UUID | None = None
) -> list[UUID]:
    """The living grants of a person, or those to one recipient, in the order in which whoever locks
    several does it: a recipient who opens their papers at that moment would be a deadlock, and what
    ends them would fail."""
    found: list[UUID] = []
    after: Position | None = None
    while rows := await records.grants_of_person(
        tx, person_id, state="live", after=after, limit=_PAGE
    ):
        found += [row.id for row in rows if recipient_id in (None, row.recipient_id)]
        after = (0, rows[-1].id)
    return sorted(found)


async def revoke_within(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    grant_id: UUID,
    act: ConsentAct | None = None,
) -> GrantView | Denial:
    """Revoke, in the caller's transaction, who MUST undo it all where a refusal comes back."""
    row = await records.grant_to_change(tx, grant_id)
    attempt = attempt_on(row, person, Action.REVOKE)
    facts = records.grant_facts(await services.field_encryption.row_macs(), row)
    judgement = may_revoke(facts, person_id=person.id)
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, reason_of(judgement))
    if state_of(row.revoked_at, row.ends_at, row.at) == "live":
        await _end(services, tx, row, attempt, by="owner")
        checked = await consent_evidence.check_act(
            services, tx, person, act, Receiver(row.organisation_id)
        )
        change = Change(new_id(), row.id, person.id, "revoked", await instant(tx))
        await consent_evidence.add(services, tx, checked, change, {"revoke": str(row.id)})
    return await view_of(services, tx, grant_id)


async def give_back(services: CoreServices, recipient: Recipient, grant_id: UUID) -> GrantView:
    """End a grant from its recipient's side, at once and for good, as a revocation does; of one
    that has ended, nothing changes. Its person sees who ended it, and when. A client gives back
    what its access token lets it see. Raises `ServiceError` `not_found`.
    """
    return await decisions.decide(
        services, lambda tx: _give_back(services, tx, recipient, grant_id)
    )


async def _give_back(
    services: CoreServices, tx: AsyncConnection, recipient: Recipient, grant_id: UUID
) -> GrantView | Denial:
    row = await records.grant_to_change(tx, grant_id)
    attempt = attempt_on(row, recipient, Action.GIVE_BACK)
    facts = records.grant_facts(await services.field_encryption.row_macs(), row)
    judgement = may_see(facts, caller=recipient.party, able=grant_actions(recipient))
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, reason_of(judgement))
    if state_of(row.revoked_at, row.ends_at, row.at) == "live":
        await _end(services, tx, row, attempt, by=recipient.party.kind)
    return await view_of(services, tx, grant_id)


async def _end(
    services: CoreServices,
    tx: AsyncConnection,
    row: Row[Any],
    attempt: AccessAttempt,
    *,
    by: str,
) -> None:
    """End a locked grant, and record it. Row, history and event are one commit: a crash before it
    leaves the grant live."""
    view = await opened(services, row, tx)
    await records.revoke_grant(tx, row.id, by=by)
    # Read the time again: `row.at` is from before the wait for reads being judged, which the log
    # would show as later than the end.
    await decisions.record_allowed(
        services, tx, await instant(tx), _with_purpose(attempt, view.terms)
    )
    # Sent at commit, never before: a process that receives it reads the grant as ended.
    await notify(tx, CHANNEL, str(row.id))


async def view_of(services: CoreServices, tx: AsyncConnection, grant_id: UUID) -> GrantView:
    """The current state of a grant. The caller MUST have checked that it may be seen."""
    row = await records.grant(tx, grant_id)
    if row is None:
        raise LookupError("a grant vanished within its transaction")
    return await opened(services, row, tx)


def attempt_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> AccessAttempt:
    """An act on a grant as the owner's log shows it; the event of another person is anonymous."""
    if row is None:
        return AccessAttempt(action=action, actor=subject.actor())
    actor = decisions.shown_to(row.person_id, subject)
    return AccessAttempt(action=action, actor=actor, person=row.person_id, grant=row.id)


def _with_purpose(attempt: AccessAttempt, terms: Terms) -> AccessAttempt:
    return replace(attempt, purpose_code=terms.purpose_code, purpose=terms.purpose)


async def opened(
    services: CoreServices, row: Row[Any], tx: AsyncConnection | None = None
) -> GrantView:
    """A grant from its row. The caller MUST have checked that it may be seen. Raises
    `RowAltered`."""
    (await services.field_encryption.row_macs()).check(GRANT_ROW, row)
    reader = await services.field_encryption.reader(row.person_id, tx)
    values = reader.open(GRANT, row.id, row.sealed)
    return GrantView(
        id=row.id,
        request_id=row.request_id,
        state=state_of(row.revoked_at, row.ends_at, row.at),
        recipient_kind=row.recipient_kind,
        recipient_id=row.recipient_id,
        recipient=values["recipient"],
        covers_future=row.covers_future,
        given_at=row.given_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        ended_by=_ended_by(row),
        as_of=row.at,
        terms=Terms.read(values),
        evidence_id=_id_or_none(values.get("evidence")),
        mandate_id=_id_or_none(values.get("mandate")),
    )


def _id_or_none(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _ended_by(row: Row[Any]) -> EndedBy | None:
    if row.revoked_at is None:
        return None
    who: dict[str | None, EndedBy] = {
        "worker": "recipient",
        "client": "recipient",
        "service": "service",
    }
    return who.get(row.ended_by, "owner")
