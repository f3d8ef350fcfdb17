"""Consent requests: asked of the holder of a phone, listed, seen, approved, refused, disowned.

A sender learns nothing of who holds the phone: the same answer, row, log line and message whether
or not there is a vault, and a refusal that looks like silence until the request lapses.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from audit.records import audit_key
from auth import notifications
from auth.messages import queue
from auth.services import CoreServices
from auth.subjects import Person, Recipient, kind_of
from base.contact import normal_phone
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.locks import hold_tag
from vault import decisions, durations, idempotency
from vault.consent import records
from vault.consent.grants import GrantView, issue, snapshot, type_tags, view_of
from vault.consent.request_views import TABLE, attempt_on
from vault.consent.scopes import Holdings, Scope, check, check_purpose, check_storing
from vault.consent.terms import Approval, Terms, agreed
from vault.decisions import AccessAttempt, Denial
from vault.rate_limit import HOUR
from vault.rules import Reason, Refused, RequestFacts, may_answer

LAPSES_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All that a sender is told at once."""

    id: UUID
    lapses_at: datetime


async def ask(
    services: CoreServices,
    sender: Recipient,
    phone: str,
    asked: Terms,
    *,
    idempotency_key: str | None = None,
) -> Sent:
    """Ask the holder of a phone for consent; it lapses in 7 days.

    Raises `ServiceError`: `phone_invalid`, `unknown_document_type`, `scope_empty`,
    `unknown_purpose`, `unknown_legal_basis`, `duration_invalid`, `duration_too_long`,
    `store_not_asked`, `token_scope_missing`, `too_many_requests` (with `retry_after`), and those of
    `idempotency.claim`.
    """
    number = normal_phone(phone)
    check(asked.scope)
    check_purpose(asked.purpose_code, asked.legal_basis)
    check_storing(asked.may_store, asked.store_for)
    await decisions.check_token(services, sender, "consent_requests", Action.REQUEST)
    async with services.database.transaction() as tx:
        outcome = await _ask(services, tx, sender, number, asked, idempotency_key)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


async def _ask(
    services: CoreServices,
    tx: AsyncConnection,
    sender: Recipient,
    phone: str,
    asked: Terms,
    key: str | None,
) -> Sent | Denial:
    attempt = AccessAttempt(
        action=Action.REQUEST,
        actor=sender.actor(),
        purpose_code=asked.purpose_code,
        purpose=asked.purpose,
    )
    claimed = await idempotency.claim(
        services, tx, caller_id=sender.id, route="consent-requests", key=key,
        body={"phone": phone, **asked.values()},
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await _sent_before(tx, claimed.result_id)
    # 1. One request of a sender at a time, so that two at once do not both find room.
    await hold_tag(
        tx, await services.field_encryption.tag("pace", "consent-request", sender.id.bytes)
    )
    most = services.settings.requests_per_hour
    wait = await records.request_wait(tx, sender.id, most=most, within=HOUR)
    if wait is not None:
        return Denial(attempt, Reason.PACED, wait)
    # 2. The vault of that phone, if any; one being opened at this moment is waited for.
    phone_tag = await services.field_encryption.tag("phone", phone)
    await hold_tag(tx, phone_tag)
    person = await records.addressee(tx, phone_tag)
    person_id: UUID | None = None if person is None else person.id
    # 3. The same row, line and message either way. A crash before the commit leaves none of them.
    at = await instant(tx)
    durations.grant_end(at, asked.duration)
    request_id = new_id()
    await _look_for_audit_key(services, tx, person_id, at)
    sealer = await services.field_encryption.uncached(person_id, tx)
    await records.add_request(
        tx,
        id=request_id,
        requester_kind=kind_of(sender),
        requester_id=sender.id,
        organisation_id=sender.organisation_id,
        phone_tag=phone_tag,
        person_id=person_id,
        sealed=sealer.seal(
            TABLE,
            request_id,
            {**asked.values(), "phone": phone, "requester": snapshot(sender)},
        ),
        created_at=at,
        lapses_at=at + LAPSES_AFTER,
    )
    await decisions.record_allowed(
        services, tx, at, replace(attempt, person=person_id, request=request_id)
    )
    await _notify(services, tx, phone, sender, "fr" if person is None else person.language)
    await idempotency.keep(tx, claimed, request_id)
    return Sent(id=request_id, lapses_at=at + LAPSES_AFTER)


async def _notify(
    services: CoreServices, tx: AsyncConnection, phone: str, sender: Recipient, language: str
) -> None:
    """Tell the holder of a phone, vault or not, that someone asks; sent once `tx` commits."""
    text = notifications.request_waits(services, language, sender)
    # Worth sending while the request can be answered.
    await queue(services, tx, channel="sms", to=phone, text=text, life=LAPSES_AFTER)


async def approve(
    services: CoreServices,
    person: Person,
    request_id: UUID,
    approval: Approval,
    *,
    idempotency_key: str | None = None,
) -> GrantView:
    """Say yes, maybe to less: makes the grant, to the one who asked and nobody else.

    Raises `ServiceError`: `not_found`, `request_answered`, `request_lapsed`, `scope_widened`,
    `unknown_document`, `sensitive_by_type`, `nothing_granted`, `duration_invalid`,
    `duration_too_long`, and those of `idempotency.claim`.
    """
    async with services.database.transaction() as tx:
        outcome = await _approve(services, tx, person, request_id, approval, idempotency_key)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


async def _approve(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    request_id: UUID,
    approval: Approval,
    key: str | None,
) -> GrantView | Denial:
    claimed = await idempotency.claim(
        services, tx, caller_id=person.id, route=f"approve/{request_id}", key=key,
        body=approval.values(),
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await view_of(services, tx, claimed.result_id)
    # 1. The row under lock: of two answers at once, one waits and finds the other's.
    answerable = await _answerable(tx, person, request_id, Action.APPROVE)
    if isinstance(answerable, Denial):
        return answerable
    row, attempt = answerable
    values = (await services.field_encryption.of(person.id, tx)).open(TABLE, row.id, row.sealed)
    asked = Terms.read(values)
    attempt = replace(attempt, purpose_code=asked.purpose_code, purpose=asked.purpose)
    # 2. Never wider than what was asked.
    holdings = await _holdings(services, tx, person.id, asked.scope, approval)
    terms = agreed(asked, approval, holdings, row.at)
    if isinstance(terms, Refused):
        return Denial(attempt, terms.reason)
    # 3. Grant, answer and line in one commit. A crash before it leaves the request waiting.
    await records.answer_request(tx, row.id, "approved")
    view = await issue(
        services, tx, person.id, recipient=(row.requester_kind, row.requester_id),
        organisation_id=row.organisation_id, shown=values["requester"], terms=terms,
        covers_future=approval.covers_future, at=row.at, attempt=attempt, request_id=row.id,
    )  # fmt: skip
    await idempotency.keep(tx, claimed, view.id)
    return view


async def refuse(
    services: CoreServices, person: Person, request_id: UUID, reason: Literal["no", "not_me"] = "no"
) -> None:
    """Say no, or "this is not me": the sender sees neither.

    Raises `ServiceError`: `not_found`, `request_answered`, `request_lapsed`.
    """
    action = Action.REFUSE if reason == "no" else Action.NOT_ME
    async with services.database.transaction() as tx:
        answerable = await _answerable(tx, person, request_id, action)
        if not isinstance(answerable, Denial):
            row, attempt = answerable
            await records.answer_request(tx, row.id, "refused" if reason == "no" else "not_me")
            await decisions.record_allowed(services, tx, row.at, attempt)
            return
    raise await decisions.record_denial(services, answerable)


async def adopt_requests(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, phone_tag: bytes
) -> int:
    """Hand a vault, in the transaction that opens it, the requests that wait for its phone.

    They are sealed anew under the person's key. Gives how many.
    """
    await hold_tag(tx, phone_tag)
    service = await services.field_encryption.of_service()
    own = await services.field_encryption.of(person_id, tx)
    rows = await records.unassigned_requests(tx, phone_tag)
    for row in rows:
        values = service.open(TABLE, row.id, row.sealed)
        await records.assign_request(
            tx, row.id, person_id=person_id, sealed=own.seal(TABLE, row.id, values)
        )
    return len(rows)


async def release_requests(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Before a vault is erased, give what came to nothing back to the service's key.

    Its sender goes on seeing a request without an answer: that a vault was there, and is no more,
    is not theirs to learn (invariant 7). What was approved goes with the vault.
    """
    service = await services.field_encryption.of_service()
    own = await services.field_encryption.of(person_id, tx)
    for row in await records.unapproved_requests(tx, person_id):
        values = own.open(TABLE, row.id, row.sealed)
        sealed = service.seal(TABLE, row.id, values)
        await records.assign_request(tx, row.id, person_id=None, sealed=sealed)


async def _answerable(
    tx: AsyncConnection, person: Person, request_id: UUID, action: Action
) -> tuple[Row[Any], AccessAttempt] | Denial:
    row = await records.request_to_answer(tx, request_id)
    attempt = attempt_on(row, person, action)
    if row is None:
        return Denial(attempt, Reason.NOT_FOUND)
    judged = may_answer(
        RequestFacts(row.person_id, row.answer, row.lapses_at), person_id=person.id, now=row.at
    )
    return Denial(attempt, judged.reason) if isinstance(judged, Refused) else (row, attempt)


async def _holdings(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, asked: Scope, approval: Approval
) -> Holdings:
    """What the vault says of the documents that the person named, or else of those asked."""
    picked = approval.choice.document_ids
    tags = await type_tags(services, person_id, asked.document_types)
    held = await records.held_documents(
        tx, person_id, asked.document_ids if picked is None else picked
    )
    return Holdings(
        theirs=frozenset(row.id for row in held),
        of_asked_types=frozenset(row.id for row in held if row.type_tag in tags),
    )


async def _look_for_audit_key(
    services: CoreServices, tx: AsyncConnection, person_id: UUID | None, at: datetime
) -> None:
    """Have the database asked for one audit key, whether or not someone is there and was seen
    lately: a stranger times the answer."""
    if person_id is None:
        await audit_key(tx, new_id(), at.year)
    else:
        services.audit_log.forget(person_id)


async def _sent_before(tx: AsyncConnection, request_id: UUID) -> Sent:
    row = await records.request(tx, request_id)
    if row is None:
        raise ServiceError(ErrorKind.INVALID, "idempotency_key_reused")
    return Sent(id=row.id, lapses_at=row.lapses_at)
