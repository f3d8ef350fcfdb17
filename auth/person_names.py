"""The name by which a person chose to be called, sealed in their row."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from auth.subjects import Person
from base.errors import about
from base.key_names import PERSON
from base.user_text import clean_title

LONGEST = 60


async def chosen_name(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> str | None:
    """A person's name, for whom they show it to themselves; None when they chose none. Raises
    `RowAltered`, and what opening the row raises."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        return None
    reader = await services.field_encryption.reader(person_id, tx)
    return reader.open(PERSON, row.id, row.sealed).get("name") or None


async def own_name(services: CoreServices, person: Person) -> str | None:
    """The caller's own."""
    async with services.database.transaction() as tx:
        return await chosen_name(services, tx, person.id)


async def choose_name(services: CoreServices, person: Person, typed: str) -> str | None:
    """Keep the name that a person chose, or none where nothing is left of it: whatever they are
    called by, on one line. A crash before the commit leaves the former one.

    Raises `ServiceError` INVALID `text_too_long`.
    """
    with about("name"):
        name = clean_title(typed, LONGEST)
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        row = await people.person_to_change(tx, macs, person.id)
        if row is not None:
            reader = await services.field_encryption.reader(person.id, tx)
            writer = await services.field_encryption.writer(person.id, tx)
            values = reader.open(PERSON, person.id, row.sealed)
            values.pop("name", None)
            kept = values if name is None else values | {"name": name}
            sealed = writer.seal(PERSON, person.id, kept)
            await people.change_profile(tx, macs, row, phone_tag=row.phone_tag, sealed=sealed)
    return name
