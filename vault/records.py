"""SQL that all subjects share: answers to an `Idempotency-Key`, and counted attempts."""

from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import now
from base.ids import new_id
from vault.tables import Attempt, Idempotency


async def idempotency_answer(connection: AsyncConnection, key_hash: bytes) -> Row[Any] | None:
    """What is stored for a key: `request_hash`, `result_id`."""
    result = await connection.execute(
        select(Idempotency.__table__).where(Idempotency.key_hash == key_hash)
    )
    return result.one_or_none()


async def add_idempotency_answer(connection: AsyncConnection, **values: Any) -> None:
    """Insert an answer."""
    await connection.execute(insert(Idempotency).values(**values))


async def delete_idempotency_answers(connection: AsyncConnection) -> None:
    """Delete the answers older than a day."""
    old = Idempotency.created_at < now() - text("interval '1 day'")
    await connection.execute(delete(Idempotency).where(old))


async def attempts(
    connection: AsyncConnection, subject_id: UUID, kind: str, *, limit: int, within: timedelta
) -> tuple[int, int]:
    """How many attempts count, up to the limit, and the seconds until the oldest of them does not,
    or until one made now would not.

    The caller MUST hold a lock of the subject to add one: without it two at once may both pass.
    """
    counted = (
        select(Attempt.created_at)
        .where(
            Attempt.subject_id == subject_id,
            Attempt.kind == kind,
            Attempt.created_at > now() - within,
            Attempt.created_at <= now(),  # not those of a clock that was since put back
        )
        .order_by(Attempt.id.desc())
        .limit(limit)
        .subquery()
    )
    oldest = func.coalesce(func.min(counted.c.created_at), now())
    query = select(func.count().label("made"), (oldest + within - now()).label("more_in"))
    row = (await connection.execute(query.select_from(counted))).one()
    return row.made, ceil(row.more_in.total_seconds())


async def add_attempt(connection: AsyncConnection, subject_id: UUID, kind: str) -> None:
    """Count one attempt."""
    await connection.execute(insert(Attempt).values(id=new_id(), subject_id=subject_id, kind=kind))


async def delete_attempts(connection: AsyncConnection, older_than: timedelta) -> None:
    """Delete the attempts that no longer count."""
    await connection.execute(delete(Attempt).where(Attempt.created_at < now() - older_than))
