"""The second agent's own look: they type themselves what they read on the paper, and the answer
comes only then, the same whatever either of them found.

An unknown, late or ended code is refused in the same way, at the same cost.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Worker
from auth.visitor import UNKNOWN, Visitor
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.recovery import recovery_agents
from vault.recovery.candidates import Sought
from vault.recovery.held_recoveries import HeldRecovery, complete, hold_by_code
from vault.recovery.identities import SeenDocument, SeenTag, seen
from vault.recovery.recovery_codes import tag_of
from vault.recovery.recovery_rules import RecoveryState
from vault.recovery.shown_means import NOTHING_SHOWN, ReadMeans, ShownMeans, read
from vault.rules import Reason
from vault.services import Services

WRONG_CODES = Rate(5, timedelta(minutes=12))
"""How many wrong codes a worker types: five at once, and five an hour after that."""
GOES_ON: frozenset[RecoveryState] = frozenset({"waiting", "nothing", "later", "ready", "rival"})
"""Complete, and neither over nor opened."""


async def second(
    services: Services,
    worker: Worker,
    code: str,
    document: SeenDocument | SeenTag,
    visitor: Visitor = UNKNOWN,
    shown: ShownMeans = NOTHING_SHOWN,
) -> datetime:
    """See the person too: from when on the vault may be opened at the earliest, if all of it fits
    and nobody stops it. A second time changes nothing.

    Raises as `identities.seen` and `shown_means.read`; `ServiceError` REFUSED `desk_not_allowed`,
    `agent_too_new`, `recovery_code_wrong`; CONFLICT `same_agent`; TOO_MANY `too_many_recoveries`.
    Refusals are recorded. A crash before the commit leaves the slip as it was.
    """
    paper, means = await seen(services, document), await read(services, worker, shown)
    action = Action.RECOVERY_SECOND
    # 1. Counted before anything is looked up, so that guesses at once cannot pass the limit.
    buckets = wrong_codes(services)
    await recovery_agents.check(services, worker, action, buckets)
    tag = await tag_of(services, code)
    # 2. Judged, changed and recorded in one commit.
    told = await decisions.decide(
        services, lambda tx: _second(services, tx, worker, tag, paper, means, visitor)
    )
    # 3. A good code costs nothing. A crash before this costs one of five, which comes back.
    await buckets.give_back(worker.id.bytes, 1)
    return told


def wrong_codes(services: Services) -> SharedBuckets:
    """Where the codes of slips that a worker types are counted."""
    return SharedBuckets(services, "recovery-code", WRONG_CODES)


def attempt_of(worker: Worker, action: Action) -> AccessAttempt:
    """In the service's log: a code that is refused is nobody's."""
    return AccessAttempt(action=action, actor=worker.actor(), details={"desk": 1})


async def _second(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    tag: bytes,
    paper: SeenTag,
    means: ReadMeans,
    visitor: Visitor,
) -> datetime | Denial:
    held = await hold_by_code(services, tx, tag, Sought(worker, paper.tag, means))
    attempt = attempt_of(worker, Action.RECOVERY_SECOND)
    wrong = Denial(attempt, Reason.RECOVERY_CODE, fields=(("code",),))
    if held is None:
        return wrong
    if _is_again(held, worker) and held.state in GOES_ON:
        return datetime.fromisoformat(held.kept.told)
    if held.state not in {"one_agent", *GOES_ON} or len(held.kept.agents) > 1:
        return wrong
    if await recovery_agents.is_same(services, tx, held.kept.agents[0], worker, visitor):
        return Denial(attempt, Reason.SAME_AGENT)
    kept = held.with_means(held.with_look(worker, paper), means)
    return await complete(services, tx, worker, Action.RECOVERY_SECOND, held, kept)


def _is_again(held: HeldRecovery, worker: Worker) -> bool:
    """Whether this agent has looked as the second one: their form was sent twice."""
    return str(worker.id) in {one.worker_id for one in held.kept.agents[1:]}
