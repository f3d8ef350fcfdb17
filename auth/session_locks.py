"""What locks a worker's session: the assisted ones that the service opened from it, and no row that
somebody else wrote beside them or moved there."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import session_devices
from auth.records import sessions
from auth.services import CoreServices
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError


async def assisted_from(
    services: CoreServices, tx: AsyncConnection, worker_session_id: UUID
) -> list[tuple[UUID, UUID]]:
    """The live assisted sessions that were opened from one of a worker: each with its person."""
    rows = await sessions.assisted_from(tx, worker_session_id)
    return [(row.id, row.subject_id) for row in rows if await _was_opened(services, tx, row)]


async def is_locked(services: CoreServices, worker_session_id: UUID) -> bool:
    """Whether one lives."""
    async with services.database.transaction() as tx:
        return bool(await assisted_from(services, tx, worker_session_id))


async def _was_opened(services: CoreServices, tx: AsyncConnection, row: Any) -> bool:
    """Whether the service wrote the row, and opened it from the session that it names: that is
    sealed in it, and the MAC covers what is sealed."""
    macs = await services.field_encryption.row_macs()
    if not macs.holds(sessions.SESSION_ROW, row):
        return False
    try:
        device = await session_devices.open_device(services, tx, row)
    except (DecryptionError, KeyDestroyed):
        return False
    return bool(device.opened_from == row.worker_session_id)
