"""The instant by which a transaction judges, and locks held until it ends."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import now


async def instant(connection: AsyncConnection) -> datetime:
    """The database's clock, now."""
    read: datetime = (await connection.execute(select(now()))).scalar_one()
    return read


async def hold(connection: AsyncConnection, tag: bytes) -> None:
    """Wait for the lock named by a tag of 8 bytes or more, and keep it until the transaction ends.

    The statements that follow see whatever its last holder committed.
    """
    key = int.from_bytes(tag[:8], "big", signed=True)
    await connection.execute(select(func.pg_advisory_xact_lock(key)))
