"""The lines of a recovery: one in the log of the vault that waits, one in that of the vault that is
to be opened again, or in the service's where none was found, at the same cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from audit.records import audit_key
from auth import desk_rights
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.db_time import instant
from base.ids import new_id
from base.pipeline import fetch_one
from vault.recovery.recovery_rules import EndedBy

_SOMEBODY = Actor(ActorKind.ANONYMOUS)


@dataclass(frozen=True, slots=True)
class Tied:
    """Which recovery, and of which vaults."""

    id: UUID
    waiting_id: UUID
    former_id: UUID | None


async def record(
    services: CoreServices, tx: AsyncConnection, worker: Worker, action: Action, tied: Tied
) -> None:
    """What an agent did, in both logs."""
    told = {"recovery": str(tied.id)}
    await desk_rights.record(services, tx, worker, action, tied.waiting_id, details=told)
    await desk_rights.record_alike(services, tx, worker, action, tied.former_id, told)


async def record_withdrawal(
    services: CoreServices, tx: AsyncConnection, worker: Worker, tied: Tied
) -> None:
    """That an agent ended it, in both logs."""
    action, told = Action.RECOVERY_STOPPED, {"recovery": str(tied.id), "by": "worker"}
    await desk_rights.record(services, tx, worker, action, tied.waiting_id, details=told)
    await desk_rights.record_alike(services, tx, worker, action, tied.former_id, told)


async def record_end(
    services: CoreServices,
    tx: AsyncConnection,
    tied: Tied,
    by: EndedBy,
    owner: Person | None = None,
) -> None:
    """That it was stopped, in both logs. `owner`: who did it, named in their own; to the other
    vault, and where they act from neither, they are somebody."""
    told: dict[str, str | int] = {"recovery": str(tied.id), "by": by}
    await _record_both(services, tx, Action.RECOVERY_STOPPED, tied, told, owner)


async def record_confirmed(
    services: CoreServices, tx: AsyncConnection, person: Person, tied: Tied
) -> None:
    """That the person of the former vault said that it is them, in both logs."""
    told: dict[str, str | int] = {"recovery": str(tied.id)}
    await _record_both(services, tx, Action.RECOVERY_CONFIRMED, tied, told, person)


async def record_not_stopped(
    services: CoreServices, tx: AsyncConnection, former: UUID | None, reason: str
) -> None:
    """That somebody typed digits that stop nothing: in the log of the vault that they are of, if
    any; at the cost of `record_end`."""
    told: dict[str, str | int] = {"by": "phone"}
    for vault in (former, None):
        at = await _same_cost(services, tx, vault)
        await _record(services, tx, Action.RECOVERY_STOPPED, _SOMEBODY, vault, at, told, reason)


async def _record_both(
    services: CoreServices,
    tx: AsyncConnection,
    action: Action,
    tied: Tied,
    told: Mapping[str, str | int],
    owner: Person | None,
) -> None:
    for vault in (tied.former_id, tied.waiting_id):
        mine = owner is not None and owner.id == vault
        actor = owner.actor() if owner is not None and mine else _SOMEBODY
        at = await _same_cost(services, tx, vault)
        await _record(services, tx, action, actor, vault, at, told)


async def _same_cost(services: CoreServices, tx: AsyncConnection, vault: UUID | None) -> datetime:
    """One audit key is read, whether or not there is a vault; the time."""
    at = await instant(tx)
    if vault is None:
        await fetch_one(tx, audit_key(new_id(), at.year))
    else:
        services.audit_log.forget(vault)
    return at


async def _record(
    services: CoreServices,
    tx: AsyncConnection,
    action: Action,
    actor: Actor,
    vault: UUID | None,
    at: datetime,
    details: Mapping[str, str | int],
    reason: str = "",
) -> None:
    outcome = Outcome.REFUSED if reason else Outcome.ALLOWED
    event = Event(new_id(), at, action, outcome, actor, vault, reason, details=dict(details))
    await services.audit_log.record(tx, event)
