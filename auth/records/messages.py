"""Messages waiting to leave: sealed address and text, deleted when sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, delete, func, insert, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class Message(Base):
    """A message waiting to leave: sealed address and text, deleted when sent.

    `due_at` is when to try (again); null once the demo's inbox shows it.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        Index("ix_message_due_at", "due_at"),
        Index("ix_message_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    sealed: Mapped[bytes]
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    due_at: Mapped[datetime | None] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]


async def add_message(connection: AsyncConnection, *, life: timedelta, **values: Any) -> None:
    """Keep a message to send, worth sending for `life`."""
    await connection.execute(insert(Message).values(attempts=0, expires_at=now() + life, **values))


async def claim_messages(
    connection: AsyncConnection, *, lease: timedelta, limit: int, most_attempts: int
) -> Sequence[Row[UUID, str, bytes, int]]:
    """Take what is due: nobody else takes it before the lease ends. Each counts one attempt."""
    due = (
        select(Message.id)
        .where(
            Message.due_at <= now(),
            Message.expires_at > now(),
            Message.attempts < most_attempts,
        )
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await connection.execute(
        update(Message)
        .where(Message.id.in_(due.scalar_subquery()))
        .values(due_at=now() + lease, attempts=Message.attempts + 1)
        .returning(Message.id, Message.channel, Message.sealed, Message.attempts)
    )
    return taken.all()


async def postpone_message(connection: AsyncConnection, message_id: UUID, delay: timedelta) -> None:
    """Try again after a while."""
    await connection.execute(
        update(Message).where(Message.id == message_id).values(due_at=now() + delay)
    )


async def delete_message(connection: AsyncConnection, message_id: UUID) -> None:
    """Sent, or given up."""
    await connection.execute(delete(Message).where(Message.id == message_id))


async def shelve_message(connection: AsyncConnection, message_id: UUID) -> None:
    """Leave a message in the demo's inbox."""
    await connection.execute(update(Message).where(Message.id == message_id).values(due_at=None))


async def messages(connection: AsyncConnection, limit: int) -> Sequence[Row[Any]]:
    """What waits or is shelved, newest first."""
    found = await connection.execute(
        select(Message.__table__)
        .where(Message.expires_at > now())
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return found.all()


async def delete_beyond(connection: AsyncConnection, keep: int) -> None:
    """Bound the demo's inbox to its newest shelved messages."""
    newest = (
        select(Message.id).where(Message.due_at.is_(None)).order_by(Message.id.desc()).limit(keep)
    )
    await connection.execute(
        delete(Message).where(Message.due_at.is_(None), Message.id.not_in(newest.scalar_subquery()))
    )


async def delete_late_messages(connection: AsyncConnection, most_attempts: int) -> int:
    """Forget what is too late to send, or was tried too often."""
    gone = await connection.execute(
        delete(Message).where(
            or_(
                Message.expires_at <= now(),
                (Message.attempts >= most_attempts) & (Message.due_at <= now()),
            )
        )
    )
    return gone.rowcount


async def seconds_until_due(connection: AsyncConnection, most_attempts: int) -> float | None:
    """Seconds until the next message is due (0 when one is), or None when none waits."""
    # Not GREATEST(0, …) in SQL: it takes the null of an empty table for 0.
    wait = func.extract("epoch", func.min(Message.due_at) - now())
    found = await connection.execute(
        select(wait).where(
            Message.due_at.is_not(None),
            Message.expires_at > now(),
            Message.attempts < most_attempts,
        )
    )
    seconds = found.scalar_one()
    return None if seconds is None else max(float(seconds), 0.0)
