"""Deposit: files are sealed as they arrive, decoded in another process, stored with a rendition.

Data flow: incoming slices → `intake.receive` → `storage.content.content_writer` → the store. Then
the sealed originals are read back slice by slice into the decoder, and its rendition is sealed too.
Rows, jobs and the event are one commit at the end (`deposit_commit`). Plaintext never touches a
disk, and nothing here opens what is sealed to the owner.
"""

import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from base.errors import ServiceError, invalid
from base.ids import new_id
from base.key_names import CONTENT, ORIGINAL, RENDITION
from storage import content
from storage.blobs import BlobKey
from storage.content import Content, SealedContent
from vault.decoding.media import Inspection
from vault.document_view import DocumentView
from vault.documents.deposit_commit import (
    DepositCommand,
    Deposited,
    VersionCommand,
    VersionFiles,
    check_metadata,
    commit_deposit,
    commit_version,
    find_held,
)
from vault.documents.intake import Allowance, Incoming, ReceivedFile, naming_one_of, receive
from vault.services import Services


async def deposit(services: Services, command: DepositCommand, incoming: Incoming) -> Deposited:
    """Store a new document in a vault."""
    async with _unreferenced_blobs(services) as blobs:
        version = _Version(command.owner_id, new_id())
        originals = await _receive(services, version, incoming, blobs)
        metadata = check_metadata(command.metadata())
        held = await find_held(services, command, originals.tag) if command.owner_view else None
        if held is not None:
            return held
        files = await _decode(services, version, originals, blobs)
        return await commit_deposit(
            services, command, metadata, _version_files(version, files), blobs.release
        )


async def deposit_version(
    services: Services, command: VersionCommand, incoming: Incoming
) -> DocumentView:
    """Store a new version of a document."""
    async with _unreferenced_blobs(services) as blobs:
        version = _Version(command.owner_id, new_id())
        originals = await _receive(services, version, incoming, blobs)
        files = await _decode(services, version, originals, blobs)
        return await commit_version(
            services, command, _version_files(version, files), blobs.release
        )


@dataclass(frozen=True, slots=True)
class _Version:
    """Whose version it is, and its id: its files are bound to both before its row is written."""

    owner_id: UUID
    id: UUID


@dataclass(slots=True)
class _Originals:
    """The sealed originals of one document, and the keyed hash of their bytes."""

    digest: "hmac.HMAC" = field(repr=False)
    files: list[SealedContent] = field(default_factory=list)
    received: list[ReceivedFile] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)

    @property
    def tag(self) -> bytes:
        """The keyed hash of all their bytes, in order: 32 bytes."""
        return self.digest.digest()


@dataclass(frozen=True, slots=True)
class _StoredFiles:
    """The sealed files of a deposit: durable in the store, their rows not inserted yet."""

    originals: _Originals
    inspection: Inspection
    rendition: SealedContent | None


class _UnreferencedBlobs:
    """Blobs that are durable and that no row refers to yet."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def release(self) -> None:
        """Called just before their rows commit: from then on only the sweep may remove them,
        because a commit whose answer was lost may have succeeded."""
        self.keys.clear()


@asynccontextmanager
async def _unreferenced_blobs(services: Services) -> AsyncIterator[_UnreferencedBlobs]:
    """Delete at the end the blobs that were not released. The sweep removes what a crash leaves."""
    blobs = _UnreferencedBlobs()
    try:
        yield blobs
    finally:
        for key in blobs.keys:
            with suppress(ServiceError):
                await services.storage.blobs.delete(BlobKey(key))


async def _receive(
    services: Services, version: _Version, incoming: Incoming, blobs: _UnreferencedBlobs
) -> _Originals:
    """Seal the originals as they arrive."""
    writer = await services.field_encryption.writer(version.owner_id)
    originals = _Originals(writer.hasher(CONTENT))
    allowance = Allowance(services.settings.max_document_bytes)
    files = incoming.files()
    async for file in files:
        if len(originals.files) >= services.settings.max_parts:
            raise invalid("too_many_files", fields=[("file",)], limit=services.settings.max_parts)
        async with content.content_writer(
            services.storage.blobs,
            services.storage.keys,
            version.owner_id,
            ORIGINAL,
            version_id=version.id,
            position=len(originals.files),
        ) as sealing:
            async with naming_one_of(files, len(originals.files), allowance):
                received = await receive(file, sealing, allowance, originals.digest)
            originals.received.append(received)
            sealed = await sealing.commit()
            originals.contents.append(sealing.read_back(sealed, services.storage.blobs))
        blobs.keys.append(sealed.blob_key)
        originals.files.append(sealed)
    if not originals.files:
        raise invalid("file_missing", fields=[("file",)])
    return originals


@contextmanager
def _about_one_of(files: int) -> Iterator[None]:
    """What does not decode is the only file, or the one that the error names by its number."""
    try:
        yield
    except ServiceError as failure:
        part = failure.values.get("part", 1 if files == 1 else None)
        failure.fields = (("file",) if part is None else ("file", int(part) - 1),)
        if part is not None and files > 1:
            failure.values["parts"] = files
        raise


async def _decode(
    services: Services, version: _Version, originals: _Originals, blobs: _UnreferencedBlobs
) -> _StoredFiles:
    """Decode the originals in a child process, and seal the rendition for recipients."""
    sources = [source.slices for source in originals.contents]
    with _about_one_of(len(sources)):
        decoding = await services.decoder.inspect(sources)
    async with decoding as decoded:
        if decoded.inspection.rendition == "same":
            return _StoredFiles(originals, decoded.inspection, None)
        async with content.content_writer(
            services.storage.blobs,
            services.storage.keys,
            version.owner_id,
            RENDITION,
            version_id=version.id,
        ) as sealing:
            async for chunk in decoded.rendition():
                await sealing.write(chunk)
            rendition = await sealing.commit()
        blobs.keys.append(rendition.blob_key)
        return _StoredFiles(originals, decoded.inspection, rendition)


def _version_files(version: _Version, files: _StoredFiles) -> VersionFiles:
    """Originals in the order they came, then the rendition, if it is another file."""
    sealed = [*files.originals.files, *([files.rendition] if files.rendition else [])]
    rows = tuple(file.row() for file in sealed)
    return VersionFiles(version.id, files.originals.tag, _sealed_values(files), rows)


def _sealed_values(files: _StoredFiles) -> dict[str, Any]:
    """The values sealed in a version's row, about the originals and about what recipients get."""
    inspection, originals = files.inspection, files.originals
    rendition = files.rendition
    original_type = inspection.media_type.value
    return {
        "parts": [
            {
                "media_type": received.media_type.value,
                "file_name": received.file_name,
                "size": sealed.length,
            }
            for received, sealed in zip(originals.received, originals.files, strict=True)
        ],
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "media_type": original_type,
        "size": sum(sealed.length for sealed in originals.files),
        "rendition_media_type": original_type if rendition is None else str(inspection.rendition),
        "rendition_size": originals.files[0].length if rendition is None else rendition.length,
    }
