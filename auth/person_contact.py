"""How a person is told something: their phone, their language, their time zone."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from base.key_names import PERSON
from base.time_zones import PARIS, zone_of
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError
from storage.row_macs import RowAltered

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PersonContact:
    """A person without a phone is told at the desk."""

    phone: str | None = field(repr=False)
    language: str
    zone: ZoneInfo = PARIS
    phone_added_at: datetime | None = None
    """None for the phone that opened the vault."""


NOBODY = PersonContact(None, "fr")


async def person_contact(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> PersonContact:
    """The phone, language and zone of a person; no phone for a vault that was erased meanwhile.
    Raises `RowAltered`, and what opening the row raises."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        return PersonContact(None, "fr")
    reader = await services.field_encryption.reader(person_id, tx)
    return _contact(row, reader.open(PERSON, row.id, row.sealed))


async def contact_alike(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> PersonContact:
    """`contact_to_tell`, of somebody whom a caller must not learn to be there: by the same
    statements whoever they are, and of nobody too."""
    try:
        row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
        reader = await services.field_encryption.uncached_reader(person_id, tx)
        if row is None:
            return NOBODY
        return _contact(row, reader.open(PERSON, row.id, row.sealed))
    except (RowAltered, DecryptionError, KeyDestroyed):
        return NOBODY


async def contact_to_tell(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> PersonContact:
    """The same, for a message that is one of many: no phone when the row is not the service's or
    does not open. Whoever altered it neither chooses where a message goes, nor keeps those of
    others back."""
    try:
        return await person_contact(services, tx, person_id)
    except (RowAltered, DecryptionError, KeyDestroyed) as error:
        _log.warning("person_not_told", error=type(error).__name__)
        return PersonContact(None, "fr")


def _contact(row: Any, values: dict[str, Any]) -> PersonContact:
    phone, added_at = values.get("phone"), values.get("phone_added_at")
    return PersonContact(
        phone,
        row.language,
        zone_of(values.get("time_zone"), phone),
        None if added_at is None else datetime.fromisoformat(added_at),
    )
