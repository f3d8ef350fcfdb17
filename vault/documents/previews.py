"""Previews and thumbnails: for a deposit that came without, and for documents held from before, a
job draws the first page in a child process and seals it; the thumbnail is made of the preview."""

from uuid import UUID

from sqlalchemy.engine import Row

from base.errors import ErrorKind, ServiceError
from base.key_names import ORIGINAL, PREVIEW, RENDITION, THUMBNAIL
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
    """Draw and store the preview and the thumbnail of a version; returns whether it has a preview
    now.

    Safe to run again: those that exist are kept. A crash leaves a blob that no row refers to, or a
    preview without its thumbnail, which a list then queues. Raises `ServiceError` while the store
    or the decoder does not answer.
    """
    there = await _draw_missing(services, owner_id, version_id, PREVIEW)
    if there:
        await _draw_missing(services, owner_id, version_id, THUMBNAIL)
    return there


async def _draw_missing(services: Services, owner_id: UUID, version_id: UUID, role: str) -> bool:
    """Whether the version has a picture of this role, after it was drawn if it lacked."""
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    source = _source(list(files), role)
    if source is None or any(file.role == role for file in files):
        return source is not None
    try:
        picture = await _draw(services, owner_id, source, role)
        sealed = await _seal(services, owner_id, version_id, role, picture)
    except ServiceError as failure:
        if failure.kind in _RETRYABLE:
            raise
        return False
    async with services.database.transaction() as tx:
        await hold_vault(tx, owner_id)
        files = await records.files_of(tx, owner_id, version_id)
        # Not of a copy that was replaced meanwhile, which may show what recipients no longer get:
        # who replaced it drew another, or left a job.
        now = _source(list(files), role)
        drawn_of_it = now is not None and now.id == source.id
        missing = drawn_of_it and not any(file.role == role for file in files)
        if missing:
            await write(tx, records.add_file(**sealed.row(), person_id=owner_id))
    if not missing:
        await services.storage.blobs.delete(BlobKey(sealed.blob_key))
    return bool(files)


async def _seal(
    services: Services, owner_id: UUID, version_id: UUID, role: str, picture: bytes
) -> SealedContent:
    async with content.content_writer(
        services.storage.blobs, services.storage.keys, owner_id, role, version_id=version_id
    ) as sealing:
        await sealing.write(picture)
        return await sealing.commit()


async def _draw(services: Services, owner_id: UUID, source: Row[UUID], role: str) -> bytes:
    opened = await content.open_content(
        services.storage.blobs, services.storage.keys, owner_id, records.address_of(source)
    )
    decoder = services.decoder
    draw = decoder.thumbnail if role == THUMBNAIL else decoder.preview
    return await draw(opened.whole, account=owner_id, size=opened.length)


def _source(files: list[Row[UUID]], role: str) -> Row[UUID] | None:
    """Of a preview the rendition if there is one, so that it reveals no more, else the original; of
    a thumbnail the preview."""
    for wanted in (PREVIEW,) if role == THUMBNAIL else (RENDITION, ORIGINAL):
        for file in files:
            if file.role == wanted:
                return file
    return None
