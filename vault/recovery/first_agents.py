"""The first agent's act: a vault is opened beside the person, as any at the desk, and tied to the
one that they lost, if there is one. Whether there is, nothing tells: neither the answer, nor its
time, nor what the agent reads later. A card and a PIN let the person in at once, to add papers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import desk_vaults
from auth.card_means import PlannedCard, plan_card
from auth.desk_vaults import DeskVault
from auth.pin_rules import read_pin
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person, Worker
from base.clock import rfc3339
from base.db_time import instant
from base.ids import new_id
from base.locks import hold_vault
from vault.recovery import candidates, old_means, records, recovery_agents, recovery_log
from vault.recovery.candidates import Sought
from vault.recovery.identities import SeenDocument, SeenTag, seen
from vault.recovery.old_means import OldMeans
from vault.recovery.recovery_codes import draw, draw_stop, tag_of
from vault.recovery.recovery_rules import REMEMBERED, earliest, judge, opens_at
from vault.recovery.recovery_values import Kept, agent_of, is_flooded, seal, shown_by
from vault.recovery.shown_means import KINDS, NOTHING_SHOWN, ReadMeans, ShownMeans, read
from vault.recovery.warnings import Notice, warn, with_warnings
from vault.services import Services

BEGUN = Rate(5, timedelta(hours=1))
"""How many recoveries one worker begins: each rings at somebody's."""


@dataclass(frozen=True, slots=True)
class PlannedRecovery:
    """Drawn before, so that a form that is sent twice begins one."""

    card: PlannedCard
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BegunRecovery:
    """The same whatever was found. `second_agent`: nothing was shown, somebody else must see the
    person too; `earliest_at`: from when on it may be opened, at the earliest, once they have."""

    card: PlannedCard
    code: str = field(repr=False)
    second_agent: bool = True
    earliest_at: datetime | None = None


async def plan(services: Services) -> PlannedRecovery:
    """A card and a code that are not there yet: nothing is written."""
    return PlannedRecovery(await plan_card(services), await draw(services))


async def begin(
    services: Services,
    worker: Worker,
    planned: PlannedRecovery,
    wanted: DeskVault,
    document: SeenDocument | SeenTag,
    shown: ShownMeans = NOTHING_SHOWN,
) -> BegunRecovery:
    """Begin, in one commit with the vault that is opened; a form that was sent twice is answered as
    the first time. Where a means was shown, it is complete at once.

    Raises as `auth.desk_vaults.open_planned`, `identities.seen` and `shown_means.read`;
    `ServiceError` REFUSED `agent_too_new`, TOO_MANY `too_many_recoveries`, recorded. A crash before
    the commit leaves nothing; after it, the slip is in the form that is sent again.
    """
    read_pin(wanted.pin, wanted.again)  # a mistyped one costs no turn
    paper, means = await seen(services, document), await read(services, worker, shown)
    action = Action.RECOVERY_BEGUN
    await recovery_agents.check(services, worker, action, _buckets(services))

    async def tie(tx: AsyncConnection, person: Person) -> None:
        await _tie(services, tx, worker, person, planned.code, paper, means)

    await desk_vaults.open_planned(services, worker, planned.card, wanted, in_commit=tie)
    return await _told(services, planned, means)


def _buckets(services: Services) -> SharedBuckets:
    return SharedBuckets(services, "recovery", BEGUN)


async def _told(services: Services, planned: PlannedRecovery, means: ReadMeans) -> BegunRecovery:
    """What the agent is told: by what they typed, and when it was first sent."""
    if not means.typed:
        return BegunRecovery(planned.card, planned.code)
    async with services.database.transaction() as tx:
        row = await records.of_code(tx, await tag_of(services, planned.code))
    told = None if row is None else row.began_at
    when = None if told is None else earliest(told, len(means.typed))
    return BegunRecovery(planned.card, planned.code, second_agent=False, earliest_at=when)


async def _tie(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    person: Person,
    code: str,
    paper: SeenTag,
    means: ReadMeans,
) -> None:
    """The row and its lines, in the transaction that opens the vault of `person`."""
    macs = await services.field_encryption.row_macs()
    sought = Sought(worker, paper.tag, means)
    pointed = await candidates.point(services, tx, sought)
    await hold_vault(tx, pointed.id)
    pointed = await candidates.point_again(services, tx, sought, pointed)
    anchor = await candidates.compare(services, tx, pointed.id, paper.tag)
    old = await old_means.of_vault(services, tx, pointed.id)
    others = await records.of_former(tx, macs, pointed.id, REMEMBERED)
    recovery_id, at = new_id(), await instant(tx)
    former = None if pointed.by is None else pointed.id
    look = agent_of(worker, at, paper, pointed.by, anchor)
    shown = tuple(kind for kind in KINDS if kind in pointed.means)
    kept = Kept(agents=(look,), means=shown, typed=means.typed, asleep=old.asleep)
    dates, kept = _dates(kept, old, others, at)
    digits, stop_tag = await draw_stop(services, tx)
    send = former is not None and not is_flooded(others, at)
    kept = await _warned(services, tx, pointed.id, old, replace(kept, stop_code=digits), send=send)
    added = await records.add(
        tx,
        macs,
        id=recovery_id,
        waiting_id=person.id,
        former_id=former,
        code_tag=await tag_of(services, code),
        stop_tag=stop_tag,
        began_at=at,
        sealed=await seal(services, recovery_id, kept),
        **dates,
    )
    if not added:
        raise LookupError("the code is another recovery's")
    ids = recovery_log.Tied(recovery_id, person.id, former)
    await recovery_log.record(services, tx, worker, Action.RECOVERY_BEGUN, ids)


async def _warned(
    services: Services, tx: AsyncConnection, vault: UUID, old: OldMeans, kept: Kept, *, send: bool
) -> Kept:
    ids = await warn(services, tx, vault, old, Notice(kept.stop_code), send=send)
    return with_warnings(kept, ids) if send else kept


def _dates(
    kept: Kept, old: OldMeans, others: Sequence[Any], at: datetime
) -> tuple[dict[str, datetime | None], Kept]:
    """Of one that is complete, since a means was shown; of another, none."""
    if not kept.typed:
        return {}, kept
    verdict, told = judge(shown_by(kept, old, others, at)), earliest(at, len(kept.typed))
    dates = {"complete_at": at, "earliest_at": told, "opens_at": opens_at(verdict, at)}
    return dates, replace(kept, strong=verdict.strong, told=rfc3339(told))
