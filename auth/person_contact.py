"""Where a person is told something: their phone and language."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from base.key_names import PERSON


@dataclass(frozen=True, slots=True)
class PersonContact:
    """A person without a phone is told at the desk."""

    phone: str | None = field(repr=False)
    language: str


async def person_contact(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> PersonContact:
    """The phone and language of a person; no phone for a vault that was erased meanwhile."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        return PersonContact(None, "fr")
    reader = await services.field_encryption.reader(person_id, tx)
    values = reader.open(PERSON, row.id, row.sealed)
    return PersonContact(values.get("phone"), row.language)
