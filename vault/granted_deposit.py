"""A recipient adds a document to a vault, under a grant that allows it."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.records.instants import instant
from auth.subjects import Recipient, kind_of
from vault import rules
from vault.deposit import deposit
from vault.house import House
from vault.judging import Act, Declined, check_token, decline
from vault.keeping import Deposited, Depositor, checked
from vault.papers import Facts
from vault.receiving import Incoming
from vault.records import grants
from vault.rules import Refused


class _Declining(Exception):  # noqa: N818  (carries a refusal out of the transaction it ends)
    def __init__(self, declined: Declined) -> None:
        super().__init__(declined.reason)
        self.declined = declined


async def deposit_granted(
    house: House,
    recipient: Recipient,
    grant_id: UUID,
    incoming: Incoming,
    facts: Callable[[], Facts],
    *,
    idempotency_key: str | None = None,
) -> Deposited:
    """Keep a document that a worker or an administration adds.

    Judged before any byte is read, so that nobody fills a vault that is not open to them; judged
    again, with the type that they say, in the transaction that commits (invariant 3).
    """

    await check_token(house, recipient, "deposits", Action.DEPOSIT)

    async def judge_again(tx: AsyncConnection) -> None:
        await _judge(house, tx, recipient, grant_id, checked(facts()).type)

    try:
        async with house.database.transaction() as tx:
            act = await _judge(house, tx, recipient, grant_id, None)
        assert act.person is not None  # noqa: S101  (allowed, so the grant exists)
        depositor = Depositor(recipient.actor(), grant_id, act.purpose_code, act.purpose)
        return await deposit(
            house,
            act.person,
            depositor,
            incoming,
            facts,
            judge=judge_again,
            idempotency_key=idempotency_key,
        )
    except _Declining as refused:
        raise await decline(house, refused.declined) from None


async def _judge(
    house: House,
    tx: AsyncConnection,
    recipient: Recipient,
    grant_id: UUID,
    type_code: str | None,
) -> Act:
    """The act, allowed; or `_Declining`. Without a type, everything but the type is judged."""
    row = await grants.judged(tx, grant_id)
    named = row is not None and type_code is not None and await grants.names_types(tx, grant_id)
    in_scope = False
    if row is not None and type_code is not None and named:
        tag = await house.fields.tag("document-type", row.person_id.bytes, type_code)
        in_scope = await grants.names_type(tx, grant_id, tag)
    judgement = rules.may_deposit(
        None if row is None else grants.facts(row),
        types_named=named,
        type_in_scope=in_scope,
        recipient_kind=kind_of(recipient),
        recipient_id=recipient.id,
        now=await instant(tx) if row is None else row.at,
    )
    act = Act(action=Action.DEPOSIT, actor=recipient.actor())
    if row is not None:
        terms = (await house.fields.of(row.person_id, tx)).open("grant", row.id, row.sealed)
        act = Act(
            action=Action.DEPOSIT,
            actor=recipient.actor(),
            person=row.person_id,
            grant=grant_id,
            purpose_code=terms["purpose_code"],
            purpose=terms["purpose"],
        )
    if isinstance(judgement, Refused):
        raise _Declining(Declined(act, judgement.reason))
    return act
