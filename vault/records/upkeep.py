"""SQL of upkeep: rows past their date."""

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import now
from vault.records.tables import Idempotency


async def forget_idempotency(connection: AsyncConnection) -> None:
    """Forget the answers given more than a day ago."""
    old = Idempotency.created_at < now() - text("interval '1 day'")
    await connection.execute(delete(Idempotency).where(old))
