"""SQL of the answers already given to an `Idempotency-Key`: hashes and ids only."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.records.tables import Idempotency


async def answer(connection: AsyncConnection, key_hash: bytes) -> Row[bytes, UUID] | None:
    """`request_hash` and `result_id` of the answer given to a key."""
    found = await connection.execute(
        select(Idempotency.request_hash, Idempotency.result_id).where(
            Idempotency.key_hash == key_hash
        )
    )
    return found.one_or_none()


async def add_answer(connection: AsyncConnection, **values: Any) -> None:
    """Keep an answer, in the transaction that gives it."""
    await connection.execute(insert(Idempotency).values(**values))
