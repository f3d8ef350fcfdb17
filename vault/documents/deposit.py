"""Deposit: files are sealed as they arrive, decoded in another process, stored with a rendition.

Data flow: incoming slices → `intake.receive` → `storage.content.content_writer` → the store. While
the store makes the sealed originals durable, the decoder reads the same bytes, kept in memory if
they are few (`kept_upload`); a large original is read back once it is durable. The rendition and
the preview are sealed too, and all files are durable before rows, jobs and the event are one commit
at the end (`deposit_commit`). Plaintext never touches a disk, and nothing here opens what is sealed
to the owner.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from base.errors import ServiceError, invalid
from base.ids import new_id
from base.key_names import CONTENT, ORIGINAL, PREVIEW, RENDITION, THUMBNAIL
from storage import content
from storage.blobs import BlobKey
from storage.content import ContentWriter, SealedContent
from vault.decoding.decoder import Source
from vault.decoding.media import Inspection
from vault.document_view import DocumentView
from vault.documents.deposit_commit import (
    DepositCommand,
    Deposited,
    check_metadata,
    commit_deposit,
    find_held,
)
from vault.documents.deposit_rows import Depositor, VersionFiles
from vault.documents.intake import Allowance, Incoming, ReceivedFile, naming_one_of, receive
from vault.documents.kept_upload import KeepingSink, KeptUpload
from vault.documents.quotas import check_room
from vault.documents.version_commit import VersionCommand, commit_version
from vault.documents.version_values import inspected_values
from vault.services import Services


async def deposit(services: Services, command: DepositCommand, incoming: Incoming) -> Deposited:
    """Store a new document in a vault."""
    if command.idempotency_key is None:
        # With a key, it may be the one that took the last room, asked again: judged at the end.
        await _check_room(services, command.owner_id, command.depositor, incoming.announced)
    async with _unreferenced_blobs(services) as blobs:
        version = _version(command)
        with KeptUpload() as kept:
            originals = await _receive(services, version, incoming, blobs, kept)
            metadata = check_metadata(command.metadata())
            held = await find_held(services, command, originals.tag) if command.owner_view else None
            if held is not None:
                return held
            files = await _decode(services, version, originals, blobs, kept)
        return await commit_deposit(
            services, command, metadata, _version_files(version, files), blobs.release
        )


async def deposit_version(
    services: Services, command: VersionCommand, incoming: Incoming
) -> DocumentView:
    """Store a new version of a document."""
    await _check_room(
        services, command.owner_id, command.depositor, incoming.announced, documents=0
    )
    async with _unreferenced_blobs(services) as blobs:
        version = _version(command)
        with KeptUpload() as kept:
            originals = await _receive(services, version, incoming, blobs, kept)
            files = await _decode(services, version, originals, blobs, kept)
        return await commit_version(
            services, command, _version_files(version, files), blobs.release
        )


async def _check_room(
    services: Services, owner_id: UUID, depositor: Depositor, announced: int, documents: int = 1
) -> None:
    """Refuse before the first byte what will not fit; the commit judges again."""
    async with services.database.pipeline.transaction() as tx:
        await check_room(
            services, tx, owner_id, grant_id=depositor.grant, size=announced, documents=documents
        )


@dataclass(frozen=True, slots=True)
class _Version:
    """Whose version it is, and its id: its files are bound to both before its row is written.
    `account`: who deposits it."""

    owner_id: UUID
    id: UUID
    account: UUID


def _version(command: DepositCommand | VersionCommand) -> _Version:
    account = command.depositor.actor.id or command.owner_id
    return _Version(command.owner_id, new_id(), account)


@dataclass(frozen=True, slots=True)
class _Original:
    """One original: what is known about it, and what makes it durable."""

    received: ReceivedFile
    sealing: ContentWriter
    publishing: "asyncio.Task[SealedContent]"


@dataclass(slots=True)
class _Originals:
    """The originals of one document, and the keyed hash of their bytes."""

    digest: "hmac.HMAC" = field(repr=False)
    size: int = 0
    files: list[_Original] = field(default_factory=list)

    @property
    def tag(self) -> bytes:
        """The keyed hash of all their bytes, in order: 32 bytes."""
        return self.digest.digest()

    async def sealed(self) -> list[SealedContent]:
        """The sealed originals, durable. Raises what the store raises."""
        return [await file.publishing for file in self.files]


@dataclass(frozen=True, slots=True)
class _StoredFiles:
    """The sealed files of a deposit: durable in the store, their rows not inserted yet."""

    received: tuple[ReceivedFile, ...]
    originals: tuple[SealedContent, ...]
    tag: bytes
    inspection: Inspection
    rendition: SealedContent | None
    preview: SealedContent | None
    thumbnail: SealedContent | None


class _UnreferencedBlobs:
    """Blobs that are being made durable, or are, and that no row refers to yet."""

    def __init__(self) -> None:
        self.publishing: list[asyncio.Task[SealedContent]] = []

    def publish(
        self, opened: AsyncExitStack, sealing: ContentWriter
    ) -> "asyncio.Task[SealedContent]":
        """Make a blob durable meanwhile. `opened` holds its writer, and is closed afterwards."""
        task = asyncio.create_task(_publish(opened, sealing))
        self.publishing.append(task)
        return task

    async def keys(self) -> list[str]:
        """Of the blobs that are durable, once none is being written any more."""
        ended = await asyncio.gather(*self.publishing, return_exceptions=True)
        return [each.blob_key for each in ended if isinstance(each, SealedContent)]

    def release(self) -> None:
        """Called just before their rows commit: from then on only the sweep may remove them,
        because a commit whose answer was lost may have succeeded."""
        self.publishing.clear()


async def _publish(opened: AsyncExitStack, sealing: ContentWriter) -> SealedContent:
    async with opened:
        return await sealing.commit()


@asynccontextmanager
async def _unreferenced_blobs(services: Services) -> AsyncIterator[_UnreferencedBlobs]:
    """Delete at the end the blobs that were not released. The sweep removes what a crash leaves."""
    blobs = _UnreferencedBlobs()
    try:
        yield blobs
    finally:
        for key in await blobs.keys():
            with suppress(ServiceError):
                await services.storage.blobs.delete(BlobKey(key))


async def _receive(
    services: Services,
    version: _Version,
    incoming: Incoming,
    blobs: _UnreferencedBlobs,
    kept: KeptUpload,
) -> _Originals:
    """Seal the originals as they arrive. Their blobs become durable while the next one arrives."""
    writer = await services.field_encryption.writer(version.owner_id)
    originals = _Originals(writer.hasher(CONTENT))
    allowance = Allowance(services.settings.max_document_bytes)
    files = incoming.files()
    async for file in files:
        number = len(originals.files)
        if number >= services.settings.max_parts:
            raise invalid("too_many_files", fields=[("file",)], limit=services.settings.max_parts)
        async with AsyncExitStack() as opened:
            sealing = await _open_writer(opened, services, version, ORIGINAL, number)
            sink = KeepingSink(sealing, kept)
            async with naming_one_of(files, number, allowance):
                received = await receive(file, sink, allowance, originals.digest)
            kept.end_file()
            if originals.files:  # one at a time: each holds a segment in memory
                await originals.files[-1].publishing
            publishing = blobs.publish(opened.pop_all(), sealing)
        originals.files.append(_Original(received, sealing, publishing))
    if not originals.files:
        raise invalid("file_missing", fields=[("file",)])
    originals.size = allowance.used
    return originals


async def _open_writer(
    opened: AsyncExitStack, services: Services, version: _Version, role: str, position: int = 0
) -> ContentWriter:
    return await opened.enter_async_context(
        content.content_writer(
            services.storage.blobs,
            services.storage.keys,
            version.owner_id,
            role,
            version_id=version.id,
            position=position,
        )
    )


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
    services: Services,
    version: _Version,
    originals: _Originals,
    blobs: _UnreferencedBlobs,
    kept: KeptUpload,
) -> _StoredFiles:
    """Decode the originals in a child process, and seal the rendition for recipients, the preview
    and the thumbnail. A crash before this returns leaves blobs that no row refers to."""
    sources = kept.sources() if kept.whole else await _read_back(services, originals)
    with _about_one_of(len(sources)):
        decoding = await services.decoder.inspect(
            sources, account=version.account, size=originals.size
        )
    async with decoding as decoded:
        rendition = preview = thumbnail = None
        if decoded.inspection.rendition != "same":
            copy = decoded.rendition()
            rendition = await _seal(services, version, RENDITION, copy, blobs)
        if decoded.preview is not None:
            preview = await _seal(services, version, PREVIEW, _once(decoded.preview), blobs)
        if decoded.thumbnail is not None:
            small = _once(decoded.thumbnail)
            thumbnail = await _seal(services, version, THUMBNAIL, small, blobs)
        return _StoredFiles(
            received=tuple(file.received for file in originals.files),
            originals=tuple(await originals.sealed()),
            tag=originals.tag,
            inspection=decoded.inspection,
            rendition=None if rendition is None else await rendition,
            preview=None if preview is None else await preview,
            thumbnail=None if thumbnail is None else await thumbnail,
        )


async def _read_back(services: Services, originals: _Originals) -> list[Source]:
    """The originals, once they are durable, opened with the keys in memory."""
    sealed = await originals.sealed()
    return [
        file.sealing.read_back(each, services.storage.blobs).whole
        for file, each in zip(originals.files, sealed, strict=True)
    ]


async def _seal(
    services: Services,
    version: _Version,
    role: str,
    pieces: AsyncIterator[bytes],
    blobs: _UnreferencedBlobs,
) -> "asyncio.Task[SealedContent]":
    """Seal a file that the decoder made; it becomes durable meanwhile."""
    async with AsyncExitStack() as opened:
        sealing = await _open_writer(opened, services, version, role)
        async for piece in pieces:
            await sealing.write(piece)
        return blobs.publish(opened.pop_all(), sealing)


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece


def _version_files(version: _Version, files: _StoredFiles) -> VersionFiles:
    """Originals in the order they came, then what was made of them."""
    made = (files.rendition, files.preview, files.thumbnail)
    there = [file for file in made if file is not None]
    rows = tuple(file.row() for file in (*files.originals, *there))
    return VersionFiles(version.id, files.tag, _sealed_values(files), rows)


def _sealed_values(files: _StoredFiles) -> dict[str, Any]:
    """The values sealed in a version's row, about the originals and about what recipients get."""
    inspection, rendition = files.inspection, files.rendition
    original_type = inspection.media_type.value
    return {
        "parts": [
            {
                "media_type": received.media_type.value,
                "file_name": received.file_name,
                "size": sealed.length,
            }
            for received, sealed in zip(files.received, files.originals, strict=True)
        ],
        **inspected_values(inspection),
        "media_type": original_type,
        "size": sum(sealed.length for sealed in files.originals),
        "rendition_media_type": original_type if rendition is None else str(inspection.rendition),
        "rendition_size": files.originals[0].length if rendition is None else rendition.length,
    }
