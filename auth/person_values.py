"""What is sealed of a person: read, or opened to be changed and written back."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from base.key_names import PERSON
from storage.row_macs import RowAltered


async def read_values(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> dict[str, Any]:
    """What is sealed of a person. Raises `RowAltered`, also where there is none."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        raise RowAltered("person")
    reader = await services.field_encryption.reader(person_id, tx)
    values: dict[str, Any] = reader.open(PERSON, person_id, row.sealed)
    return values


async def open_values(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> tuple[Any, dict[str, Any]]:
    """A person's row, locked, and what is sealed in it. Raises as `read_values`."""
    macs = await services.field_encryption.row_macs()
    row = await people.person_to_change(tx, macs, person_id)
    if row is None:
        raise RowAltered("person")
    reader = await services.field_encryption.reader(person_id, tx)
    return row, reader.open(PERSON, person_id, row.sealed)


async def write_values(
    services: CoreServices,
    tx: AsyncConnection,
    row: Any,
    values: dict[str, Any],
    phone_tag: bytes | None,
) -> None:
    """Seal what is known of a person, in the row that `open_values` gave."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(row.id, tx)
    sealed = writer.seal(PERSON, row.id, values)
    await people.change_profile(tx, macs, row, phone_tag=phone_tag, sealed=sealed)
