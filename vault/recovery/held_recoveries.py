"""A recovery by the code of its slip, locked together with the vaults that it may be about: by the
same statements whether or not the code serves, and whatever was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Worker
from base.clock import rfc3339
from base.ids import new_id
from vault.recovery import candidates, old_means, records, recovery_log
from vault.recovery.candidates import Pointed, Sought
from vault.recovery.held_vaults import hold
from vault.recovery.identities import SeenTag
from vault.recovery.old_means import OldMeans
from vault.recovery.recovery_rules import (
    NOT_ENOUGH,
    REMEMBERED,
    AnchorSeen,
    RecoveryState,
    earliest,
    judge,
    opens_at,
    state_of,
)
from vault.recovery.recovery_values import Kept, agent_of, facts_of, kept_of, seal, shown_by
from vault.recovery.shown_means import KINDS, ReadMeans
from vault.recovery.warnings import notice_of, warn, with_warnings
from vault.services import Services


@dataclass(frozen=True, slots=True)
class HeldRecovery:
    """A recovery, locked. `former`: the vault that it is about, found before or just now; whether
    it is `there`, and its `anchor` beside the paper that was read. `pointed`: what this agent's
    look says of it; `others`: the recoveries of the same vault, without this one."""

    row: Row[Any]
    kept: Kept
    former: UUID | None
    there: bool
    pointed: Pointed
    anchor: AnchorSeen
    old: OldMeans
    others: Sequence[Row[Any]]

    @property
    def state(self) -> RecoveryState:
        """As its person's vault makes it."""
        return state_of(facts_of(self.row, former=self.there))

    def with_look(self, worker: Worker, read: SeenTag) -> Kept:
        """What is kept once this agent has looked too. Of who looked before, the first look that
        found the vault: a paper that is typed again until it fits says nothing."""
        agent = agent_of(worker, self.row.at, read, self.pointed.by, self.anchor)
        agents = {one.worker_id: one for one in self.kept.agents}
        former = agents.get(agent.worker_id)
        if former is None or former.found_by is None:
            agents[agent.worker_id] = agent
        return replace(self.kept, agents=tuple(agents.values()))

    def with_means(self, kept: Kept, shown: ReadMeans) -> Kept:
        """What is kept once these means were shown too."""
        asleep = kept.asleep or (self.there and self.old.asleep)
        means, typed = {*kept.means, *self.pointed.means}, {*kept.typed, *shown.typed}
        return replace(
            kept,
            means=tuple(kind for kind in KINDS if kind in means),
            typed=tuple(kind for kind in KINDS if kind in typed),
            asleep=asleep,
        )


async def hold_by_code(
    services: Services, tx: AsyncConnection, code_tag: bytes, sought: Sought
) -> HeldRecovery | None:
    """The recovery of a code; None for one that is nobody's, or whose vault at the desk is not
    there any more. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    found = await records.of_code(tx, code_tag)
    # A vault that does not exist is held when none is known: as many locks in every case.
    waiting = new_id() if found is None else found.waiting_id
    pointed = await candidates.point(services, tx, sought)
    if pointed.id == waiting:
        pointed = Pointed(new_id())  # the card of today is no means of before
    former = pointed.id if found is None or found.former_id is None else found.former_id
    await hold(tx, waiting, former, pointed.id)
    row = await records.of_code_to_change(tx, macs, code_tag)
    waits = await candidates.is_there(services, tx, waiting)
    pointed = await candidates.point_again(services, tx, sought, pointed)
    there = await candidates.is_there(services, tx, former)
    anchor = await candidates.compare(services, tx, former, sought.tag)
    old = await old_means.of_vault(services, tx, former)
    others = await records.of_former(tx, macs, former, REMEMBERED)
    if row is None or found is None or not waits:
        return None
    if (row.waiting_id, row.former_id) != (found.waiting_id, found.former_id):
        return None
    known = former if row.former_id is not None or pointed.by is not None else None
    rivals = [one for one in others if one.id != row.id]
    kept, look = await kept_of(services, row), pointed.of(former)
    return HeldRecovery(row, kept, known, there and known is not None, look, anchor, old, rivals)


async def complete(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    action: Action,
    held: HeldRecovery,
    kept: Kept,
) -> datetime:
    """Judge what is kept now, and write it: what the agents are told, from when on it may be opened
    at the earliest. What was judged before is never put off."""
    macs, row = await services.field_encryption.row_macs(), held.row
    shown = shown_by(kept, held.old, held.others, row.at)
    verdict = judge(shown) if held.there else NOT_ENOUGH
    told, opens = earliest(row.at, len(kept.typed)), opens_at(verdict, row.at)
    strong = verdict.strong
    if kept.told:
        told = min(told, datetime.fromisoformat(kept.told))
    if row.opens_at is not None and (opens is None or row.opens_at <= opens):
        opens, strong = row.opens_at, kept.strong
    kept = replace(kept, strong=strong, told=rfc3339(told))
    # Told at once where nobody was before, and again when it is known from when on it opens.
    new = opens is not None and opens != row.opens_at
    send = held.there and not shown.flooded and (new or not kept.warned)
    notice = notice_of(kept, opens if kept.warned or strong else None)
    ids = await warn(services, tx, held.former or new_id(), held.old, notice, send=send)
    await records.change(
        tx,
        macs,
        row,
        former_id=held.former,
        complete_at=row.complete_at or row.at,
        earliest_at=told if row.earliest_at is None else min(told, row.earliest_at),
        opens_at=opens,
        sealed=await seal(services, row.id, with_warnings(kept, ids) if send else kept),
    )
    tied = recovery_log.Tied(row.id, row.waiting_id, held.former)
    await recovery_log.record(services, tx, worker, action, tied)
    return told
