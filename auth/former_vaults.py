"""The vaults that ended in another one: what they were stays their person's to read there."""

from dataclasses import dataclass
from datetime import datetime

from auth.records import joins as records
from auth.services import CoreServices
from auth.subjects import Person


@dataclass(frozen=True, slots=True)
class FormerVault:
    """A vault that ended in another, as the person whose log and consents are still there."""

    person: Person
    joined_at: datetime


async def former_vaults(services: CoreServices, person: Person) -> list[FormerVault]:
    """The vaults that ended in this one, the last first. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.joins_into(tx, macs, person.id)
    return [FormerVault(Person(row.person_id), row.joined_at) for row in rows]
