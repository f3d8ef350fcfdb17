"""Table and SQL of the keys that sign receipts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class ReceiptKeyRow(Base):
    """A key that signs receipts, or signed them: sealed under the service's key, which is what
    makes its public half believed. From `retired_at` on, only that half is sealed here."""

    __tablename__ = "receipt_key"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    retired_at: Mapped[datetime | None]


async def receipt_keys(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """Every key, the newest first: ids grow."""
    result = await connection.execute(
        select(ReceiptKeyRow.__table__).order_by(ReceiptKeyRow.id.desc())
    )
    return result.all()


async def add_receipt_key(connection: AsyncConnection, key_id: UUID, sealed: bytes) -> None:
    """Insert a new key."""
    await connection.execute(insert(ReceiptKeyRow).values(id=key_id, sealed=sealed))


async def retire_receipt_key(connection: AsyncConnection, key_id: UUID, sealed: bytes) -> None:
    """Keep a key's public half alone, in `sealed`: it signs no more, and verifies for ever."""
    await connection.execute(
        update(ReceiptKeyRow)
        .where(ReceiptKeyRow.id == key_id)
        .values(sealed=sealed, retired_at=now())
    )
