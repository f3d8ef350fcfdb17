"""Deposit: a paper comes in, is sealed as it arrives, decoded apart, and kept with its rendition.

The way of the data: incoming slices → `intake.receive` → `storage.content.content_writer` → the
store; then the sealed originals are read back slice by slice into the decoder, and its rendition is
sealed in turn. Rows, jobs and the event are one commit at the end (`deposit_commit`). Plaintext
touches no disk, and nothing here opens what is sealed to the owner.
"""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from base.errors import ServiceError, invalid
from base.key_names import CONTENT, ORIGINAL, RENDITION
from storage import content
from storage.blobs import BlobKey
from storage.content import Content, SealedContent
from vault.decoding.media import Inspection
from vault.documents.deposit_commit import (
    DepositCommand,
    Deposited,
    Depositor,
    VersionFiles,
    check_metadata,
    commit_deposit,
    commit_version,
    find_held,
)
from vault.documents.intake import Allowance, Incoming, ReceivedFile, receive
from vault.services import Services


async def deposit(services: Services, command: DepositCommand, incoming: Incoming) -> Deposited:
    """Keep a new document in a vault."""
    async with _loose(services) as loose:
        originals = await _receive(services, command.owner_id, incoming, loose)
        metadata = check_metadata(command.metadata())
        held = await find_held(services, command, originals.tag) if command.owner_view else None
        if held is not None:
            return held
        made = await _make(services, command.owner_id, originals, loose)
        return await commit_deposit(services, command, metadata, _files(made), loose.claim)


async def deposit_version(
    services: Services,
    owner_id: UUID,
    depositor: Depositor,
    document_id: UUID,
    incoming: Incoming,
    *,
    may_change: Callable[[Row[Any] | None], None],
) -> Row[Any]:
    """Keep a new version of a document; its row. `may_change` raises unless it may be changed."""
    async with _loose(services) as loose:
        originals = await _receive(services, owner_id, incoming, loose)
        made = await _make(services, owner_id, originals, loose)
        return await commit_version(
            services, owner_id, depositor, document_id, _files(made), loose.claim,
            may_change=may_change,
        )  # fmt: skip


@dataclass(slots=True)
class _Originals:
    """The sealed originals of one paper, and the keyed hash of their bytes."""

    digest: "hmac.HMAC" = field(repr=False)
    files: list[SealedContent] = field(default_factory=list)
    received: list[ReceivedFile] = field(default_factory=list)
    contents: list[Content] = field(default_factory=list)

    @property
    def tag(self) -> bytes:
        """The keyed hash of all their bytes, in order: 32 bytes."""
        return self.digest.digest()


@dataclass(frozen=True, slots=True)
class _Made:
    """Everything that is durable in the store and waits for its rows."""

    originals: _Originals
    inspection: Inspection
    rendition: SealedContent | None


class _Loose:
    """Blobs that are durable and that no row refers to yet."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def claim(self) -> None:
        """Their rows are about to commit: from here on only the sweep may remove them, since a
        commit whose answer was lost may have happened."""
        self.keys.clear()


@asynccontextmanager
async def _loose(services: Services) -> AsyncIterator[_Loose]:
    """Remove at the end what was not claimed. What a crash leaves here, the sweep removes."""
    loose = _Loose()
    try:
        yield loose
    finally:
        for key in loose.keys:
            with suppress(ServiceError):
                await services.storage.blobs.delete(BlobKey(key))


async def _receive(
    services: Services, owner_id: UUID, incoming: Incoming, loose: _Loose
) -> _Originals:
    """Seal the originals as they arrive."""
    writer = await services.field_encryption.writer(owner_id)
    originals = _Originals(writer.hasher(CONTENT))
    allowance = Allowance(services.settings.max_document_bytes)
    async for one in incoming.files():
        if len(originals.files) >= services.settings.max_parts:
            raise invalid("too_many_files", limit=services.settings.max_parts)
        async with content.content_writer(
            services.storage.blobs, services.storage.keys, owner_id, ORIGINAL
        ) as sealing:
            originals.received.append(await receive(one, sealing, allowance, originals.digest))
            sealed = await sealing.commit()
            originals.contents.append(sealing.read_back(sealed, services.storage.blobs))
        loose.keys.append(sealed.blob_key)
        originals.files.append(sealed)
    if not originals.files:
        raise invalid("file_missing")
    return originals


async def _make(services: Services, owner_id: UUID, originals: _Originals, loose: _Loose) -> _Made:
    """Decode the originals apart, and seal the rendition that recipients will get."""
    sources = [one.slices for one in originals.contents]
    async with await services.decoder.inspect(sources) as decoded:
        if decoded.inspection.rendition == "same":
            return _Made(originals, decoded.inspection, None)
        async with content.content_writer(
            services.storage.blobs, services.storage.keys, owner_id, RENDITION
        ) as sealing:
            async for piece in decoded.rendition():
                await sealing.write(piece)
            rendition = await sealing.commit()
        loose.keys.append(rendition.blob_key)
        return _Made(originals, decoded.inspection, rendition)


def _files(made: _Made) -> VersionFiles:
    """Originals in the order they came, then the rendition, if it is another file."""
    files = [*made.originals.files, *([made.rendition] if made.rendition else [])]
    rows = (
        {
            "id": one.id,
            "role": one.role,
            "position": position if one.role == ORIGINAL else 0,
            "blob_key": one.blob_key,
            "envelope": one.envelope,
        }
        for position, one in enumerate(files)
    )
    return VersionFiles(made.originals.tag, _sealed_values(made), tuple(rows))


def _sealed_values(made: _Made) -> dict[str, Any]:
    """What a version's row keeps, sealed: of the originals, and of what recipients get."""
    inspection, originals = made.inspection, made.originals
    rendition = made.rendition
    own_type = inspection.media_type.value
    return {
        "parts": [
            {
                "media_type": received.media_type.value,
                "file_name": received.file_name,
                "size": one.length,
            }
            for received, one in zip(originals.received, originals.files, strict=True)
        ],
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "media_type": own_type,
        "size": sum(one.length for one in originals.files),
        "rendition_media_type": own_type if rendition is None else str(inspection.rendition),
        "rendition_size": originals.files[0].length if rendition is None else rendition.length,
    }
