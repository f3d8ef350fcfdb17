"""The first agent's act: a vault is opened beside the person, as any at the desk, and tied to the
one that they lost, if there is one. Whether there is, nothing tells: neither the answer, nor its
time, nor what the agent reads later. A card and a PIN let the person in at once, to add papers.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import desk_vaults
from auth.card_means import PlannedCard, plan_card
from auth.desk_vaults import DeskVault
from auth.pin_rules import read_pin
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person, Worker
from base.db_time import instant
from base.ids import new_id
from base.locks import hold_vault
from vault.recovery import candidates, records, recovery_agents, recovery_log
from vault.recovery.identities import SeenDocument, SeenTag, seen
from vault.recovery.recovery_codes import draw, tag_of
from vault.recovery.recovery_values import agent_of, seal
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
    document: SeenDocument,
) -> BegunRecovery:
    """Begin, in one commit with the vault that is opened; a form that was sent twice is answered as
    the first time.

    Raises as `auth.desk_vaults.open_planned` and `identities.seen`; `ServiceError` REFUSED
    `agent_too_new`, TOO_MANY `too_many_recoveries`, recorded. A crash before the commit leaves
    nothing; after it, the slip is in the form that is sent again.
    """
    read_pin(wanted.pin, wanted.again)  # a mistyped one costs no turn
    read = await seen(services, document)
    action = Action.RECOVERY_BEGUN
    await recovery_agents.check(services, worker, action, _buckets(services))

    async def tie(tx: AsyncConnection, person: Person) -> None:
        await _tie(services, tx, worker, person, planned.code, read)

    await desk_vaults.open_planned(services, worker, planned.card, wanted, in_commit=tie)
    return BegunRecovery(planned.card, planned.code)


def _buckets(services: Services) -> SharedBuckets:
    return SharedBuckets(services, "recovery", BEGUN)


async def _tie(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    person: Person,
    code: str,
    read: SeenTag,
) -> None:
    """The row and its lines, in the transaction that opens the vault of `person`."""
    macs = await services.field_encryption.row_macs()
    candidate = await candidates.candidate_of(services, tx, read.tag)
    await hold_vault(tx, candidate)
    there = await candidates.is_there(services, tx, candidate)
    anchor = await candidates.compare(services, tx, candidate, read.tag)
    found = there and anchor == "same"
    recovery_id, at = new_id(), await instant(tx)
    agent = agent_of(worker, at, read, "anchor" if found else None, "same" if found else "none")
    added = await records.add(
        tx,
        macs,
        id=recovery_id,
        waiting_id=person.id,
        former_id=candidate if found else None,
        code_tag=await tag_of(services, code),
        began_at=at,
        sealed=await seal(services, recovery_id, [agent]),
    )
    if not added:
        raise LookupError("the code is another recovery's")
    former = candidate if found else None
    ids = recovery_log.Tied(recovery_id, person.id, former)
    await recovery_log.record(services, tx, worker, Action.RECOVERY_BEGUN, ids)
