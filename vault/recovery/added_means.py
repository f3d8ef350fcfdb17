"""A means that is shown later, to whichever agent holds the slip: what was judged is judged again,
and is never put off.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Worker
from auth.visitor import UNKNOWN, Visitor
from base.errors import invalid
from vault import decisions
from vault.decisions import Denial
from vault.recovery import recovery_agents
from vault.recovery.candidates import Sought
from vault.recovery.held_recoveries import HeldRecovery, complete, hold_by_code
from vault.recovery.identities import SeenDocument, SeenTag, seen
from vault.recovery.recovery_codes import tag_of
from vault.recovery.second_agents import GOES_ON, attempt_of, wrong_codes
from vault.recovery.shown_means import ReadMeans, ShownMeans, read
from vault.rules import Reason
from vault.services import Services


async def add_means(
    services: Services,
    worker: Worker,
    code: str,
    document: SeenDocument | SeenTag,
    shown: ShownMeans,
    visitor: Visitor = UNKNOWN,
) -> datetime:
    """Show a card, a phone or the digits of a trusted person later, beside the person: from when on
    the vault may be opened at the earliest. Who was no agent of it yet is one then.

    Raises as `second_agents.second`; `ServiceError` INVALID `shown_nothing`. Each costs a turn: the
    lines are in somebody's log. A crash before the commit leaves the slip as it was.
    """
    paper, means = await seen(services, document), await read(services, worker, shown)
    if not means.typed:
        raise invalid("shown_nothing", fields=(("shown",),))
    await recovery_agents.check(services, worker, Action.RECOVERY_MEANS, wrong_codes(services))
    tag = await tag_of(services, code)
    return await decisions.decide(
        services, lambda tx: _add(services, tx, worker, tag, paper, means, visitor)
    )


async def _add(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    tag: bytes,
    paper: SeenTag,
    means: ReadMeans,
    visitor: Visitor,
) -> datetime | Denial:
    held = await hold_by_code(services, tx, tag, Sought(worker, paper.tag, means))
    attempt = attempt_of(worker, Action.RECOVERY_MEANS)
    if held is None or held.state not in {"one_agent", *GOES_ON}:
        return Denial(attempt, Reason.RECOVERY_CODE, fields=(("code",),))
    if await _is_somebody_here(services, tx, held, worker, visitor):
        return Denial(attempt, Reason.SAME_AGENT)
    kept = held.with_means(held.with_look(worker, paper), means)
    return await complete(services, tx, worker, Action.RECOVERY_MEANS, held, kept)


async def _is_somebody_here(
    services: Services, tx: AsyncConnection, held: HeldRecovery, worker: Worker, visitor: Visitor
) -> bool:
    """Whether it is an agent of it under another account."""
    agents = held.kept.agents
    if str(worker.id) in {one.worker_id for one in agents}:
        return False
    same = [await recovery_agents.is_same(services, tx, one, worker, visitor) for one in agents]
    return any(same)
