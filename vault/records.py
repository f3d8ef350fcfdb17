"""SQL that all subjects share: answers to an `Idempotency-Key`, and counted attempts."""

from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import now
from base.ids import new_id
from base.statements import Bound, Statement
from vault.tables import Attempt, Idempotency

_ANSWER = Statement(
    select(Idempotency.__table__).where(Idempotency.key_hash == bindparam("key_hash"))
)
_ADD_ANSWER = Statement(
    insert(Idempotency).values(
        {name: bindparam(name) for name in ("key_hash", "request_hash", "result_id", "mac")}
    ),
    must_write=True,
)


def idempotency_answer(key_hash: bytes) -> Bound:
    """What is stored for a key, one row or none: `request_hash`, `result_id`."""
    return _ANSWER(key_hash=key_hash)


def add_idempotency_answer(**values: Any) -> Bound:
    """Insert an answer."""
    return _ADD_ANSWER(**values)


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
