"""SQL of what is paced by attempts, whether they succeed or not."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import now
from base.ids import new_id
from vault.records.tables import Attempt


async def over_the_pace(
    connection: AsyncConnection, subject_id: UUID, kind: str, *, most: int, within: timedelta
) -> int | None:
    """Seconds to wait before one more attempt, or None when there is room now.

    Read under a lock of the subject: two at once would both find room.
    """
    made_at = (
        select(Attempt.created_at)
        .where(Attempt.subject_id == subject_id, Attempt.kind == kind)
        .order_by(Attempt.id.desc())
        .offset(most - 1)
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


async def forget_attempts(connection: AsyncConnection, older_than: timedelta) -> None:
    """Drop the attempts that no longer count (the sweep)."""
    await connection.execute(delete(Attempt).where(Attempt.created_at < now() - older_than))
