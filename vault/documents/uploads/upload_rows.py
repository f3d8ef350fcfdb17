"""The row of an upload, inserted with what its sender says of it sealed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import instant
from base.key_names import UPLOAD
from vault.documents.uploads import records
from vault.services import Services

LIFE = timedelta(hours=24)


async def insert(
    services: Services,
    tx: AsyncConnection,
    person_id: UUID,
    upload_id: UUID,
    *,
    length: int,
    said: Mapping[str, Any],
    pieces: int = 0,
    expires_at: datetime | None = None,
) -> dict[str, Any]:
    """Insert an upload's row, whole if it has `pieces`; returns its values. The caller MUST have
    locked the vault and judged whether it has room."""
    macs = await services.field_encryption.row_macs()
    writer, at = await services.field_encryption.writer(person_id, tx), await instant(tx)
    values = {
        "id": upload_id,
        "person_id": person_id,
        "length": length,
        "received": length if pieces else 0,
        "pieces": pieces,
        "refused": False,
        "sealed": writer.seal(UPLOAD, upload_id, dict(said)),
        "created_at": at,
        "expires_at": expires_at or at + LIFE,
    }
    await records.add_upload(tx, **macs.add(records.UPLOAD_ROW, values))
    return values


async def end_as_begun(
    services: Services, tx: AsyncConnection, person_id: UUID, upload_id: UUID
) -> None:
    """Put back when an upload ends: a day after it was begun, however often a form named it."""
    row = await records.upload(tx, person_id, upload_id, lock=True)
    if row is not None:
        macs = await services.field_encryption.row_macs()
        await records.change_upload(tx, macs, row, expires_at=row.created_at + LIFE)
