"""Messages waiting to be sent: sealed address and text, deleted when sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now

LONGEST_DELAY = timedelta(minutes=5)
"""Before the next attempt; a lease is shorter."""


class Message(Base):
    """A message waiting to be sent: sealed address and text, deleted when sent.

    `due_at` is the time of the next attempt; null once the demo's inbox shows it.
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
    """Insert a message to send within `life`."""
    await connection.execute(insert(Message).values(attempts=0, expires_at=now() + life, **values))


async def claim_messages(
    connection: AsyncConnection,
    channel: str,
    *,
    lease: timedelta,
    limit: int,
    max_attempts: int,
) -> Sequence[Row[UUID, str, bytes, int]]:
    """Take due messages of a channel: nobody else takes them before the lease ends. Counts one
    attempt each."""
    due = (
        select(Message.id)
        .where(
            Message.channel == channel,
            Message.due_at <= now(),
            Message.expires_at > now(),
            Message.attempts < max_attempts,
        )
        .order_by(Message.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # Not a plain subquery: a plan may run that once a row, and take more than `limit`.
        .cte("due")
    )
    taken = await connection.execute(
        update(Message)
        .where(Message.id.in_(select(due.c.id)))
        .values(due_at=now() + lease, attempts=Message.attempts + 1)
        .returning(Message.id, Message.channel, Message.sealed, Message.attempts)
    )
    return taken.all()


async def bring_forward(connection: AsyncConnection) -> None:
    """Make due what is due later than any delay or lease makes it: the clock was ahead when that
    was written, and has been set right since. Such a message would wait for the time of the wrong
    clock."""
    await connection.execute(
        update(Message).where(Message.due_at > now() + LONGEST_DELAY).values(due_at=now())
    )


async def postpone_message(connection: AsyncConnection, message_id: UUID, delay: timedelta) -> None:
    """Try again after a while, `LONGEST_DELAY` at most."""
    await connection.execute(
        update(Message).where(Message.id == message_id).values(due_at=now() + delay)
    )


async def delete_message(connection: AsyncConnection, message_id: UUID) -> None:
    """Delete a message that was sent or given up."""
    await connection.execute(delete(Message).where(Message.id == message_id))


async def keep_in_inbox(connection: AsyncConnection, message_id: UUID) -> None:
    """Leave a message in the demo's inbox."""
    await connection.execute(update(Message).where(Message.id == message_id).values(due_at=None))


async def messages(connection: AsyncConnection, limit: int) -> Sequence[Row[Any]]:
    """Messages waiting or kept in the inbox, newest first."""
    result = await connection.execute(
        select(Message.__table__)
        .where(Message.expires_at > now())
        .order_by(Message.id.desc())
        .limit(limit)
    )
    return result.all()


async def trim_inbox(connection: AsyncConnection, keep: int) -> None:
    """Limit the demo's inbox to its newest `keep` messages."""
    newest = (
        select(Message.id).where(Message.due_at.is_(None)).order_by(Message.id.desc()).limit(keep)
    )
    await connection.execute(
        delete(Message).where(Message.due_at.is_(None), Message.id.not_in(newest.scalar_subquery()))
    )


async def delete_late_messages(connection: AsyncConnection, max_attempts: int) -> int:
    """Delete messages that are too late to send, or were tried too often."""
    deleted = await connection.execute(
        delete(Message).where(
            or_(
                Message.expires_at <= now(),
                (Message.attempts >= max_attempts) & (Message.due_at <= now()),
            )
        )
    )
    return deleted.rowcount


async def seconds_until_due(
    connection: AsyncConnection, channel: str, max_attempts: int
) -> float | None:
    """Seconds until the next message of a channel is due (0 when one is); None when none waits."""
    # Not GREATEST(0, …) in SQL: it would turn the null of an empty table into 0.
    wait = func.extract("epoch", func.min(Message.due_at) - now())
    result = await connection.execute(
        select(wait).where(
            Message.channel == channel,
            Message.due_at.is_not(None),
            Message.expires_at > now(),
            Message.attempts < max_attempts,
        )
    )
    seconds = result.scalar_one()
    return None if seconds is None else max(float(seconds), 0.0)


async def any_waits(connection: AsyncConnection, ids: Sequence[UUID]) -> bool:
    """Whether one of these was neither sent nor dropped yet."""
    waiting = select(Message.id).where(
        Message.id.in_(ids), Message.due_at.is_not(None), Message.expires_at > now()
    )
    return (await connection.execute(waiting.limit(1))).one_or_none() is not None
