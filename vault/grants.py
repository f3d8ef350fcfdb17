"""Grants: given unasked, listed, seen, taken back, and their receipt.

Lists show the terms of grants and no document: they are not recorded one by one. Seeing one
grant, its receipt, and every refusal are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import profiles
from auth.compact import is_name
from auth.desk import Desk
from auth.records import recipients
from auth.records.instants import instant
from auth.subjects import Person, Recipient, kind_of
from base.contact import normal_email
from base.database import notify
from base.ids import new_id
from vault import cursors, durations, idempotency, judging, pacing
from vault.catalogue import GRANT_BASIS
from vault.cursors import Page
from vault.judging import Act, Declined
from vault.records import grants as records
from vault.revocations import GRANTS
from vault.rules import GrantAction, Reason, Refused, may_revoke, may_see, state_of
from vault.scopes import Scope, check, check_purpose, check_storing, given
from vault.terms import Terms

_TABLE = "grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """A grant as its two sides see it. `recipient`: who they were on the day it was given."""

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
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom a person gives to: one of the three."""

    worker_id: UUID | None = None
    worker_email: str | None = field(default=None, repr=False)
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What a person gives unasked."""

    recipient: Named
    scope: Scope
    purpose_code: str
    purpose: str = field(repr=False)
    duration: str
    may_store: bool = False
    store_for: str | None = None
    covers_future: bool = False

    def values(self) -> dict[str, Any]:
        """All of it, JSON-able: what an idempotency key stands for."""
        to = self.recipient
        return {
            "to": [str(to.worker_id), to.worker_email, to.client_id],
            "types": self.scope.document_types,
            "ids": [str(each) for each in self.scope.document_ids],
            "actions": self.scope.actions,
            "why": [self.purpose_code, self.purpose],
            "how_long": [self.duration, self.may_store, self.store_for, self.covers_future],
        }


async def give(
    desk: Desk, person: Person, gift: Gift, *, idempotency_key: str | None = None
) -> GrantView:
    """Give a grant that nobody asked for.

    Raises `Failure`: `unknown_document_type`, `unknown_purpose`, `scope_empty`,
    `sensitive_by_type`, `unknown_document`, `unknown_recipient`, `duration_invalid`,
    `duration_too_long`, `too_many_requests`, and those of `idempotency.claim`.
    """
    check(gift.scope)
    check_purpose(gift.purpose_code, GRANT_BASIS)
    check_storing(gift.may_store, gift.store_for)
    email = gift.recipient.worker_email and normal_email(gift.recipient.worker_email)
    act = Act(
        action=Action.GIVE,
        actor=person.actor(),
        person=person.id,
        purpose_code=gift.purpose_code,
        purpose=gift.purpose,
    )
    # 1. Paced, before the recipient is looked up: this tells who works here.
    wait = await pacing.take(desk, person.id, "give", desk.settings.requests_per_hour)
    if wait is not None:
        raise await judging.refuse(desk, act, Reason.PACED, retry_after=wait)
    # 2. Judged, kept and recorded in one commit. A crash before it leaves nothing given.
    async with desk.database.transaction() as tx:
        outcome = await _give(desk, tx, person, gift, email, act, idempotency_key)
    if isinstance(outcome, Declined):
        raise await judging.decline(desk, outcome)
    return outcome


async def _give(
    desk: Desk,
    tx: AsyncConnection,
    person: Person,
    gift: Gift,
    email: str | None,
    act: Act,
    key: str | None,
) -> GrantView | Declined:
    claimed = await idempotency.claim(
        desk, tx, caller_id=person.id, route="grants", key=key, body=gift.values()
    )
    if claimed is not None and claimed.result_id is not None:
        return await view_of(desk, tx, claimed.result_id)
    scope = given(gift.scope)
    if isinstance(scope, Refused):
        return Declined(act, scope.reason)
    held = await records.held(tx, person.id, scope.document_ids)
    if len(held) != len(scope.document_ids):
        return Declined(act, Reason.UNKNOWN_DOCUMENT)
    recipient = await _recipient(desk, tx, gift.recipient, email)
    if recipient is None:
        return Declined(act, Reason.UNKNOWN_RECIPIENT)
    terms = Terms(
        scope=scope,
        purpose_code=gift.purpose_code,
        purpose=gift.purpose,
        legal_basis=GRANT_BASIS,
        duration=gift.duration,
        may_store=gift.may_store,
        store_for=gift.store_for,
        contact={},
    )
    view = await issue(
        desk, tx, person.id, recipient=(kind_of(recipient), recipient.id),
        organisation_id=recipient.organisation_id, shown=snapshot(recipient), terms=terms,
        covers_future=gift.covers_future, at=await instant(tx), act=act,
    )  # fmt: skip
    await idempotency.keep(tx, claimed, view.id)
    return view


async def issue(
    desk: Desk,
    tx: AsyncConnection,
    person_id: UUID,
    *,
    recipient: tuple[str, UUID],
    organisation_id: UUID,
    shown: dict[str, str],
    terms: Terms,
    covers_future: bool,
    at: datetime,
    act: Act,
    request_id: UUID | None = None,
) -> GrantView:
    """Make a grant and record it, in the caller's transaction: scope and documents are checked.

    `shown`: the recipient's `snapshot`, as the person saw it.
    Raises `Failure` `duration_too_long` beyond twelve months, `duration_invalid`.
    """
    grant_id = new_id()
    scope = terms.scope
    sealer = await desk.fields.of(person_id, tx)
    values: dict[str, Any] = {
        "id": grant_id,
        "person_id": person_id,
        "request_id": request_id,
        "recipient_kind": recipient[0],
        "recipient_id": recipient[1],
        "organisation_id": organisation_id,
        "may_attest": GrantAction.ATTEST in scope.actions,
        "may_read": GrantAction.READ in scope.actions,
        "may_deposit": GrantAction.DEPOSIT in scope.actions,
        "covers_future": covers_future,
        "given_at": at,
        "ends_at": durations.grant_end(at, terms.duration),
        "sealed": sealer.seal(_TABLE, grant_id, {**terms.values(), "recipient": shown}),
    }
    await records.add_grant(
        tx,
        values,
        type_tags=[await type_tag(desk, person_id, code) for code in scope.document_types],
        document_ids=scope.document_ids,
        step="given" if request_id is None else "approved",
    )
    await judging.allow(desk, tx, at, replace(act, grant=grant_id, documents=scope.document_ids))
    return GrantView(
        id=grant_id,
        request_id=request_id,
        state=state_of(None, values["ends_at"], at),
        recipient_kind=recipient[0],
        recipient_id=recipient[1],
        recipient=shown,
        covers_future=covers_future,
        given_at=at,
        ends_at=values["ends_at"],
        revoked_at=None,
        terms=terms,
    )


async def list_grants(
    desk: Desk,
    subject: Person | Recipient,
    *,
    state: Literal["live", "ended"] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[GrantView]:
    """The caller's grants, given or received, newest first. Raises `Failure` `cursor_invalid`."""
    after = cursors.read(cursor)
    async with desk.database.transaction() as tx:
        if isinstance(subject, Person):
            rows = await records.of_person(tx, subject.id, state=state, after=after, limit=limit)
        else:
            rows = await records.of_recipient(
                tx, kind_of(subject), subject.id, state=state, after=after, limit=limit
            )
        items = [await _view(desk, tx, row) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def see(desk: Desk, subject: Person | Recipient, grant_id: UUID) -> GrantView:
    """One grant, to either of its sides, live or over; recorded. Raises `Failure` `not_found`."""
    async with desk.database.transaction() as tx:
        outcome = await _see(desk, tx, subject, grant_id)
    if isinstance(outcome, Declined):
        raise await judging.decline(desk, outcome)
    return outcome


async def _see(
    desk: Desk, tx: AsyncConnection, subject: Person | Recipient, grant_id: UUID
) -> GrantView | Declined:
    row = await records.seen(tx, grant_id)
    act = act_on(row, subject, Action.GRANT_SEEN)
    is_person = isinstance(subject, Person)
    judged = may_see(
        None if row is None else records.facts(row),
        person_id=subject.id if is_person else None,
        recipient_kind="" if isinstance(subject, Person) else kind_of(subject),
        recipient_id=subject.id,
    )
    if isinstance(judged, Refused) or row is None:
        return Declined(act, judged.reason if isinstance(judged, Refused) else Reason.NOT_FOUND)
    view = await _view(desk, tx, row)
    await judging.allow(desk, tx, row.at, _why(act, view.terms))
    return view


async def revoke(desk: Desk, person: Person, grant_id: UUID) -> GrantView:
    """Take a grant back, at once and for good; a second time answers the same.

    Downloads under way hear of it when the transaction commits and stop within a second. Raises
    `Failure` `not_found`.
    """
    async with desk.database.transaction() as tx:
        outcome = await _revoke(desk, tx, person, grant_id)
    if isinstance(outcome, Declined):
        raise await judging.decline(desk, outcome)
    return outcome


async def _revoke(
    desk: Desk, tx: AsyncConnection, person: Person, grant_id: UUID
) -> GrantView | Declined:
    row = await records.locked(tx, grant_id)
    act = act_on(row, person, Action.REVOKE)
    judged = may_revoke(None if row is None else records.facts(row), person_id=person.id)
    if isinstance(judged, Refused) or row is None:
        return Declined(act, judged.reason if isinstance(judged, Refused) else Reason.NOT_FOUND)
    if row.revoked_at is None:
        view = await _view(desk, tx, row)
        await records.revoke(tx, grant_id)
        # Read again: `row.at` is from before the wait for the reads that were being judged, which
        # the log would show as later than this.
        await judging.allow(desk, tx, await instant(tx), _why(act, view.terms))
        # Told at commit, never before: a process that hears it reads the grant as revoked.
        await notify(tx, GRANTS, str(grant_id))
    return await view_of(desk, tx, grant_id)


async def view_of(desk: Desk, tx: AsyncConnection, grant_id: UUID) -> GrantView:
    """A grant already judged to be the caller's, as it stands in this transaction."""
    row = await records.seen(tx, grant_id)
    if row is None:
        raise LookupError("a grant vanished within its transaction")
    return await _view(desk, tx, row)


async def type_tag(desk: Desk, person_id: UUID, code: str) -> bytes:
    """The keyed tag of a document type in one person's vault."""
    return await desk.fields.tag("document-type", person_id.bytes, code)


async def type_tags(desk: Desk, person_id: UUID, codes: Iterable[str]) -> dict[bytes, str]:
    """The type behind each tag, for some types of one person."""
    return {await type_tag(desk, person_id, code): code for code in codes}


def act_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> Act:
    """An act on a grant as the log of its giver shows it; a stranger's line names nobody."""
    if row is None:
        return Act(action=action, actor=subject.actor())
    actor = judging.shown_to(row.person_id, subject)
    return Act(action=action, actor=actor, person=row.person_id, grant=row.id)


def snapshot(recipient: Recipient) -> dict[str, str]:
    """Who a recipient is on the day of the grant: what the receipt will say in ten years."""
    return {
        "name": recipient.name,
        "job": recipient.job,
        "organisation": recipient.organisation,
        "contact": recipient.contact,
    }


async def _recipient(
    desk: Desk, tx: AsyncConnection, named: Named, email: str | None
) -> Recipient | None:
    """An active worker or client, or None."""
    if named.client_id is not None:
        # What cannot be an identifier (a NUL, which PostgreSQL takes in no text) names nobody.
        row = await recipients.client(tx, named.client_id) if is_name(named.client_id) else None
        return None if row is None else await profiles.client(desk, row)
    if named.worker_id is not None:
        row = await recipients.worker(tx, named.worker_id)
    else:
        row = await recipients.worker_by_email(tx, await desk.fields.tag("email", email or ""))
    if row is None:
        return None
    return await profiles.worker(
        desk, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


def _why(act: Act, terms: Terms) -> Act:
    return replace(act, purpose_code=terms.purpose_code, purpose=terms.purpose)


async def _view(desk: Desk, tx: AsyncConnection, row: Row[Any]) -> GrantView:
    values = (await desk.fields.of(row.person_id, tx)).open(_TABLE, row.id, row.sealed)
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
        terms=Terms.read(values),
    )
