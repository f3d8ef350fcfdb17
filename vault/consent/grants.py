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
from auth.oauth.jws import is_name
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Person, Recipient, kind_of
from base.contact import normal_email
from base.database import notify
from base.db_time import instant
from base.ids import new_id
from vault import cursors, decisions, durations, idempotency, rate_limit
from vault.catalogue import GRANT_BASIS
from vault.consent import records
from vault.consent.scopes import Scope, check, check_purpose, check_storing, given
from vault.consent.terms import Terms
from vault.cursors import Page
from vault.decisions import AccessAttempt, Denial
from vault.revocations import GRANTS
from vault.rules import GrantAction, Reason, Refused, may_revoke, may_see, state_of

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
class RecipientRef:
    """Whom a person gives to: one of the three."""

    worker_id: UUID | None = None
    worker_email: str | None = field(default=None, repr=False)
    client_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDraft:
    """What a person gives unasked."""

    recipient: RecipientRef
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
    services: CoreServices, person: Person, draft: GrantDraft, *, idempotency_key: str | None = None
) -> GrantView:
    """Give a grant that nobody asked for.

    Raises `ServiceError`: `unknown_document_type`, `unknown_purpose`, `scope_empty`,
    `sensitive_by_type`, `unknown_document`, `unknown_recipient`, `duration_invalid`,
    `duration_too_long`, `too_many_requests`, and those of `idempotency.claim`.
    """
    check(draft.scope)
    check_purpose(draft.purpose_code, GRANT_BASIS)
    check_storing(draft.may_store, draft.store_for)
    email = draft.recipient.worker_email and normal_email(draft.recipient.worker_email)
    attempt = AccessAttempt(
        action=Action.GIVE,
        actor=person.actor(),
        person=person.id,
        purpose_code=draft.purpose_code,
        purpose=draft.purpose,
    )
    # 1. Paced, before the recipient is looked up: this tells who works here.
    wait = await rate_limit.take_attempt(
        services, person.id, "give", services.settings.requests_per_hour
    )
    if wait is not None:
        raise await decisions.record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    # 2. Judged, kept and recorded in one commit. A crash before it leaves nothing given.
    async with services.database.transaction() as tx:
        outcome = await _give(services, tx, person, draft, email, attempt, idempotency_key)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


async def _give(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    draft: GrantDraft,
    email: str | None,
    attempt: AccessAttempt,
    key: str | None,
) -> GrantView | Denial:
    claimed = await idempotency.claim(
        services, tx, caller_id=person.id, route="grants", key=key, body=draft.values()
    )
    if claimed is not None and claimed.result_id is not None:
        return await view_of(services, tx, claimed.result_id)
    scope = given(draft.scope)
    if isinstance(scope, Refused):
        return Denial(attempt, scope.reason)
    held = await records.held_documents(tx, person.id, scope.document_ids)
    if len(held) != len(scope.document_ids):
        return Denial(attempt, Reason.UNKNOWN_DOCUMENT)
    recipient = await _recipient(services, tx, draft.recipient, email)
    if recipient is None:
        return Denial(attempt, Reason.UNKNOWN_RECIPIENT)
    terms = Terms(
        scope=scope,
        purpose_code=draft.purpose_code,
        purpose=draft.purpose,
        legal_basis=GRANT_BASIS,
        duration=draft.duration,
        may_store=draft.may_store,
        store_for=draft.store_for,
        contact={},
    )
    view = await issue(
        services, tx, person.id, recipient=(kind_of(recipient), recipient.id),
        organisation_id=recipient.organisation_id, shown=snapshot(recipient), terms=terms,
        covers_future=draft.covers_future, at=await instant(tx), attempt=attempt,
    )  # fmt: skip
    await idempotency.keep(tx, claimed, view.id)
    return view


async def issue(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    *,
    recipient: tuple[str, UUID],
    organisation_id: UUID,
    shown: dict[str, str],
    terms: Terms,
    covers_future: bool,
    at: datetime,
    attempt: AccessAttempt,
    request_id: UUID | None = None,
) -> GrantView:
    """Make a grant and record it, in the caller's transaction: scope and documents are checked.

    `shown`: the recipient's `snapshot`, as the person saw it.
    Raises `ServiceError` `duration_too_long` beyond twelve months, `duration_invalid`.
    """
    grant_id = new_id()
    scope = terms.scope
    sealer = await services.field_encryption.of(person_id, tx)
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
        type_tags=[await type_tag(services, person_id, code) for code in scope.document_types],
        document_ids=scope.document_ids,
        step="given" if request_id is None else "approved",
    )
    await decisions.record_allowed(
        services, tx, at, replace(attempt, grant=grant_id, documents=scope.document_ids)
    )
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
    services: CoreServices,
    subject: Person | Recipient,
    *,
    state: Literal["live", "ended"] | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[GrantView]:
    """The caller's grants, given or received, newest first. Raises `ServiceError`
    `cursor_invalid`."""
    after = cursors.read(cursor)
    async with services.database.transaction() as tx:
        if isinstance(subject, Person):
            rows = await records.grants_of_person(
                tx, subject.id, state=state, after=after, limit=limit
            )
        else:
            rows = await records.grants_of_recipient(
                tx, kind_of(subject), subject.id, state=state, after=after, limit=limit
            )
        items = [await _view(services, tx, row) for row in rows[:limit]]
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def see(services: CoreServices, subject: Person | Recipient, grant_id: UUID) -> GrantView:
    """One grant, to either of its sides, live or over; recorded. Raises `ServiceError`
    `not_found`."""
    async with services.database.transaction() as tx:
        outcome = await _see(services, tx, subject, grant_id)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


async def _see(
    services: CoreServices, tx: AsyncConnection, subject: Person | Recipient, grant_id: UUID
) -> GrantView | Denial:
    row = await records.grant(tx, grant_id)
    attempt = attempt_on(row, subject, Action.GRANT_SEEN)
    is_person = isinstance(subject, Person)
    judged = may_see(
        None if row is None else records.grant_facts(row),
        person_id=subject.id if is_person else None,
        recipient_kind="" if isinstance(subject, Person) else kind_of(subject),
        recipient_id=subject.id,
    )
    if isinstance(judged, Refused) or row is None:
        return Denial(attempt, judged.reason if isinstance(judged, Refused) else Reason.NOT_FOUND)
    view = await _view(services, tx, row)
    await decisions.record_allowed(services, tx, row.at, _why(attempt, view.terms))
    return view


async def revoke(services: CoreServices, person: Person, grant_id: UUID) -> GrantView:
    """Take a grant back, at once and for good; a second time answers the same.

    Downloads under way hear of it when the transaction commits and stop within a second. Raises
    `ServiceError` `not_found`.
    """
    async with services.database.transaction() as tx:
        outcome = await _revoke(services, tx, person, grant_id)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


async def _revoke(
    services: CoreServices, tx: AsyncConnection, person: Person, grant_id: UUID
) -> GrantView | Denial:
    row = await records.grant_to_change(tx, grant_id)
    attempt = attempt_on(row, person, Action.REVOKE)
    judged = may_revoke(None if row is None else records.grant_facts(row), person_id=person.id)
    if isinstance(judged, Refused) or row is None:
        return Denial(attempt, judged.reason if isinstance(judged, Refused) else Reason.NOT_FOUND)
    if row.revoked_at is None:
        view = await _view(services, tx, row)
        await records.revoke_grant(tx, grant_id)
        # Read again: `row.at` is from before the wait for the reads that were being judged, which
        # the log would show as later than this.
        await decisions.record_allowed(services, tx, await instant(tx), _why(attempt, view.terms))
        # Told at commit, never before: a process that hears it reads the grant as revoked.
        await notify(tx, GRANTS, str(grant_id))
    return await view_of(services, tx, grant_id)


async def view_of(services: CoreServices, tx: AsyncConnection, grant_id: UUID) -> GrantView:
    """A grant already judged to be the caller's, as it stands in this transaction."""
    row = await records.grant(tx, grant_id)
    if row is None:
        raise LookupError("a grant vanished within its transaction")
    return await _view(services, tx, row)


async def type_tag(services: CoreServices, person_id: UUID, code: str) -> bytes:
    """The keyed tag of a document type in one person's vault."""
    return await services.field_encryption.tag("document-type", person_id.bytes, code)


async def type_tags(
    services: CoreServices, person_id: UUID, codes: Iterable[str]
) -> dict[bytes, str]:
    """The type behind each tag, for some types of one person."""
    return {await type_tag(services, person_id, code): code for code in codes}


def attempt_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> AccessAttempt:
    """An act on a grant as the log of its giver shows it; a stranger's line names nobody."""
    if row is None:
        return AccessAttempt(action=action, actor=subject.actor())
    actor = decisions.shown_to(row.person_id, subject)
    return AccessAttempt(action=action, actor=actor, person=row.person_id, grant=row.id)


def snapshot(recipient: Recipient) -> dict[str, str]:
    """Who a recipient is on the day of the grant: what the receipt will say in ten years."""
    return {
        "name": recipient.name,
        "job": recipient.job,
        "organisation": recipient.organisation,
        "contact": recipient.contact,
    }


async def _recipient(
    services: CoreServices, tx: AsyncConnection, named: RecipientRef, email: str | None
) -> Recipient | None:
    """An active worker or client, or None."""
    if named.client_id is not None:
        # What cannot be an identifier (a NUL, which PostgreSQL takes in no text) names nobody.
        row = await recipients.client(tx, named.client_id) if is_name(named.client_id) else None
        return None if row is None else await profiles.client(services, row)
    if named.worker_id is not None:
        row = await recipients.worker(tx, named.worker_id)
    else:
        row = await recipients.worker_by_email(
            tx, await services.field_encryption.tag("email", email or "")
        )
    if row is None:
        return None
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


def _why(attempt: AccessAttempt, terms: Terms) -> AccessAttempt:
    return replace(attempt, purpose_code=terms.purpose_code, purpose=terms.purpose)


async def _view(services: CoreServices, tx: AsyncConnection, row: Row[Any]) -> GrantView:
    values = (await services.field_encryption.of(row.person_id, tx)).open(
        _TABLE, row.id, row.sealed
    )
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
