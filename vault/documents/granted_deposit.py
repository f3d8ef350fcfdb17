"""A recipient adds a document to a vault, under a grant that allows it."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Recipient, kind_of
from base.db_time import instant
from vault import rules
from vault.consent import records as consent_records
from vault.decisions import AccessAttempt, Denial, check_token, record_denial
from vault.document_view import DocumentMetadata
from vault.documents.deposit import deposit
from vault.documents.deposit_commit import Deposited, Depositor, check_metadata
from vault.documents.intake import Incoming
from vault.rules import Refused
from vault.services import Services


class _Denied(Exception):
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
    """Keep a document that a worker or an administration adds.

    Judged before any byte is read, so that nobody fills a vault that is not open to them; judged
    again, with the type that they say, in the transaction that commits (invariant 3).
    """

    await check_token(services, recipient, "deposits", Action.DEPOSIT)

    async def judge_again(tx: AsyncConnection) -> None:
        await _judge(services, tx, recipient, grant_id, check_metadata(metadata()).type)

    try:
        async with services.database.transaction() as tx:
            attempt = await _judge(services, tx, recipient, grant_id, None)
        assert attempt.person is not None  # noqa: S101  (allowed, so the grant exists)
        depositor = Depositor(recipient.actor(), grant_id, attempt.purpose_code, attempt.purpose)
        return await deposit(
            services,
            attempt.person,
            depositor,
            incoming,
            metadata,
            judge=judge_again,
            idempotency_key=idempotency_key,
        )
    except _Denied as refused:
        raise await record_denial(services, refused.denial) from None


async def _judge(
    services: Services,
    tx: AsyncConnection,
    recipient: Recipient,
    grant_id: UUID,
    type_code: str | None,
) -> AccessAttempt:
    """The act, allowed; or `_Declining`. Without a type, everything but the type is judged."""
    row = await consent_records.grant_for_use(tx, grant_id)
    named = (
        row is not None
        and type_code is not None
        and await consent_records.names_types(tx, grant_id)
    )
    in_scope = False
    if row is not None and type_code is not None and named:
        tag = await services.field_encryption.tag("document-type", row.person_id.bytes, type_code)
        in_scope = await consent_records.names_type(tx, grant_id, tag)
    judgement = rules.may_deposit(
        None if row is None else consent_records.grant_facts(row),
        types_named=named,
        type_in_scope=in_scope,
        recipient_kind=kind_of(recipient),
        recipient_id=recipient.id,
        now=await instant(tx) if row is None else row.at,
    )
    attempt = AccessAttempt(action=Action.DEPOSIT, actor=recipient.actor())
    if row is not None:
        terms = (await services.field_encryption.of(row.person_id, tx)).open(
            "grant", row.id, row.sealed
        )
        attempt = AccessAttempt(
            action=Action.DEPOSIT,
            actor=recipient.actor(),
            person=row.person_id,
            grant=grant_id,
            purpose_code=terms["purpose_code"],
            purpose=terms["purpose"],
        )
    if isinstance(judgement, Refused):
        raise _Denied(Denial(attempt, judgement.reason))
    return attempt
