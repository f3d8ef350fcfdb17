"""SQL of upkeep: locks between backup and sweep, and rows past their date."""

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import now
from storage.records import BLOBS_LOCK
from vault.records.tables import Idempotency


async def hold_store(connection: AsyncConnection) -> None:
    """Keep backups waiting, or wait for one, until the transaction ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": BLOBS_LOCK})


async def forget_idempotency(connection: AsyncConnection) -> None:
    """Forget the answers given more than a day ago."""
    old = Idempotency.created_at < now() - text("interval '1 day'")
    await connection.execute(delete(Idempotency).where(old))
