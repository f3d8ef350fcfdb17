"""What a vault that was just opened again does not do yet: whoever took it over would take it away,
or end it, at once."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.subjects import Person
from base.db_time import instant
from vault.recovery import records
from vault.recovery.recovery_rules import WAIT
from vault.services import Services

KEPT = timedelta(days=7)
"""For which it is neither erased nor joined with another."""


async def recovered_lately(services: Services, person: Person) -> datetime | None:
    """Until when no copy of all of a vault is taken, as the old means could be warned before then:
    48 hours from when the recovery was complete. None once they are over. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.opened_of(tx, macs, person.id)
        if row is None:
            return None
        ends_at: datetime = row.complete_at + WAIT
        return ends_at if row.at < ends_at else None


async def is_kept(services: Services, tx: AsyncConnection, person_id: UUID) -> bool:
    """Whether a vault was opened again within a week. Raises `RowAltered`."""
    row = await records.opened_of(tx, await services.field_encryption.row_macs(), person_id)
    return row is not None and await instant(tx) - row.opened_at < KEPT
