"""Deposit by a recipient, under a grant that allows it."""

from collections.abc import Callable
from uuid import UUID

from audit.events import Action
from auth.subjects import Recipient
from base.errors import ServiceError
from base.pipeline import Transaction, fetch_one
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as grant_records
from vault.consent.type_tags import type_tag
from vault.decisions import AccessAttempt, Denial, check_token, record_denial, record_refusal
from vault.document_view import DocumentMetadata
from vault.documents import quotas
from vault.documents.deposit import deposit
from vault.documents.deposit_commit import DepositCommand, Deposited, check_metadata
from vault.documents.deposit_rows import Depositor
from vault.documents.intake import Incoming
from vault.rules import Refused, may_deposit
from vault.services import Services


class _Denied(Exception):
    """Carries a refusal out of the transaction, which it rolls back."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.reason)
        self.denial = denial


async def deposit_granted(
    services: Services,
    recipient: Recipient,
    grant_id: UUID,
    incoming: Incoming,
    metadata: Callable[[], DocumentMetadata],
    *,
    idempotency_key: str | None = None,
) -> Deposited:
    """Store a document that a worker or an administration deposits.

    Judged before any byte is read, so that nobody fills a vault without a grant; judged again,
    with the stated type, in the transaction that commits (invariant 3).
    """
    await check_token(services, recipient, "deposits", Action.DEPOSIT)

    async def judge_again(tx: Transaction) -> None:
        await _judge(services, tx, recipient, grant_id, check_metadata(metadata()).type)

    try:
        async with services.database.transaction() as tx:
            attempt = await _judge(services, tx, recipient, grant_id, None)
        assert attempt.person is not None  # noqa: S101  (allowed, so the grant exists)
        command = DepositCommand(
            owner_id=attempt.person,
            depositor=Depositor(recipient.actor(), grant_id, attempt.purpose_code, attempt.purpose),
            metadata=metadata,
            judge=judge_again,
            idempotency_key=idempotency_key,
        )
        return await _deposit(services, command, attempt, incoming)
    except _Denied as denied:
        raise await record_denial(services, denied.denial) from None


async def _deposit(
    services: Services, command: DepositCommand, attempt: AccessAttempt, incoming: Incoming
) -> Deposited:
    """`deposit`; the person's log says when a quota kept a paper out of their vault."""
    try:
        return await deposit(services, command, incoming)
    except ServiceError as failure:
        reason = quotas.reason_of(failure)
        if reason is not None:
            await record_refusal(services, attempt, reason)
        raise


async def _judge(
    services: Services,
    tx: Transaction,
    recipient: Recipient,
    grant_id: UUID,
    type_code: str | None,
) -> AccessAttempt:
    """The allowed attempt; raises `_Denied`. Without a type, all but the type is judged."""
    grant = await fetch_one(tx, grant_records.grant_for_use(grant_id))
    facts = grant_records.grant_facts(await services.field_encryption.row_macs(), grant)
    types_named = type_in_scope = False
    if grant is not None and type_code is not None:
        types_named = bool(grant.type_tags)
        tag = await type_tag(services, grant.person_id, type_code)
        type_in_scope = tag in grant.type_tags
    judgement = may_deposit(
        facts,
        types_named=types_named,
        type_in_scope=type_in_scope,
        caller=recipient.party,
    )
    attempt = await attempt_under(services, tx, grant, recipient, Action.DEPOSIT, judgement)
    if isinstance(judgement, Refused):
        raise _Denied(Denial(attempt, judgement.reason))
    return attempt
