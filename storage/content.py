"""Sealing and opening the content of files, slice by slice, in constant memory.

Each file has a random key (DEK). Its *envelope*, sealed under the owner's key for that role, holds
the DEK and the plaintext length: the store is not trusted to say which segment is the last one. The
envelope and the file are both bound to the role and the file's id, so that a rendition cannot pass
as an original, or one person's file as another's; the envelope also to the version, the position
and the blob of its row. See docs/formats/sealed-file.md.
"""

import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from storage import floe
from storage.blobs import BlobKey, BlobReader, BlobStore, BlobWriter
from storage.blobs.read_ahead import ReadAhead
from storage.buffers import Buffers
from storage.envelopes import FILES, Address, EnvelopeReader, EnvelopeWriter, InvalidEnvelope
from storage.keys import Keys

SLICE = 64 * 1024
FEW = 16
"""Readers at once of which each may hold a segment for as long as its slices are taken."""

_sealed_buffers = Buffers(floe.HEADER_LENGTH + floe.SEGMENT_LENGTH)
_plain_buffers = Buffers(floe.SEGMENT_LENGTH)


class InvalidContent(ServiceError):
    """What the store returned is not what was sealed. Only whole authenticated segments were
    revealed. `reason` is for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "content_broken")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SealedContent:
    """A sealed file, committed to the store, with what its row stores."""

    address: Address
    length: int

    @property
    def blob_key(self) -> str:
        """Its key in the store."""
        return self.address.blob_key

    def row(self) -> dict[str, Any]:
        """The columns of its row, without its owner."""
        return asdict(self.address)


class ContentWriter:
    """Seals one file. Bytes given to `write` are sealed before they leave memory."""

    def __init__(self, address: Address, envelope: EnvelopeWriter, writer: BlobWriter) -> None:
        self._address = address
        self._envelope = envelope
        self._writer = writer
        self._dek = secrets.token_bytes(floe.KEY_LENGTH)
        self._encryptor = floe.Encryptor(self._dek, _aad(address.role, address.id))
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
        envelope = self._envelope.seal(self._address, self._dek, length)
        return SealedContent(replace(self._address, envelope=envelope), length)

    def read_back(self, sealed: SealedContent, blobs: BlobStore) -> "Content":
        """The content just sealed and committed, opened with the key in memory: no envelope is
        opened, so that a deposit needs no reader."""
        return Content(sealed.address, self._dek, sealed.length, blobs)

    def close(self) -> None:
        """Forget the key and the plaintext still in memory."""
        self._encryptor.close()

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._writer.write(self._encryptor.header)


class Content:
    """A file whose envelope is opened: gives any range of its plaintext, slice by slice."""

    def __init__(self, address: Address, dek: bytes, length: int, blobs: BlobStore) -> None:
        self._address = address
        self._dek = dek
        self._blobs = blobs
        self.length = length

    def whole(self) -> AsyncIterator[memoryview]:
        """All of it as `slices` gives it, in few large reads: for decoders, of which few run."""
        return self.slices(read_ahead=True)

    async def slices(
        self, start: int = 0, stop: int | None = None, *, read_ahead: bool = False
    ) -> AsyncIterator[memoryview]:
        """plaintext[start:stop] in slices of at most 64 KiB, each authenticated.

        A slice is valid until the next one is requested. Raises `InvalidContent` when the store
        does not return what was sealed, `storage.blobs` errors when it returns nothing.
        """
        stop = self.length if stop is None else stop
        layout = floe.Layout.of_plaintext(self.length)
        # An empty file also has one segment, which proves whether the file is ours.
        segments = layout.segments_for_range(start, stop) if self.length else range(1)
        if not segments:
            return
        async with self._blobs.reader(BlobKey(self._address.blob_key)) as opened:
            reader = ReadAhead(opened, layout.ciphertext_length) if read_ahead else opened
            decryptor: floe.Decryptor | None = None
            for index in segments:
                with ExitStack() as plain_stack:
                    decryptor, plain = await self._open(
                        reader, decryptor, layout, index, plain_stack
                    )
                    with plain, plain[layout.slice_of(index, start, stop)] as wanted:
                        # The last slice is copied: the caller holds it until it gets the next one,
                        # and a buffer is reused only when no view of it exists. Where many read at
                        # once, all are: each then holds what it has yet to get, not its segment.
                        crowded = _plain_buffers.lent > FEW
                        copied = 0 if crowded else max(0, len(wanted) - 1) // SLICE * SLICE
                        for at in range(0, copied, SLICE):
                            yield wanted[at : at + SLICE]
                        pieces = deque(
                            bytes(wanted[at : at + SLICE])
                            for at in range(copied, len(wanted), SLICE)
                        )
                    if crowded:
                        plain_stack.close()
                    while pieces:
                        yield memoryview(pieces.popleft())

    async def _open(
        self,
        reader: BlobReader,
        decryptor: floe.Decryptor | None,
        layout: floe.Layout,
        index: int,
        plain_stack: ExitStack,
    ) -> tuple[floe.Decryptor, memoryview]:
        """Fetch and open one segment; the header comes in the same read as the first one.

        The plaintext's buffer is borrowed, in `plain_stack`, once the ciphertext is there: a call
        that waits for the store, or for a stalled reader, holds one buffer and not two.
        """
        offset, length = layout.segment_span(index)
        start = 0 if decryptor is None and index == 0 else offset
        # The views entered here are released before the buffer, which must have no view left.
        with ExitStack() as sealed_stack:
            try:
                if decryptor is None and start:
                    with ExitStack() as header_stack:
                        header = await _read(reader, 0, floe.HEADER_LENGTH, header_stack)
                        decryptor = self._decryptor(header)
                fetched = await _read(reader, start, offset + length - start, sealed_stack)
                if decryptor is None:
                    decryptor = self._decryptor(sealed_stack.enter_context(fetched[:offset]))
                sealed = sealed_stack.enter_context(fetched[offset - start :])
                into = plain_stack.enter_context(_plain_buffers.borrow())
                return decryptor, decryptor.open_segment(index, sealed, into)
            except floe.InvalidCiphertext as error:
                reason = error.reason
        raise InvalidContent(reason)

    def _decryptor(self, header: memoryview) -> floe.Decryptor:
        aad = _aad(self._address.role, self._address.id)
        return floe.Decryptor(self._dek, aad, header, plaintext_length=self.length)


async def _read(reader: BlobReader, offset: int, length: int, stack: ExitStack) -> memoryview:
    """A range of the file, in a buffer that is borrowed in `stack` once the data is there."""

    def place() -> memoryview:
        whole = stack.enter_context(memoryview(stack.enter_context(_sealed_buffers.borrow())))
        return stack.enter_context(whole[:length])

    return await reader.read_into(offset, length, place)


@asynccontextmanager
async def content_writer(
    blobs: BlobStore,
    keys: Keys,
    owner_id: UUID,
    role: str,
    *,
    version_id: UUID,
    position: int = 0,
) -> AsyncIterator[ContentWriter]:
    """Seal one file of a version for its owner. Leaving without `commit` leaves nothing visible."""
    envelope = EnvelopeWriter(await keys.owner(owner_id))
    key = BlobKey.random(FILES)
    async with blobs.writer(key) as blob_writer:
        address = Address(new_id(), role, version_id, position, str(key))
        writer = ContentWriter(address, envelope, blob_writer)
        try:
            yield writer
        finally:
            writer.close()


async def open_content(
    blobs: BlobStore,
    keys: Keys,
    owner_id: UUID,
    address: Address,
    connection: AsyncConnection | None = None,
) -> Content:
    """Open a file's envelope. The caller MUST have recorded the access and committed the record.

    Raises `InvalidContent`, or `storage.errors.KeyDestroyed` when the owner was erased.
    """
    reader = EnvelopeReader(await keys.owner(owner_id, connection))
    try:
        opened = reader.open(address)
    except InvalidEnvelope:
        raise InvalidContent("envelope") from None
    return Content(address, opened.dek, opened.length, blobs)


def _aad(role: str, file_id: UUID) -> bytes:
    return f"unefois/file/v1|{role}|{file_id}".encode()
