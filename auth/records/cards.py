"""Cards: keyed tags of the code and of the QR's secret, never these; and wrong PINs, counted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from storage.row_macs import RowFormat, RowMacs


class CardRow(Base):
    """A card that works, or that wrong PINs barred; one that was replaced or ended is gone.

    `code_sealed`: the code, under the QR's secret. `pin_sealed`: what proves the PIN of that
    `edition`, to the card's `public_key`. `wrong`: PINs since the last right one, as
    `auth/card_tries.py` counts them. `sealed`, under the person's key: how the code ends.
    """

    __tablename__ = "card"
    __table_args__ = (
        Index("uq_card_code_tag", "code_tag", unique=True),
        Index("uq_card_secret_tag", "secret_tag", unique=True),
        Index("ix_card_person_id", "person_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    code_tag: Mapped[bytes]
    secret_tag: Mapped[bytes]
    code_sealed: Mapped[bytes]
    public_key: Mapped[bytes]
    pin_sealed: Mapped[bytes]
    edition: Mapped[int]
    wrong: Mapped[int]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    mac: Mapped[bytes]


CARD_ROW = RowFormat(
    "card",
    ("id", "person_id", "code_tag", "secret_tag", "code_sealed", "public_key", "pin_sealed",
     "edition", "wrong", "sealed", "created_at", "used_at"),
)  # fmt: skip


async def card_by_code(
    connection: AsyncConnection, macs: RowMacs, code_tag: bytes
) -> Row[Any] | None:
    """The card of a code. Raises `RowAltered`."""
    found = await connection.execute(select(CardRow.__table__).where(CardRow.code_tag == code_tag))
    return _checked(macs, found.one_or_none())


async def card_by_secret(
    connection: AsyncConnection, macs: RowMacs, secret_tag: bytes
) -> Row[Any] | None:
    """The card of a QR's secret. Raises `RowAltered`."""
    found = await connection.execute(
        select(CardRow.__table__).where(CardRow.secret_tag == secret_tag)
    )
    return _checked(macs, found.one_or_none())


async def cards_of(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Sequence[Row[Any]]:
    """A person's cards, the oldest first. Raises `RowAltered`."""
    found = await connection.execute(
        select(CardRow.__table__).where(CardRow.person_id == person_id).order_by(CardRow.id)
    )
    rows = found.all()
    for row in rows:
        macs.check(CARD_ROW, row)
    return rows


async def add_card(connection: AsyncConnection, macs: RowMacs, **values: Any) -> None:
    """Insert a card."""
    await connection.execute(insert(CardRow).values(macs.add(CARD_ROW, values)))


async def change_card(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Write some columns of a card, and its `mac`. The caller MUST hold the vault's lock."""
    changed = {name: getattr(row, name) for name in CARD_ROW.columns} | values
    await connection.execute(
        update(CardRow).where(CardRow.id == row.id).values(**values, mac=macs.of(CARD_ROW, changed))
    )


async def delete_card(connection: AsyncConnection, card_id: UUID) -> None:
    """Delete a card: it opens nothing from that commit on."""
    await connection.execute(delete(CardRow).where(CardRow.id == card_id))


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(CARD_ROW, row)
    return row
