"""Sealing and opening content: bytes go in and come out by slices, in constant memory.

Each file has a random key (DEK). Its *envelope*, sealed under the owner's key for that role, holds
the DEK and the plaintext length: which segment is the last one is never asked of the store. The
envelope and the file both name the role and the file's id, so that a rendition is not an original
and one person's file is not another's. See docs/formats/sealed-file.md.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from storage import floe
from storage.blobs import BlobKey, BlobReader, BlobStore, BlobWriter
from storage.buffers import Buffers
from storage.envelopes import FILES, EnvelopeReader, EnvelopeWriter, InvalidEnvelope
from storage.keys import Keys

SLICE = 64 * 1024

_sealed_buffers = Buffers(floe.HEADER_LENGTH + floe.SEGMENT_LENGTH)
_plain_buffers = Buffers(floe.SEGMENT_LENGTH)


class InvalidContent(ServiceError):
    """What the store gave is not what was sealed. Nothing of it was revealed beyond whole
    authenticated segments. `reason` is for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "content_broken")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SealedContent:
    """A sealed file, committed to the store: what its row keeps."""

    id: UUID
    role: str
    blob_key: str
    envelope: bytes = field(repr=False)
    length: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a sealed file is and what opens it, as its row says."""

    id: UUID
    role: str
    blob_key: str
    envelope: bytes = field(repr=False)


class ContentWriter:
    """One file being sealed. Bytes handed to `write` are sealed before they leave memory."""

    def __init__(
        self, file_id: UUID, key: BlobKey, role: str, envelope: EnvelopeWriter, writer: BlobWriter
    ) -> None:
        self._id = file_id
        self._key = key
        self._role = role
        self._envelope = envelope
        self._writer = writer
        self._dek = secrets.token_bytes(floe.KEY_LENGTH)
        self._encryptor = floe.Encryptor(self._dek, _aad(role, file_id))
        self._begun = False

    @property
    def length(self) -> int:
        """Plaintext bytes sealed in whole segments so far."""
        return self._encryptor.plaintext_length

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Seal more bytes."""
        await self._begin()
        for piece in self._encryptor.update(data):
            await self._writer.write(piece)

    async def commit(self) -> SealedContent:
        """Seal the end and make the blob durable.

        A crash before this returns leaves a temporary object; after it, and before the row is
        committed, an unreferenced blob: the sweep removes both.
        """
        await self._begin()
        await self._writer.write(self._encryptor.finish())
        await self._writer.commit()
        length = self._encryptor.plaintext_length
        envelope = self._envelope.seal(self._role, self._id, self._dek, length)
        return SealedContent(self._id, self._role, self._key, envelope, length)

    def read_back(self, sealed: SealedContent, blobs: BlobStore) -> "Content":
        """What was just sealed and committed, with the key at hand: no envelope is opened, so that
        a deposit needs none of what reads."""
        address = Address(sealed.id, sealed.role, sealed.blob_key, sealed.envelope)
        return Content(address, self._dek, sealed.length, blobs)

    def close(self) -> None:
        """Forget the key and the plaintext at hand."""
        self._encryptor.close()

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._writer.write(self._encryptor.header)


class Content:
    """An opened envelope: gives any range of the plaintext, slice by slice."""

    def __init__(self, address: Address, dek: bytes, length: int, blobs: BlobStore) -> None:
        self._address = address
        self._dek = dek
        self._blobs = blobs
        self.length = length

    async def slices(self, start: int = 0, stop: int | None = None) -> AsyncIterator[memoryview]:
        """plaintext[start:stop] in slices of at most 64 KiB, each authenticated.

        A slice is valid until the next one is asked for. Raises `InvalidContent` when the store
        does not give back what was sealed, `storage.blobs` errors when it gives nothing.
        """
        stop = self.length if stop is None else stop
        layout = floe.Layout.of_plaintext(self.length)
        # An empty file has one segment all the same, which tells whether the file is ours.
        segments = layout.segments_for_range(start, stop) if self.length else range(1)
        if not segments:
            return
        async with self._blobs.reader(BlobKey(self._address.blob_key)) as reader:
            opener: floe.Decryptor | None = None
            for index in segments:
                with ExitStack() as lent:
                    opener, plain = await self._open(reader, opener, layout, index, lent)
                    with plain, plain[layout.slice_of(index, start, stop)] as wanted:
                        last = max(0, len(wanted) - 1) // SLICE * SLICE
                        for at in range(0, last, SLICE):
                            yield wanted[at : at + SLICE]
                        # Copied: whoever iterates holds this one until the next is there, and a
                        # buffer with a view of it left anywhere is not lent again.
                        rest = bytes(wanted[last:])
                    if rest:
                        yield memoryview(rest)

    async def _open(
        self,
        reader: BlobReader,
        opener: floe.Decryptor | None,
        layout: floe.Layout,
        index: int,
        lent: ExitStack,
    ) -> tuple[floe.Decryptor, memoryview]:
        """Fetch and open one segment; the header comes in the same read as the first one.

        The plaintext's buffer is lent to `lent` once the ciphertext is there: of those who wait
        for a store, and of those whose reader stalls, each holds one buffer and not two.
        """
        offset, length = layout.segment_span(index)
        start = 0 if opener is None and index == 0 else offset
        # What is entered here is left before the buffer is taken back: it must have no view left.
        with ExitStack() as borrowed:
            try:
                if opener is None and start:
                    with ExitStack() as before:
                        opener = self._opener(await _read(reader, 0, floe.HEADER_LENGTH, before))
                fetched = await _read(reader, start, offset + length - start, borrowed)
                if opener is None:
                    opener = self._opener(borrowed.enter_context(fetched[:offset]))
                sealed = borrowed.enter_context(fetched[offset - start :])
                into = lent.enter_context(_plain_buffers.lend())
                return opener, opener.open_segment(index, sealed, into)
            except floe.InvalidCiphertext as broken:
                reason = broken.reason
        raise InvalidContent(reason)

    def _opener(self, header: memoryview) -> floe.Decryptor:
        aad = _aad(self._address.role, self._address.id)
        return floe.Decryptor(self._dek, aad, header, plaintext_length=self.length)


async def _read(reader: BlobReader, offset: int, length: int, borrowed: ExitStack) -> memoryview:
    """A stretch of the file, in a buffer borrowed once it is there."""

    def place() -> memoryview:
        whole = borrowed.enter_context(memoryview(borrowed.enter_context(_sealed_buffers.lend())))
        return borrowed.enter_context(whole[:length])

    return await reader.read_into(offset, length, place)


@asynccontextmanager
async def content_writer(
    blobs: BlobStore, keys: Keys, owner_id: UUID, role: str
) -> AsyncIterator[ContentWriter]:
    """Seal one file for an owner. Leaving without `commit` leaves nothing visible."""
    envelope = EnvelopeWriter(await keys.owner(owner_id))
    key = BlobKey.random(FILES)
    async with blobs.writer(key) as writer:
        one = ContentWriter(new_id(), key, role, envelope, writer)
        try:
            yield one
        finally:
            one.close()


async def open_content(
    blobs: BlobStore,
    keys: Keys,
    owner_id: UUID,
    address: Address,
    connection: AsyncConnection | None = None,
) -> Content:
    """Open a file's envelope. The caller MUST have recorded and committed the access before.

    Raises `InvalidContent`, or `storage.keys.KeyDestroyed` when the owner was erased.
    """
    reader = EnvelopeReader(await keys.owner(owner_id, connection))
    try:
        opened = reader.open(address.role, address.id, address.envelope)
    except InvalidEnvelope:
        raise InvalidContent("envelope") from None
    return Content(address, opened.dek, opened.length, blobs)


def _aad(role: str, file_id: UUID) -> bytes:
    return f"unefois/file/v1|{role}|{file_id}".encode()
