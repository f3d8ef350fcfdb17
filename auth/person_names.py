"""The name by which a person chose to be called, sealed in their row."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from base.key_names import PERSON


async def chosen_name(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> str | None:
    """A person's name, for whom they show it to themselves; None when they chose none. Raises
    `RowAltered`, and what opening the row raises."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        return None
    reader = await services.field_encryption.reader(person_id, tx)
    return reader.open(PERSON, row.id, row.sealed).get("name") or None
