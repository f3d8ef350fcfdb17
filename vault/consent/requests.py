"""Consent requests, sent to the holder of a phone, or to the person of a meeting.

A sender learns nothing about the holder of a phone: answer, row, event and message are the same
whether or not there is a vault. Sending only writes: nothing here opens what is sealed (invariant
15).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from audit.records import audit_key
from auth import closings, notifications
from auth.messages import queue
from auth.services import CoreServices
from auth.subjects import Client, Recipient, snapshot
from base.db_time import instant
from base.errors import about, invalid
from base.ids import new_id
from base.key_names import CONSENT_REQUEST, MET, PHONE, SENT_REQUEST
from base.locks import hold_tag
from base.phone_numbers import normal_phone, phone_forms, sms_phone
from base.pipeline import fetch_one
from base.quota import Quota
from vault import decisions, durations, idempotency, rate_limit
from vault.consent.mandate_papers import MandatePaper
from vault.consent.meeting_use import mark_used, meeting_to_use
from vault.consent.records import requests as records
from vault.consent.scopes import check, check_purpose, check_storing
from vault.consent.terms import Terms
from vault.decisions import AccessAttempt, Denial
from vault.rules import Reason, Refused

LAPSES_AFTER = timedelta(days=7)
PACED_AS: Literal["consent-request"] = "consent-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """All that the sender gets in the immediate answer. `quota`: what is left to the sender, and
    the same for every phone."""

    id: UUID
    lapses_at: datetime
    quota: Quota


@dataclass(frozen=True, slots=True)
class Addressee:
    """The holder of a phone: their vault, if any, and the language they read; `vaults`: how many
    have that phone. Or the person of a meeting, who is there and needs no message: its tag is in
    the place of the phone's."""

    phone: str | None = field(repr=False)
    phone_tag: bytes = field(repr=False)
    person_id: UUID | None
    language: str = "fr"
    meeting: UUID | None = None
    vaults: int = 0


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a request is for: exactly one of the two."""

    phone: str | None = field(default=None, repr=False)
    meeting: UUID | None = None

    def values(self) -> dict[str, str]:
        """For an idempotency key."""
        if self.meeting is not None:
            return {"meeting": str(self.meeting)}
        return {"phone": normal_phone(self.phone or "")}


async def ask(
    services: CoreServices,
    sender: Recipient,
    whom: str | Whom,
    terms: Terms,
    *,
    idempotency_key: str | None = None,
) -> Sent:
    """Ask the holder of a phone, or the person of a meeting, for consent; the request lapses in 7
    days.

    Raises `ServiceError`: `not_found`, `meeting_not_agreed`, `meeting_over`, `phone_invalid`,
    `phone_landline`, `unknown_document_type`,
    `scope_empty`, `unknown_purpose`, `unknown_legal_basis`, `duration_invalid`,
    `duration_too_long`, `store_not_asked`, `token_scope_missing`, `too_many_requests` (with
    `quota`), and those of `idempotency.claim`.
    """
    whom = Whom(phone=whom) if isinstance(whom, str) else whom
    check_request(whom.phone, terms)
    await decisions.check_token(services, sender, "consent_requests", Action.REQUEST)
    async with rate_limit.in_turn(sender.id), services.database.transaction() as tx:
        outcome = await _ask(services, tx, sender, whom, terms, idempotency_key)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    return outcome


def check_request(phone: str | None, terms: Terms) -> None:
    """Whether a request may be sent, as far as it says itself; without a phone, through a meeting.
    Raises `ServiceError`, as `ask`."""
    if phone is not None:
        with about("person", "phone"):
            sms_phone(phone)
    check(terms.scope)
    check_purpose(terms.purpose_code, terms.legal_basis)
    check_storing(terms.may_store, terms.store_for)


async def _ask(
    services: CoreServices,
    tx: AsyncConnection,
    sender: Recipient,
    whom: Whom,
    terms: Terms,
    key: str | None,
) -> Sent | Denial:
    attempt = attempt_of(sender, terms)
    claimed = await idempotency.claim(
        services, tx, caller_id=sender.id, route="consent-requests", key=key,
        body={**whom.values(), **terms.values()},
    )  # fmt: skip
    limit = hourly_limit(services, sender)
    if claimed is not None and claimed.result_id is not None:
        quota = await rate_limit.left(tx, sender.id, PACED_AS, limit)
        return await _repeat_answer(tx, claimed.result_id, quota)
    # 1. The limit of this sender, who is locked: two requests at once cannot both pass it.
    taken, quota = await rate_limit.take(services, tx, sender.id, PACED_AS, limit)
    if not taken:
        return Denial(attempt, Reason.PACED, quota=quota)
    if await closings.is_over(services, tx):
        return Denial(attempt, Reason.CLOSED, quota=quota)
    # 2. The vault of that phone, if any; waits for one that is being opened right now.
    addressee = await addressee_of(services, tx, sender, whom)
    if isinstance(addressee, Refused):
        return Denial(attempt, addressee.reason, fields=addressee.fields, quota=quota)
    # 3. The same row, event and message in both cases. A crash before the commit leaves none.
    request_id = new_id()
    lapses_at = await add_request(services, tx, sender, addressee, terms, request_id)
    await notify(services, tx, addressee)
    await idempotency.save(tx, claimed, request_id)
    return Sent(id=request_id, lapses_at=lapses_at, quota=quota)


def hourly_limit(services: CoreServices, sender: Recipient) -> int:
    """How many requests a sender may make in an hour. They are counted apart from the requests'
    rows, some of which go with a vault that is erased: a sender would see it."""
    settings = services.settings
    is_client = isinstance(sender, Client)
    return settings.client_requests_per_hour if is_client else settings.requests_per_hour


async def addressee_of(
    services: CoreServices, tx: AsyncConnection, sender: Recipient, whom: Whom
) -> Addressee | Refused:
    """For whom a request is: the vault of a phone, if any; the person of a meeting, which is used
    by it."""
    if whom.meeting is not None:
        return await _met(services, tx, sender, whom.meeting)
    typed = whom.phone or ""
    phone = normal_phone(typed)
    phone_tag = await services.field_encryption.tag(PHONE, phone)
    await hold_tag(tx, phone_tag)
    macs = await services.field_encryption.row_macs()
    tags = [await services.field_encryption.tag(PHONE, form) for form in phone_forms(typed)]
    person, there = await records.addressee(tx, macs, tags)
    if person is None:
        return Addressee(phone, phone_tag, None, vaults=there)
    return Addressee(phone, phone_tag, person.id, person.language, vaults=there)


async def _met(
    services: CoreServices, tx: AsyncConnection, sender: Recipient, meeting_id: UUID
) -> Addressee | Refused:
    meeting = await meeting_to_use(services, tx, sender, meeting_id)
    if isinstance(meeting, Refused):
        return meeting
    await mark_used(services, tx, meeting)
    tag = await services.field_encryption.tag(MET, str(meeting_id))
    return Addressee(None, tag, meeting.person_id, meeting=meeting_id)


async def add_request(
    services: CoreServices,
    tx: AsyncConnection,
    sender: Recipient,
    addressee: Addressee,
    terms: Terms,
    request_id: UUID,
    *,
    paper: MandatePaper | None = None,
) -> datetime:
    """Insert the request's row and record its event; returns when it lapses. `paper`: the mandate
    that it is printed on."""
    at = await instant(tx)
    with about("duration"):
        durations.grant_end(at, terms.duration)
    await query_audit_key(services, tx, addressee.person_id, at)
    writer = await services.field_encryption.uncached_writer(addressee.person_id, tx)
    lapses_at = at + LAPSES_AFTER
    values: dict[str, Any] = {
        **terms.values(),
        **_way(addressee),
        **({} if paper is None else {"mandate": paper.values()}),
        "requester": snapshot(sender),
    }
    # Not for the sender: `request_transfer` leaves where it is what two vaults could have got.
    own = {**values, "vaults": addressee.vaults}
    service_writer = await services.field_encryption.writer(None)
    await records.add_request(
        tx,
        await services.field_encryption.row_macs(),
        id=request_id,
        requester_kind=sender.party.kind,
        requester_id=sender.party.id,
        organisation_id=sender.organisation_id,
        phone_tag=addressee.phone_tag,
        person_id=addressee.person_id,
        sealed=writer.seal(CONSENT_REQUEST, request_id, own),
        sender_sealed=service_writer.seal(SENT_REQUEST, request_id, values),
        created_at=at,
        lapses_at=lapses_at,
    )
    attempt = replace(attempt_of(sender, terms), person=addressee.person_id, request=request_id)
    await decisions.record_allowed(services, tx, at, attempt)
    return lapses_at


def attempt_of(sender: Recipient, terms: Terms) -> AccessAttempt:
    """A request as it is recorded, before anybody is found who gets it."""
    return AccessAttempt(
        action=Action.REQUEST,
        actor=sender.actor(),
        purpose_code=terms.purpose_code,
        purpose=terms.purpose,
    )


def _way(addressee: Addressee) -> dict[str, Any]:
    if addressee.meeting is not None:
        return {"meeting": str(addressee.meeting)}
    return {"phone": addressee.phone}


async def notify(services: CoreServices, tx: AsyncConnection, addressee: Addressee) -> None:
    """Queue a text message to the phone, with or without a vault, about the request."""
    if addressee.phone is None:
        return
    text = notifications.request_pending(services, addressee.language)
    # Only worth sending while the request can be answered.
    await queue(services, tx, channel="sms", to=addressee.phone, text=text, life=LAPSES_AFTER)


async def query_audit_key(
    services: CoreServices, tx: AsyncConnection, person_id: UUID | None, at: datetime
) -> None:
    """Have one audit key queried in the database in every case: of a random id without a vault,
    otherwise by dropping the cached key. A sender could measure the difference in time."""
    if person_id is None:
        await fetch_one(tx, audit_key(new_id(), at.year))
    else:
        services.audit_log.forget(person_id)


async def _repeat_answer(tx: AsyncConnection, request_id: UUID, quota: Quota) -> Sent:
    row = await records.request(tx, request_id)
    if row is None:
        raise invalid("idempotency_key_reused", fields=idempotency.KEY_FIELDS)
    return Sent(id=row.id, lapses_at=row.lapses_at, quota=quota)
