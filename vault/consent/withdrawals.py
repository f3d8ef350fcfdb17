"""A sender withdraws a request: it can be answered no more.

The sender learns nothing by it: a request that was refused, that lapsed or that reached nobody is
withdrawn in the same way, and reads the same afterwards. Its person sees that it was withdrawn,
unless they had answered: their own answer stays.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Party, Recipient
from base.clock import rfc3339
from base.db_time import instant
from base.key_names import SENT_REQUEST
from vault import decisions
from vault.consent.records import requests as records
from vault.consent.request_views import SentRequest, attempt_on, sent
from vault.consent.requests import query_audit_key
from vault.decisions import AccessAttempt, Denial
from vault.rules import Refused, RequestFacts, may_withdraw, reason_of
from vault.tables import REQUEST_ROW


async def withdraw(services: CoreServices, sender: Recipient, request_id: UUID) -> SentRequest:
    """Withdraw a request that was not approved; a second time changes nothing.

    Raises `ServiceError`: `not_found`, `request_approved`, `token_scope_missing`.
    """
    await decisions.check_token(services, sender, "consent_requests", Action.WITHDRAW)
    return await decisions.decide(services, lambda tx: _withdraw(services, tx, sender, request_id))


async def _withdraw(
    services: CoreServices, tx: AsyncConnection, sender: Recipient, request_id: UUID
) -> SentRequest | Denial:
    # 1. Lock the row: of an answer and a withdrawal at once, one waits and then sees the other.
    row = await records.request_to_answer(tx, request_id)
    attempt = attempt_on(row, sender, Action.WITHDRAW)
    facts = row and RequestFacts(
        row.person_id, row.answer, row.lapses_at, Party(row.requester_kind, row.requester_id)
    )
    judgement = may_withdraw(facts, caller=sender.party)
    if isinstance(judgement, Refused) or row is None:
        return Denial(attempt, reason_of(judgement))
    # 2. What the sender reads back is opened, under the service's key; nothing of the person.
    (await services.field_encryption.row_macs()).check(REQUEST_ROW, row)
    reader = await services.field_encryption.reader(None)
    values = reader.open(SENT_REQUEST, row.id, row.sender_sealed)
    if "withdrawn_at" not in values:
        await _store(services, tx, row, values, attempt)
    now = await records.request(tx, request_id)
    assert now is not None  # noqa: S101  (it is locked)
    return await sent(services, now)


async def _store(
    services: CoreServices,
    tx: AsyncConnection,
    row: Row[Any],
    values: dict[str, Any],
    attempt: AccessAttempt,
) -> None:
    """3. The same row and event in every case, at the same cost. A crash before the commit leaves
    the request as it was."""
    at = await instant(tx)
    writer = await services.field_encryption.writer(None)
    sealed = writer.seal(SENT_REQUEST, row.id, {**values, "withdrawn_at": rfc3339(at)})
    macs = await services.field_encryption.row_macs()
    await records.withdraw_request(tx, macs, row, sender_sealed=sealed, at=at)
    await query_audit_key(services, tx, row.person_id, at)
    attempt = replace(attempt, purpose_code=values["purpose_code"], purpose=values["purpose"])
    await decisions.record_allowed(services, tx, at, attempt)
