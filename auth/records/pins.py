"""PINs: what proves one, and the people of a phone, of whom some have one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import ASLEEP, PERSON_ROW, PersonRow
from base.database import Base
from storage.row_macs import RowFormat, RowMacs


class PinRow(Base):
    """A vault's PIN. `sealed`, under its person's key: what proves it, while a phone needs it; each
    card has its own. `edition`: how often it was chosen; cards name the one that is theirs."""

    __tablename__ = "pin"
    __table_args__ = (CheckConstraint("digits IN (4, 6)", name="digits"),)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey(PersonRow.id, ondelete="CASCADE"), primary_key=True
    )
    edition: Mapped[int]
    digits: Mapped[int]
    salt: Mapped[bytes]
    sealed: Mapped[bytes | None]
    set_at: Mapped[datetime]
    mac: Mapped[bytes]


PIN_ROW = RowFormat("pin", ("person_id", "edition", "digits", "salt", "sealed", "set_at"))


async def pin(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> Row[Any] | None:
    """The PIN of a vault. Raises `RowAltered`."""
    found = await connection.execute(select(PinRow.__table__).where(PinRow.person_id == person_id))
    row = found.one_or_none()
    if row is not None:
        macs.check(PIN_ROW, row)
    return row


async def put_pin(connection: AsyncConnection, macs: RowMacs, **values: Any) -> None:
    """Insert a PIN, or replace the one of the same vault."""
    row = insert(PinRow).values(macs.add(PIN_ROW, values))
    changed = {name: getattr(row.excluded, name) for name in (*PIN_ROW.columns[1:], "mac")}
    await connection.execute(row.on_conflict_do_update(index_elements=["person_id"], set_=changed))


async def people_of_phone(
    connection: AsyncConnection, macs: RowMacs, phone_tags: Sequence[bytes]
) -> list[Row[Any]]:
    """The people whose phone it is, the first come first: of the first form of the number that
    finds someone. Each with `asleep` (unused for so long that the number may be another's) and
    `has_pin`. One query in every case. Raises `RowAltered`."""
    has_pin = (
        select(PinRow.person_id).where(PinRow.person_id == PersonRow.id).exists().label("has_pin")
    )
    found = await connection.execute(
        select(PersonRow.__table__, ASLEEP, has_pin)
        .where(PersonRow.phone_tag.in_(phone_tags))
        .order_by(PersonRow.id)
    )
    rows = list(found)
    first = min((phone_tags.index(row.phone_tag) for row in rows), default=0)
    kept = [row for row in rows if row.phone_tag == phone_tags[first]]
    for row in kept:
        macs.check(PERSON_ROW, row)
    return kept
