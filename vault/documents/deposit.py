"""Deposit: a paper comes in, is sealed as it arrives, decoded apart, and kept with its rendition.

The way of the data: incoming slices → `receiving.take` → `storage.content.sealing` → the store;
then the sealed originals are read back slice by slice into the decoder, and its rendition is
sealed in turn. Rows, jobs and the event are one commit at the end (`keeping`). Plaintext touches no
disk.
"""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from base.errors import ServiceError, invalid
from storage import content
from storage.blobs import BlobKey
from storage.content import Address, SealedContent
from vault.decoding.media import Inspection
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents.deposit_commit import (
    Deposited,
    Depositor,
    Judge,
    VersionFiles,
    answer_held,
    check_metadata,
    commit_deposit,
    commit_version,
)
from vault.documents.intake import Allowance, Incoming, ReceivedFile, receive
from vault.services import Services


async def deposit(
    services: Services,
    owner_id: UUID,
    depositor: Depositor,
    incoming: Incoming,
    metadata: Callable[[], DocumentMetadata],
    *,
    judge: Judge | None = None,
    idempotency_key: str | None = None,
) -> Deposited:
    """Keep a new document in a vault.

    `facts` is called once the files are read, since a form's fields may follow its files. `judge`
    judges a recipient's right again in the transaction that commits (invariant 3). The owner who
    deposits the same bytes again is answered with the document already held.
    """
    async with _loose(services) as loose:
        originals = await _receive(services, owner_id, incoming, loose)
        said = check_metadata(metadata())
        if depositor.grant is None:
            held = await answer_held(services, owner_id, depositor, originals.tag)
            if held is not None:
                return held
        made = await _make(services, owner_id, originals, loose)
        return await commit_deposit(
            services, owner_id, depositor, said, _files(made), loose.claim, judge=judge,
            idempotency_key=idempotency_key,
        )  # fmt: skip


async def new_version(
    services: Services,
    owner_id: UUID,
    depositor: Depositor,
    document_id: UUID,
    incoming: Incoming,
    *,
    may_change: Callable[[Row[Any] | None], None],
) -> DocumentView:
    """Keep a new version of a document. `may_change` raises unless the row may be changed."""
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
    taken: list[ReceivedFile] = field(default_factory=list)

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
    originals = _Originals((await services.field_encryption.of(owner_id)).hasher("content"))
    allowance = Allowance(services.settings.max_document_bytes)
    async for one in incoming.files():
        if len(originals.files) >= services.settings.max_parts:
            raise invalid("too_many_files", limit=services.settings.max_parts)
        async with content.content_writer(
            services.storage.blobs, services.storage.keys, owner_id, "original"
        ) as sealing:
            originals.taken.append(await receive(one, sealing, allowance, originals.digest))
            sealed = await sealing.commit()
        loose.keys.append(sealed.blob_key)
        originals.files.append(sealed)
    if not originals.files:
        raise invalid("file_missing")
    return originals


async def _make(services: Services, owner_id: UUID, originals: _Originals, loose: _Loose) -> _Made:
    """Decode the originals apart, and seal the rendition that recipients will get."""
    sources = [await _source(services, owner_id, one) for one in originals.files]
    async with await services.decoder.inspect(sources) as decoded:
        if decoded.inspection.rendition == "same":
            return _Made(originals, decoded.inspection, None)
        async with content.content_writer(
            services.storage.blobs, services.storage.keys, owner_id, "rendition"
        ) as sealing:
            async for piece in decoded.rendition():
                await sealing.write(piece)
            rendition = await sealing.commit()
        loose.keys.append(rendition.blob_key)
        return _Made(originals, decoded.inspection, rendition)


async def _source(
    services: Services, owner_id: UUID, one: SealedContent
) -> Callable[[], AsyncIterator[memoryview]]:
    address = Address(one.id, one.role, one.blob_key, one.envelope)
    opened = await content.open_content(
        services.storage.blobs, services.storage.keys, owner_id, address
    )
    return opened.slices


def _files(made: _Made) -> VersionFiles:
    """Originals in the order they came, then the rendition, if it is another file."""
    files = [*made.originals.files, *([made.rendition] if made.rendition else [])]
    rows = (
        {
            "id": one.id,
            "role": one.role,
            "position": position if one.role == "original" else 0,
            "blob_key": one.blob_key,
            "envelope": one.envelope,
        }
        for position, one in enumerate(files)
    )
    return VersionFiles(made.originals.tag, _metadata(made), tuple(rows))


def _metadata(made: _Made) -> dict[str, Any]:
    """What a version's row keeps, sealed: of the originals, and of what recipients get."""
    inspection, originals = made.inspection, made.originals
    rendition = made.rendition
    own_type = inspection.media_type.value
    return {
        "parts": [
            {
                "media_type": taken.media_type.value,
                "file_name": taken.file_name,
                "size": one.length,
            }
            for taken, one in zip(originals.taken, originals.files, strict=True)
        ],
        "pages": inspection.pages,
        "notes": [note.value for note in inspection.notes],
        "media_type": own_type,
        "size": sum(one.length for one in originals.files),
        "rendition_media_type": own_type if rendition is None else str(inspection.rendition),
        "rendition_size": originals.files[0].length if rendition is None else rendition.length,
    }
