"""Consent requests: asked of the holder of a phone.

A sender learns nothing of who holds the phone: the same answer, row, log line and message whether
or not there is a vault. Asking only writes: nothing here opens what is sealed (invariant 15).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from audit.records import audit_key
from auth import notifications
from auth.messages import queue
from auth.services import CoreServices
from auth.subjects import Recipient
from base.contact import normal_phone
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import CONSENT_REQUEST, PACE, PHONE
from base.locks import hold_tag
from vault import decisions, durations, idempotency
from vault.consent import records
from vault.consent.grant_issue import snapshot
from vault.consent.scopes import check, check_purpose, check_storing
from vault.consent.terms import Terms
from vault.decisions import AccessAttempt, Denial
from vault.rate_limit import HOUR
from vault.rules import Reason

LAPSES_AFTER = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All that a sender is told at once."""

    id: UUID
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class _Addressee:
    """The holder of a phone: the vault it opens, if any, and the language they read."""

    phone: str = field(repr=False)
    phone_tag: bytes = field(repr=False)
    person_id: UUID | None
    language: str


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
    wait = await _wait(services, tx, sender)
    if wait is not None:
        return Denial(attempt, Reason.PACED, wait)
    # 2. The vault of that phone, if any; one being opened at this moment is waited for.
    to = await _addressee(services, tx, phone)
    # 3. The same row, line and message either way. A crash before the commit leaves none of them.
    sent = await _keep(services, tx, sender, to, asked, attempt)
    await _notify(services, tx, to, sender)
    await idempotency.keep(tx, claimed, sent.id)
    return sent


async def _wait(services: CoreServices, tx: AsyncConnection, sender: Recipient) -> int | None:
    """Seconds to wait before one more request of this sender, or None.

    1. One request of a sender at a time, so that two at once do not both find room.
    """
    tag = await services.field_encryption.tag(PACE, "consent-request", sender.id.bytes)
    await hold_tag(tx, tag)
    most = services.settings.requests_per_hour
    return await records.request_wait(tx, sender.id, most=most, within=HOUR)


async def _addressee(services: CoreServices, tx: AsyncConnection, phone: str) -> _Addressee:
    phone_tag = await services.field_encryption.tag(PHONE, phone)
    await hold_tag(tx, phone_tag)
    person = await records.addressee(tx, phone_tag)
    if person is None:
        return _Addressee(phone, phone_tag, None, "fr")
    return _Addressee(phone, phone_tag, person.id, person.language)


async def _keep(
    services: CoreServices,
    tx: AsyncConnection,
    sender: Recipient,
    to: _Addressee,
    asked: Terms,
    attempt: AccessAttempt,
) -> Sent:
    """The request's row and its line."""
    at = await instant(tx)
    durations.grant_end(at, asked.duration)
    await _look_for_audit_key(services, tx, to.person_id, at)
    writer = await services.field_encryption.uncached_writer(to.person_id, tx)
    sent = Sent(id=new_id(), lapses_at=at + LAPSES_AFTER)
    values: dict[str, Any] = {**asked.values(), "phone": to.phone, "requester": snapshot(sender)}
    await records.add_request(
        tx,
        id=sent.id,
        requester_kind=sender.party.kind,
        requester_id=sender.party.id,
        organisation_id=sender.organisation_id,
        phone_tag=to.phone_tag,
        person_id=to.person_id,
        sealed=writer.seal(CONSENT_REQUEST, sent.id, values),
        created_at=at,
        lapses_at=sent.lapses_at,
    )
    attempt = replace(attempt, person=to.person_id, request=sent.id)
    await decisions.record_allowed(services, tx, at, attempt)
    return sent


async def _notify(
    services: CoreServices, tx: AsyncConnection, to: _Addressee, sender: Recipient
) -> None:
    """Have the holder of the phone informed, vault or not, that someone asks."""
    text = notifications.request_waits(services, to.language, sender)
    # Worth sending while the request can be answered.
    await queue(services, tx, channel="sms", to=to.phone, text=text, life=LAPSES_AFTER)


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
