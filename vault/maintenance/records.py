"""SQL of erasure."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.records import AuditKey
from vault.tables import Grant


async def live_grants(connection: AsyncConnection, person_id: UUID) -> Sequence[UUID]:
    """The grants on a vault that are not revoked, whose downloads may be running."""
    result = await connection.execute(
        select(Grant.id).where(Grant.person_id == person_id, Grant.revoked_at.is_(None))
    )
    return result.scalars().all()


async def delete_audit_keys(connection: AsyncConnection, person_id: UUID) -> None:
    """Destroy the keys that open a person's part of the log."""
    await connection.execute(delete(AuditKey).where(AuditKey.owner_id == person_id))
