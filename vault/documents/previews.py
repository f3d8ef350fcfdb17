"""Previews: for a deposit that came without one, and for documents held from before, a job draws
the first page in a child process and seals it."""

from uuid import UUID

from sqlalchemy.engine import Row

from base.errors import ErrorKind, ServiceError
from base.key_names import ORIGINAL, PREVIEW, RENDITION
from base.locks import hold_vault
from base.pipeline import write
from storage import content
from storage.blobs import BlobKey
from storage.content import SealedContent
from vault.documents import records
from vault.services import Services

_RETRYABLE = {ErrorKind.UNAVAILABLE, ErrorKind.TOO_MANY}
"""Temporary kinds of failure: the job is retried. Any other means that no preview is possible."""


async def draw_preview(services: Services, owner_id: UUID, version_id: UUID) -> bool:
    """Draw and store the preview of a version; returns whether it has one now.

    Safe to run again: an existing preview is kept. A crash leaves a blob that no row refers to.
    Raises `ServiceError` while the store or the decoder does not answer.
    """
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    source = _source(list(files))
    if source is None or any(file.role == PREVIEW for file in files):
        return source is not None
    try:
        picture = await _draw(services, owner_id, source)
        sealed = await _seal(services, owner_id, version_id, picture)
    except ServiceError as failure:
        if failure.kind in _RETRYABLE:
            raise
        return False
    async with services.database.transaction() as tx:
        await hold_vault(tx, owner_id)
        files = await records.files_of(tx, owner_id, version_id)
        # Not of a copy that was replaced meanwhile, which may show what recipients no longer get:
        # who replaced it drew another preview, or left a job.
        now = _source(list(files))
        drawn_of_it = now is not None and now.id == source.id
        missing = drawn_of_it and not any(file.role == PREVIEW for file in files)
        if missing:
            await write(tx, records.add_file(**sealed.row(), person_id=owner_id))
    if not missing:
        await services.storage.blobs.delete(BlobKey(sealed.blob_key))
    return bool(files)


async def _seal(
    services: Services, owner_id: UUID, version_id: UUID, picture: bytes
) -> SealedContent:
    async with content.content_writer(
        services.storage.blobs, services.storage.keys, owner_id, PREVIEW, version_id=version_id
    ) as sealing:
        await sealing.write(picture)
        return await sealing.commit()


async def _draw(services: Services, owner_id: UUID, source: Row[UUID]) -> bytes:
    opened = await content.open_content(
        services.storage.blobs, services.storage.keys, owner_id, records.address_of(source)
    )
    return await services.decoder.preview(opened.slices, account=owner_id, size=opened.length)


def _source(files: list[Row[UUID]]) -> Row[UUID] | None:
    """The rendition if there is one, so that the preview reveals no more; else the original."""
    for role in (RENDITION, ORIGINAL):
        for file in files:
            if file.role == role:
                return file
    return None
