"""The pieces of an upload: sealed as bytes arrive, and read back in order.

A piece is one sealed blob of at most `PIECE_BYTES`. Its blob goes first, then its row: a crash in
between leaves a blob that no row refers to, which the sweep removes. Plaintext touches no disk.
"""

import hmac
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import new as new_hash
from typing import TYPE_CHECKING, Any
from uuid import UUID

from base import clock
from base.errors import ErrorKind, ServiceError
from base.key_names import UPLOAD
from storage.blobs import BlobKey
from storage.content import InvalidContent, SealedContent, content_writer, open_content
from vault.decoding.sniff import media_type
from vault.documents.intake import SNIFF_BYTES
from vault.documents.uploads.records import address_of
from vault.services import Services

if TYPE_CHECKING:
    from hashlib import _Hash

PIECE_BYTES = 1024 * 1024
"""What a crash loses of one request at most, beside `PIECE_SECONDS`."""
PIECE_SECONDS = 60.0
"""A piece ends after that long, so that what comes slowly is durable too."""
MAX_PIECES = 1000
ALGORITHMS = ("sha256", "sha1")
"""Of checksums; tus wants the second one too."""


class BodyCut(Exception):
    """The connection ended before the body did. What came before it was received."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the sender says that the bytes of one request hash to."""

    algorithm: str
    digest: bytes = field(repr=False)


class IncomingBytes:
    """The body of one request: counted, hashed and judged by its first bytes as it arrives.

    `room`: how many bytes it may have. `head`: the first bytes of the upload that are known
    already; `length`: of the whole upload.
    """

    def __init__(
        self,
        slices: AsyncIterator[bytes | memoryview],
        *,
        room: int,
        head: bytes,
        length: int,
        checksum: Checksum | None,
    ) -> None:
        self.cut = False
        self._slices = slices
        self._room = room
        self._head = bytearray(head)
        self._head_length = min(SNIFF_BYTES, length)
        self._judged = len(head) >= self._head_length
        self._checksum = checksum
        self._hash: _Hash | None = None
        if checksum is not None:
            # Against what a network changes, not against an attacker: tus names SHA-1.
            self._hash = new_hash(checksum.algorithm, usedforsecurity=False)
        self._rest = memoryview(b"")
        self._ended = False

    async def has_more(self) -> bool:
        """Whether bytes are left: waits for them. Raises `upload_longer`, `type_not_allowed`."""
        while not self._rest and not self._ended:
            try:
                chunk = await anext(self._slices)
            except StopAsyncIteration:
                self._ended = True
            except BodyCut:
                self._ended = self.cut = True
            else:
                self._note(chunk)
                self._rest = memoryview(chunk)
        return bool(self._rest)

    async def take(self, limit: int) -> AsyncIterator[memoryview]:
        """The next bytes, `limit` at most; fewer once `PIECE_SECONDS` have passed."""
        until = clock.monotonic() + PIECE_SECONDS
        while limit and await self.has_more():
            part = self._rest[:limit]
            self._rest = self._rest[len(part) :]
            limit -= len(part)
            yield part
            if clock.monotonic() >= until:
                return

    def verify(self) -> None:
        """Compare the checksum, and only then judge the first bytes: those that the network changed
        are not what was sent. Raises `checksum_mismatch`, `type_not_allowed`."""
        if self._checksum is not None and self._hash is not None:
            if not hmac.compare_digest(self._hash.digest(), self._checksum.digest):
                raise ServiceError(ErrorKind.CHECKSUM, "checksum_mismatch")
            self._judge()

    def _note(self, chunk: bytes | memoryview) -> None:
        self._room -= len(chunk)
        if self._room < 0:
            raise ServiceError(ErrorKind.TOO_LARGE, "upload_longer")
        if not self._judged:
            self._head += chunk[: self._head_length - len(self._head)]
        if self._hash is None:
            self._judge()
        else:
            self._hash.update(chunk)

    def _judge(self) -> None:
        """The type is decided by the content, as soon as enough of it is there."""
        if not self._judged and len(self._head) >= self._head_length:
            if media_type(bytes(self._head)) is None:
                raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed")
            self._judged = True


async def seal_piece(
    services: Services, person_id: UUID, upload_id: UUID, position: int, incoming: IncomingBytes
) -> SealedContent | None:
    """Seal the next piece, durable once this returns; None at the end of the body."""
    if not await incoming.has_more():
        return None
    async with content_writer(
        services.storage.blobs,
        services.storage.keys,
        person_id,
        UPLOAD,
        version_id=upload_id,
        position=position,
    ) as sealing:
        async for part in incoming.take(PIECE_BYTES):
            await sealing.write(part)
        return await sealing.commit()


def row_of(sealed: SealedContent, person_id: UUID) -> dict[str, Any]:
    """The row of a piece."""
    address = sealed.address
    return {
        "id": address.id,
        "upload_id": address.version_id,
        "person_id": person_id,
        "position": address.position,
        "blob_key": address.blob_key,
        "envelope": address.envelope,
    }


async def read_pieces(
    services: Services, person_id: UUID, pieces: Sequence[Any], length: int
) -> AsyncIterator[memoryview]:
    """The bytes of an upload, `length` of them, for the person who sent them: slices that are valid
    until the next one is requested. Raises `InvalidContent` for pieces that are not all there; each
    opens at its own position alone."""
    left = length
    for row in pieces:
        content = await open_content(
            services.storage.blobs, services.storage.keys, person_id, address_of(row)
        )
        left -= content.length
        if left < 0:
            raise InvalidContent("pieces")
        async for part in content.slices():
            yield part
    if left:
        raise InvalidContent("pieces")


@asynccontextmanager
async def unreferenced_blobs(services: Services) -> AsyncIterator[list[str]]:
    """Delete at the end the blobs that are still listed. Clear the list just before the commit of
    their rows: a commit whose answer was lost may have succeeded."""
    keys: list[str] = []
    try:
        yield keys
    finally:
        await delete_blobs(services, keys)


async def delete_blobs(services: Services, keys: Sequence[str]) -> None:
    """Delete blobs that no row refers to any more. Backups hold no uploads, so that one under way
    does not mind; what cannot be deleted now is left to the sweep."""
    for key in keys:
        with suppress(ServiceError):
            await services.storage.blobs.delete(BlobKey(key))
