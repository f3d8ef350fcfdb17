"""The second agent's own look: they type themselves what they read on the paper, and the answer
comes only then, the same whatever either of them found.

An unknown, late or ended code is refused in the same way, at the same cost.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Worker
from auth.visitor import UNKNOWN, Visitor
from base.ids import new_id
from base.locks import hold_tags
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.recovery import candidates, records, recovery_agents, recovery_log
from vault.recovery.identities import SeenDocument, SeenTag, seen
from vault.recovery.recovery_codes import tag_of
from vault.recovery.recovery_rules import REMEMBERED, earliest, judge, opens_at, state_of
from vault.recovery.recovery_values import Agent, agent_of, agents_of, facts_of, seal, shown_by
from vault.rules import Reason
from vault.services import Services

WRONG_CODES = Rate(5, timedelta(minutes=12))
"""How many wrong codes a worker types: five at once, and five an hour after that."""
_VAULTS = 3


async def second(
    services: Services,
    worker: Worker,
    code: str,
    document: SeenDocument,
    visitor: Visitor = UNKNOWN,
) -> datetime:
    """See the person too: from when on the vault may be opened at the earliest, if all of it fits
    and nobody stops it. A second time changes nothing.

    Raises as `identities.seen`; `ServiceError` REFUSED `desk_not_allowed`, `agent_too_new`,
    `recovery_code_wrong`; CONFLICT `same_agent`; TOO_MANY `too_many_recoveries`. Refusals are
    recorded. A crash before the commit leaves the slip as it was.
    """
    read = await seen(services, document)
    action = Action.RECOVERY_SECOND
    # 1. Counted before anything is looked up, so that guesses at once cannot pass the limit.
    buckets = SharedBuckets(services, "recovery-code", WRONG_CODES)
    await recovery_agents.check(services, worker, action, buckets)
    tag = await tag_of(services, code)
    # 2. Judged, changed and recorded in one commit.
    told = await decisions.decide(
        services, lambda tx: _second(services, tx, worker, tag, read, visitor)
    )
    # 3. A good code costs nothing. A crash before this costs one of five, which comes back.
    await buckets.give_back(worker.id.bytes, 1)
    return told


async def _second(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    tag: bytes,
    read: SeenTag,
    visitor: Visitor,
) -> datetime | Denial:
    macs = await services.field_encryption.row_macs()
    found = await records.of_code(tx, tag)
    # The same statements in every case: a vault that does not exist is held when none is known.
    nobody = new_id()
    waiting: UUID = nobody if found is None else found.waiting_id
    former: UUID = nobody if found is None or found.former_id is None else found.former_id
    await _hold(tx, waiting, former, await candidates.candidate_of(services, tx, read.tag))
    row = await records.of_code_to_change(tx, macs, tag)
    waits = await candidates.is_there(services, tx, waiting)
    there = await candidates.is_there(services, tx, former)
    anchor = await candidates.compare(services, tx, former, read.tag)
    others = await records.of_former(tx, macs, former, REMEMBERED)
    attempt = AccessAttempt(
        action=Action.RECOVERY_SECOND, actor=worker.actor(), details={"desk": 1}
    )
    wrong = Denial(attempt, Reason.RECOVERY_CODE, fields=(("code",),))
    if row is None or not waits or (row.waiting_id, row.former_id or nobody) != (waiting, former):
        return wrong
    agents = await agents_of(services, row)
    state = state_of(facts_of(row, former=there))
    if _is_again(agents, worker) and state in ("waiting", "nothing", "later", "ready", "rival"):
        told: datetime = row.earliest_at
        return told
    if state != "one_agent":
        return wrong
    if await recovery_agents.is_same(services, tx, agents[0], worker, visitor):
        return Denial(attempt, Reason.SAME_AGENT)
    same = there and anchor == "same"
    mine = agent_of(worker, row.at, read, "anchor" if same else None, anchor)
    rivals = [one for one in others if one.id != row.id]
    return await _complete(services, tx, worker, row, (*agents, mine), rivals)


async def _hold(tx: AsyncConnection, *vaults: UUID) -> None:
    """Hold them in one order for everyone; as many locks where two are the same one."""
    held = {*vaults}
    while len(held) < _VAULTS:
        held.add(new_id())
    await hold_tags(tx, [one.bytes[8:] for one in held])


def _is_again(agents: tuple[Agent, ...], worker: Worker) -> bool:
    """Whether this agent was the second one: their form was sent twice."""
    return len(agents) > 1 and agents[-1].worker_id == str(worker.id)


async def _complete(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    row: Any,
    agents: tuple[Agent, ...],
    others: list[Any],
) -> datetime:
    macs = await services.field_encryption.row_macs()
    verdict = judge(shown_by(agents, others, row.at))
    told = earliest(row.at, 0)
    await records.change(
        tx,
        macs,
        row,
        complete_at=row.at,
        earliest_at=told,
        opens_at=opens_at(verdict, row.at),
        sealed=await seal(services, row.id, agents, strong=verdict.strong),
    )
    tied = recovery_log.Tied(row.id, row.waiting_id, row.former_id)
    await recovery_log.record(services, tx, worker, Action.RECOVERY_SECOND, tied)
    return told
