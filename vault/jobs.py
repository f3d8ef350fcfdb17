"""Deferring jobs, which run after the answer. A job is inserted in the transaction that causes it,
so it exists exactly when its cause is committed. Arguments are ids only (invariant 5)."""

from uuid import UUID

import procrastinate
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import psycopg_connection

PREVIEW = "preview"
SCAN = "scan"
QUEUE = "vault"

# Never opened: it only inserts rows, on the connection of the use case.
_app = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer_preview(connection: AsyncConnection, owner_id: UUID, version_id: UUID) -> None:
    """Defer drawing the first page of a version."""
    await _defer(connection, PREVIEW, owner_id, version_id)


async def defer_scan(connection: AsyncConnection, owner_id: UUID, version_id: UUID) -> None:
    """Defer the virus scan of a version."""
    await _defer(connection, SCAN, owner_id, version_id)


async def _defer(connection: AsyncConnection, task: str, owner_id: UUID, version_id: UUID) -> None:
    configured = _app.configure_task(
        task, queue=QUEUE, connection=await psycopg_connection(connection)
    )
    await configured.defer_async(owner_id=str(owner_id), version_id=str(version_id))
