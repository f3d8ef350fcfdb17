"""The lines of a recovery: one in the log of the vault that waits, one in that of the vault that is
to be opened again, or in the service's where none was found, at the same cost.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import desk_rights
from auth.services import CoreServices
from auth.subjects import Worker


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
