"""Sign-ins that wait for a PIN: after a phone's code, or for a card, known or not."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, delete, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat


class PinStep(Base):
    """The row is the same whether or not anyone is there. Sealed under the service's key: the phone
    whose code was right, or what was read from a card. Inserted and deleted, never changed."""

    __tablename__ = "pin_step"
    __table_args__ = (
        CheckConstraint("kind IN ('phone', 'card')", name="kind"),
        Index("ix_pin_step_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    secret_hash: Mapped[bytes]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    mac: Mapped[bytes]


PIN_STEP_ROW = RowFormat(
    "pin_step", ("id", "kind", "secret_hash", "sealed", "created_at", "expires_at")
)


async def add_step(connection: AsyncConnection, **values: Any) -> None:
    """Insert a step."""
    await connection.execute(insert(PinStep).values(**values))


async def step(connection: AsyncConnection, step_id: UUID) -> Row[Any] | None:
    """A step that is not late."""
    found = await connection.execute(
        select(PinStep.__table__).where(PinStep.id == step_id, PinStep.expires_at > now())
    )
    return found.one_or_none()


async def replace_step(connection: AsyncConnection, **values: Any) -> None:
    """Put a step in the place of the one of its id. The caller MUST hold the step's lock."""
    await connection.execute(delete(PinStep).where(PinStep.id == values["id"]))
    await add_step(connection, **values)


async def take_step(connection: AsyncConnection, step_id: UUID) -> bool:
    """Use a step up: False when another sign-in did, or it is late."""
    taken = await connection.execute(
        delete(PinStep).where(PinStep.id == step_id, PinStep.expires_at > now())
    )
    return taken.rowcount == 1


async def delete_old_steps(connection: AsyncConnection) -> int:
    """Delete the steps that are late."""
    deleted = await connection.execute(delete(PinStep).where(PinStep.expires_at <= now()))
    return deleted.rowcount
