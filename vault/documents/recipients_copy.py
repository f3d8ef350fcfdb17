"""What recipients get of a version: the copy cleaned by today's rules, made anew when it is older.

A version's sealed row says by which edition of the rules its copy was made (`cleaning`), and
whether recipients get the only original because it has nothing to remove (`same`). A paper held
from before is decoded again when a recipient first reads it, after that access is recorded and
before anything leaves. Its owner may choose that recipients get a signed PDF as it was signed,
while its content is this version, and if nothing but details is in it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from base.errors import ErrorKind, ServiceError
from base.key_names import DOCUMENT_VERSION, ORIGINAL, PREVIEW, RENDITION, THUMBNAIL
from base.locks import hold_vault
from base.pipeline import write
from storage import content
from storage.content import SealedContent
from storage.envelopes import Address
from vault import jobs
from vault.decoding.media import CLEANING, Inspection, MediaType
from vault.document_view import may_give_original
from vault.documents import records
from vault.documents.version_values import inspected_values
from vault.services import Services
from vault.tables import VERSION_ROW

_TEMPORARY = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.TOO_MANY})

_turns: "WeakValueDictionary[UUID, asyncio.Lock]" = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class RecipientsFile:
    """A file that recipients may have. `edition`: of the rules by which it was made."""

    address: Address
    media_type: str
    edition: int


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy made anew, durable in the store; no row refers to it yet."""

    inspection: Inspection
    rendition: SealedContent | None
    preview: SealedContent | None
    thumbnail: SealedContent | None


async def recipients_file(
    services: Services, owner_id: UUID, row: Any, file: dict[str, Any], *, original: bool
) -> RecipientsFile:
    """The file for recipients, of a row that joins a version with one of its files: its preview, if
    that is what was asked for. `original`: the owner chose so.

    The caller MUST have recorded the access and committed the record. Raises `ServiceError`:
    "cannot_be_handed_on" when the paper can no longer be cleaned, "no_preview" when there is none
    yet, "content_broken" when the row of its copy is gone, and what the decoder raises while it
    cannot answer.
    """
    preview = row.role == PREVIEW
    address: Address | None = records.joined_address(row)
    if file.get("cleaning", 0) < CLEANING:
        file, address = await _clean_again(services, owner_id, row.v_id), None
    if file.get("uncleanable"):
        raise ServiceError(ErrorKind.CONFLICT, "cannot_be_handed_on")
    role = PREVIEW if preview else _role(file, original=original and may_give_original(file))
    if address is None or address.role != role:
        address = await _address(services, owner_id, row.v_id, role)
    if address is None:
        if preview:
            raise ServiceError(ErrorKind.NOT_FOUND, "no_preview")
        raise ServiceError(ErrorKind.UNAVAILABLE, "content_broken")
    return RecipientsFile(address, _media_type(file, role), file["cleaning"])


def _role(file: dict[str, Any], *, original: bool) -> str:
    return ORIGINAL if original or file["same"] else RENDITION


def _media_type(file: dict[str, Any], role: str) -> str:
    if role == PREVIEW:
        return MediaType.JPEG.value
    media_type: str = file["media_type"] if role == ORIGINAL else file["rendition_media_type"]
    return media_type


async def _address(
    services: Services, owner_id: UUID, version_id: UUID, role: str
) -> Address | None:
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, owner_id, version_id)
    return next((records.address_of(each) for each in files if each.role == role), None)


async def _clean_again(services: Services, owner_id: UUID, version_id: UUID) -> dict[str, Any]:
    """The version's values, after its copy was made anew: once, however many ask at the same time
    of one process; what a second process makes is dropped.

    A crash leaves blobs that no row refers to, and so does the copy of before: the sweep removes
    them. The copy of before is still being read by its owner at most: where the store reads by
    ranges, a sweep then cuts their download, as a deletion does.
    """
    turn = _turns.setdefault(version_id, asyncio.Lock())
    async with turn:
        async with services.database.transaction() as tx:
            values = await _open(services, tx, owner_id, version_id)
            files = await records.files_of(tx, owner_id, version_id)
        if values.get("cleaning", 0) >= CLEANING:
            return values
        try:
            copy = await _make_copy(services, owner_id, version_id, files)
        except ServiceError as failure:
            if failure.kind in _TEMPORARY:
                raise
            copy = None
        return await _replace(services, owner_id, version_id, copy)


async def _open(
    services: Services, tx: AsyncConnection, owner_id: UUID, version_id: UUID
) -> dict[str, Any]:
    row = await records.version(tx, owner_id, version_id)
    if row is None:
        raise ServiceError(ErrorKind.NOT_FOUND, "not_found")
    (await services.field_encryption.row_macs()).check(VERSION_ROW, row)
    reader = await services.field_encryption.reader(owner_id, tx)
    values: dict[str, Any] = reader.open(DOCUMENT_VERSION, row.id, row.sealed)
    return values


async def _make_copy(
    services: Services, owner_id: UUID, version_id: UUID, files: Sequence[Any]
) -> _Copy:
    originals = [
        await content.open_content(
            services.storage.blobs, services.storage.keys, owner_id, records.address_of(file)
        )
        for file in files
        if file.role == ORIGINAL
    ]
    size = sum(each.length for each in originals)
    try:
        decoding = await services.decoder.inspect(
            [each.whole for each in originals], account=_account(owner_id), size=size
        )
    except ServiceError as failure:
        if failure.kind is not ErrorKind.TOO_MANY:
            raise
        # The count is the vault's, and no business of a recipient.
        raise _busy(failure) from None
    async with decoding as decoded:
        rendition = preview = thumbnail = None
        if decoded.inspection.rendition != "same":
            copy = decoded.rendition()
            rendition = await _seal(services, owner_id, version_id, RENDITION, copy)
        if decoded.preview is not None:
            drawn = _once(decoded.preview)
            preview = await _seal(services, owner_id, version_id, PREVIEW, drawn)
        if decoded.thumbnail is not None:
            small = _once(decoded.thumbnail)
            thumbnail = await _seal(services, owner_id, version_id, THUMBNAIL, small)
        return _Copy(decoded.inspection, rendition, preview, thumbnail)


def _account(owner_id: UUID) -> UUID:
    """Whose turn and processor time it takes to clean a vault's papers anew: one for each vault,
    and not its owner's own, whose deposits recipients would hold up by reading."""
    return uuid5(owner_id, "held papers")


def _busy(failure: ServiceError) -> ServiceError:
    return ServiceError(ErrorKind.UNAVAILABLE, "decoder_busy", retry_after=failure.retry_after)


async def _seal(
    services: Services, owner_id: UUID, version_id: UUID, role: str, pieces: AsyncIterator[bytes]
) -> SealedContent:
    async with content.content_writer(
        services.storage.blobs, services.storage.keys, owner_id, role, version_id=version_id
    ) as sealing:
        async for piece in pieces:
            await sealing.write(piece)
        return await sealing.commit()


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


async def _replace(
    services: Services, owner_id: UUID, version_id: UUID, copy: _Copy | None
) -> dict[str, Any]:
    """The version's values, once its rows name the new copy, or say that there can be none."""
    async with services.database.transaction() as tx:
        await hold_vault(tx, owner_id)
        values = await _open(services, tx, owner_id, version_id)
        if values.get("cleaning", 0) >= CLEANING:  # another process was first
            return values
        values |= _values(values, copy)
        writer = await services.field_encryption.writer(owner_id, tx)
        macs = await services.field_encryption.row_macs()
        sealed = writer.seal(DOCUMENT_VERSION, version_id, values)
        await records.change_version(tx, macs, owner_id, version_id, sealed=sealed)
        if copy is not None:
            # Without one, its owner keeps what they had: the PDF made of several photos.
            await records.delete_copies(tx, owner_id, version_id)
            for each in (copy.rendition, copy.preview, copy.thumbnail):
                if each is not None:
                    await write(tx, records.add_file(**each.row(), person_id=owner_id))
            if copy.preview is None:
                await write(tx, jobs.preview_job(owner_id, version_id))
    return values


def _values(values: dict[str, Any], copy: _Copy | None) -> dict[str, Any]:
    if copy is None:
        return {"cleaning": CLEANING, "uncleanable": True, "same": False}
    original = values["parts"][0]
    rendition = copy.rendition
    return inspected_values(copy.inspection) | {
        "rendition_media_type": str(
            original["media_type"] if rendition is None else copy.inspection.rendition
        ),
        "rendition_size": original["size"] if rendition is None else rendition.length,
    }
