"""SQL that all subjects share: answers to an `Idempotency-Key`, and counted attempts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text
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


async def attempt_wait(
    connection: AsyncConnection, subject_id: UUID, kind: str, *, limit: int, within: timedelta
) -> int | None:
    """Seconds to wait before one more attempt, or None when one is allowed now.

    The caller MUST hold a lock of the subject: without it two concurrent attempts may both pass.
    """
    made_at = (
        select(Attempt.created_at)
        .where(Attempt.subject_id == subject_id, Attempt.kind == kind)
        .order_by(Attempt.id.desc())
        .offset(limit - 1)
        .limit(1)
        .scalar_subquery()
    )
    row = (await connection.execute(select(made_at.label("made_at"), now().label("at")))).one()
    if row.made_at is None or row.made_at + within <= row.at:
        return None
    return int((row.made_at + within - row.at).total_seconds()) + 1


async def add_attempt(connection: AsyncConnection, subject_id: UUID, kind: str) -> None:
    """Count one attempt."""
    await connection.execute(insert(Attempt).values(id=new_id(), subject_id=subject_id, kind=kind))


async def delete_attempts(connection: AsyncConnection, older_than: timedelta) -> None:
    """Delete the attempts that no longer count."""
    await connection.execute(delete(Attempt).where(Attempt.created_at < now() - older_than))
