"""Table and SQL of mandates that were signed on paper."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs


class Mandate(Base):
    """A mandate that was signed: whoever prepared it, on which form, and a keyed tag of its scan.
    Its id is that of the first of its requests. Sealed: its requests with their grants, the paper
    that is the scan and its digest. `seen_at`: when its person was last seen."""

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint("seen_at >= signed_at", name="seen"),
        Index("ix_mandate_person_id", "person_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    worker_id: Mapped[UUID]
    language: Mapped[str]
    template: Mapped[str]
    template_hash: Mapped[bytes]
    scan_tag: Mapped[bytes]
    signed_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    sealed: Mapped[bytes]
    mac: Mapped[bytes]


MANDATE_ROW = RowFormat(
    "mandate", tuple(column.name for column in Mandate.__table__.c if column.name != "mac")
)
_MANDATE = select(Mandate.__table__, now().label("at"))


async def mandate(connection: AsyncConnection, mandate_id: UUID) -> Row[Any] | None:
    """A mandate that was signed, and the current time `at`."""
    result = await connection.execute(_MANDATE.where(Mandate.id == mandate_id))
    return result.one_or_none()


async def add_mandate(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a mandate, with its MAC."""
    await connection.execute(insert(Mandate).values(**values))


async def note_seen(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], seen_at: datetime
) -> None:
    """Store when its person was seen; the caller holds the vault, and checked the MAC."""
    changed = {name: getattr(row, name) for name in MANDATE_ROW.columns} | {"seen_at": seen_at}
    await connection.execute(
        update(Mandate)
        .where(Mandate.id == row.id)
        .values(seen_at=seen_at, mac=macs.of(MANDATE_ROW, changed))
    )
