"""Previews: the first page of a version, drawn apart and sealed, as a job after the deposit."""

from uuid import UUID

from sqlalchemy.engine import Row

from base.errors import Failure, Kind
from storage import content
from storage.blobs import BlobKey
from storage.content import Address, SealedContent
from vault.house import House
from vault.records import documents as records

PREVIEW = "preview"
_LATER = {Kind.UNAVAILABLE, Kind.TOO_MANY}
"""Kinds of failure that pass: the job is tried again. Any other means that none can be drawn."""


async def draw_preview(house: House, owner_id: UUID, version_id: UUID) -> bool:
    """Draw and keep the preview of a version; whether one is kept now.

    Safe to run again: a version that has one keeps it. A crash leaves a blob that no row refers to.
    Raises `Failure` while the store or the decoder does not answer.
    """
    async with house.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    source = _shown(list(files))
    if source is None or any(one.role == PREVIEW for one in files):
        return source is not None
    try:
        sealed = await _seal(house, owner_id, await _draw(house, owner_id, source))
    except Failure as failure:
        if failure.kind in _LATER:
            raise
        return False
    async with house.database.transaction() as tx:
        await records.lock_vault(tx, owner_id)
        files = await records.files_of(tx, owner_id, version_id)
        wanted = bool(files) and not any(one.role == PREVIEW for one in files)
        if wanted:
            await records.add_files(
                tx,
                [
                    {
                        "id": sealed.id,
                        "version_id": version_id,
                        "person_id": owner_id,
                        "role": PREVIEW,
                        "position": 0,
                        "blob_key": sealed.blob_key,
                        "envelope": sealed.envelope,
                    }
                ],
            )
    if not wanted:
        await house.storage.blobs.delete(BlobKey(sealed.blob_key))
    return bool(files)


async def _seal(house: House, owner_id: UUID, picture: bytes) -> SealedContent:
    async with content.sealing(
        house.storage.blobs, house.storage.keys, owner_id, PREVIEW
    ) as sealing:
        await sealing.write(picture)
        return await sealing.commit()


async def _draw(house: House, owner_id: UUID, source: Row[UUID]) -> bytes:
    address = Address(source.id, source.role, source.blob_key, source.envelope)
    opened = await content.opening(house.storage.blobs, house.storage.keys, owner_id, address)
    return await house.decoder.preview(opened.slices)


def _shown(files: list[Row[UUID]]) -> Row[UUID] | None:
    """What the preview shows: the rendition when there is one, so that it reveals no more."""
    for role in ("rendition", "original"):
        for one in files:
            if one.role == role:
                return one
    return None
