"""A phone as a means: kept in its person's row, with when it was added and used, sealed there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.person_values import open_values, write_values
from auth.services import CoreServices
from base.db_time import instant
from base.key_names import PERSON, PHONE_MEANS
from storage.row_macs import RowAltered


@dataclass(frozen=True, slots=True)
class PhoneMeans:
    """The phone of a vault. `used_at`: None where it was not used since this is kept."""

    id: UUID
    phone: str = field(repr=False)
    added_at: datetime
    used_at: datetime | None


async def phone_of(services: CoreServices, tx: AsyncConnection, row: Any) -> PhoneMeans | None:
    """The phone of a person's row, which was checked."""
    if row.phone_tag is None:
        return None
    reader = await services.field_encryption.reader(row.id, tx)
    values = reader.open(PERSON, row.id, row.sealed)
    return PhoneMeans(
        await means_id(services, row.id, row.phone_tag),
        values["phone"],
        _moment(values.get("phone_added_at")) or row.created_at,
        _moment(values.get("phone_used_at")),
    )


async def means_id(services: CoreServices, person_id: UUID, phone_tag: bytes) -> UUID:
    """The id of a phone among its vault's means. Another phone, or vault, has another."""
    tag = await services.field_encryption.tag(PHONE_MEANS, person_id.bytes, phone_tag)
    return UUID(bytes=tag[:16], version=5)


async def mark_used(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, *, has_pin: bool
) -> None:
    """The phone let its holder in, in the transaction that does so.

    `has_pin`: whether a PIN was asked. Raises `RowAltered` where the person's row says otherwise:
    deleting a PIN's row opens nothing.
    """
    row, values = await open_values(services, tx, person_id)
    if bool(values.get("pin")) != has_pin:
        raise RowAltered("pin")
    used = {"phone_used_at": (await instant(tx)).isoformat()}
    await write_values(services, tx, row, values | used, row.phone_tag)


async def put_phone(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, phone: str, phone_tag: bytes
) -> None:
    """Give a vault a phone, in the place of the one that it had. The caller MUST hold the lock of
    the phone's tag and the vault's, and have looked at who else has it."""
    row, values = await open_values(services, tx, person_id)
    added = {"phone": phone, "phone_added_at": (await instant(tx)).isoformat()}
    values.pop("phone_used_at", None)
    await write_values(services, tx, row, values | added, phone_tag)


async def remove_phone(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Leave a vault without a phone. The caller MUST hold the vault's lock."""
    row, values = await open_values(services, tx, person_id)
    kept = {name: value for name, value in values.items() if not name.startswith("phone")}
    await write_values(services, tx, row, kept, None)


async def mark_pin(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, edition: int
) -> None:
    """Say in the person's row that there is a PIN, and which: from here on, their phone asks it."""
    row, values = await open_values(services, tx, person_id)
    await write_values(services, tx, row, values | {"pin": edition}, row.phone_tag)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
