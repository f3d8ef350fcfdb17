"""A recovery as the person sees it in the vault that waits, as the former vault's person sees it,
and as its signed receipt says it.

Until the time that its agents were told, none of it depends on whether a vault was found.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.subjects import Person
from base.clock import rfc3339
from base.errors import not_found
from vault.consent import receipt_keys
from vault.recovery import records
from vault.recovery.formers import judged, leading_to
from vault.recovery.recovery_rules import REMEMBERED, RecoveryState, state_of
from vault.recovery.recovery_values import Agent, facts_of, kept_of
from vault.services import Services

KIND = "recovery-receipt+jws"
"""What the signature of a receipt is for: it passes for no other."""


@dataclass(frozen=True, slots=True)
class AgentShown:
    """A worker who saw the person, as they were named on that day."""

    name: str = field(repr=False)
    job: str = field(repr=False)
    organisation: str = field(repr=False)
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecovery:
    """In the vault that waits. `opens_at`: once it is `later` or `ready`. `means`: all that were
    shown, whosever they are."""

    id: UUID
    state: RecoveryState
    began_at: datetime
    earliest_at: datetime | None
    opens_at: datetime | None
    ended_at: datetime | None
    agents: tuple[AgentShown, ...]
    means: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryOnMine:
    """One that may open the caller's vault. `opens_at`: from when on, if nobody stops it; None
    where what was shown is not enough yet. `needs_proof`: only a proof stops it."""

    id: UUID
    began_at: datetime
    opens_at: datetime | None
    agents: tuple[AgentShown, ...]
    means: tuple[str, ...]
    needs_proof: bool


async def own(services: Services, person: Person) -> OwnRecovery | None:
    """The recovery that the caller's vault waits for. A worker who is beside reads no more of it
    than its agents were told. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.of_waiting(tx, macs, person.id)
        if row is None:
            return None
        if person.beside is not None:
            state: RecoveryState = "one_agent" if row.complete_at is None else "waiting"
        else:
            state = await _state_of(services, tx, row)
        kept = await kept_of(services, row)
    return OwnRecovery(
        id=row.id,
        state=state,
        began_at=row.began_at,
        earliest_at=row.earliest_at,
        opens_at=row.opens_at if state in ("later", "ready") else None,
        ended_at=row.ended_at if state == "stopped" else None,
        agents=_shown(kept.agents),
        means=kept.typed,
    )


async def _state_of(services: Services, tx: AsyncConnection, row: Any) -> RecoveryState:
    """Whether the vault that was found is there is looked up where the answer says so alone: what
    it costs tells nothing before."""
    state = state_of(facts_of(row, former=True))
    if state not in ("later", "ready"):
        return state
    return state_of((await judged(services, tx, row)).facts)


async def on_my_vault(services: Services, person: Person) -> list[RecoveryOnMine]:
    """Those that may open the caller's vault, or one that ended in it, the last begun first. Raises
    `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    rows: list[Row[Any]] = []
    async with services.database.transaction() as tx:
        for vault in await leading_to(services, tx, person.id):
            rows += await records.of_former(tx, macs, vault, REMEMBERED)
    living = [one for one in rows if facts_of(one, former=True).lives]
    living.sort(key=lambda one: (one.began_at, one.id), reverse=True)
    return [await _on_mine(services, one) for one in living if one.waiting_id != person.id]


async def receipt(
    services: Services, person: Person, recovery_id: UUID | None = None
) -> dict[str, Any]:
    """The signed receipt of the recovery that the caller's vault waits for, or that opened it: the
    last one, where none is named. It names both workers, and is made as the recovery stands now.
    Raises `ServiceError` `not_found`, `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.of_waiting(tx, macs, person.id)
        if row is None or (recovery_id is not None and row.id != recovery_id):
            row = await records.opened_of(tx, macs, person.id, recovery_id)
    if row is None:
        raise not_found()
    kept = await kept_of(services, row)
    record = {
        "type": "recovery",
        "id": str(row.id),
        "publisher": services.settings.public_url,
        "issued_at": rfc3339(row.at),
        "began_at": rfc3339(row.began_at),
        "agents": [_on_receipt(one) for one in kept.agents],
        "means": list(kept.typed),
        **_moments(row, person),
    }
    return await receipt_keys.sign(services, record, kind=KIND)


def _moments(row: Any, person: Person) -> dict[str, str]:
    """When it was complete, and opened or stopped; not beside a worker, whom a stop would tell that
    a vault was found."""
    names = ("complete_at", "earliest_at", "opened_at", "ended_at")
    told = names[:2] if person.beside is not None else names
    moments = {name: getattr(row, name) for name in told}
    return {name: rfc3339(at) for name, at in moments.items() if at is not None}


def _on_receipt(agent: Agent) -> dict[str, str]:
    """With the kind of the paper that they read; never what stands on it."""
    return {
        "name": agent.name,
        "job": agent.job,
        "organisation": agent.organisation,
        "contact": agent.contact,
        "at": agent.at,
        "document": agent.kind,
    }


async def _on_mine(services: Services, row: Any) -> RecoveryOnMine:
    kept = await kept_of(services, row)
    return RecoveryOnMine(
        id=row.id,
        began_at=row.began_at,
        opens_at=row.opens_at,
        agents=_shown(kept.agents),
        means=kept.means,
        needs_proof=kept.strong,
    )


def _shown(agents: tuple[Agent, ...]) -> tuple[AgentShown, ...]:
    return tuple(AgentShown(one.name, one.job, one.organisation, one.at) for one in agents)
