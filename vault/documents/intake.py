"""Taking files in: sniffed, counted, hashed and sealed as they arrive; nothing else keeps them.

A crash at any point leaves sealed blobs that no row refers to; the sweep removes them.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from base.errors import ErrorKind, ServiceError, invalid
from base.user_text import clean_file_name
from vault.decoding.media import MediaType
from vault.decoding.sniff import media_type

SNIFF = 4096


class IncomingFile(Protocol):
    """A file on its way in."""

    name: str | None

    def slices(self) -> AsyncIterator[bytes | memoryview]:
        """Its bytes, as they arrive."""
        ...


class Incoming(Protocol):
    """A form on its way in: its files in order; its fields are whole once the files are read."""

    def files(self) -> AsyncIterator[IncomingFile]:
        """The files, one at a time."""
        ...


class Sink(Protocol):
    """Where accepted bytes go."""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take some bytes."""
        ...


@dataclass(slots=True)
class Allowance:
    """What is left of the size limit for one paper, all its parts together."""

    limit: int
    used: int = 0

    def take(self, amount: int) -> None:
        """Count bytes in. Raises the failure that says the limit."""
        self.used += amount
        if self.used > self.limit:
            raise ServiceError(
                ErrorKind.TOO_LARGE, "too_large", limit_mib=self.limit // (1024 * 1024)
            )


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """What is known of a file once it is sealed."""

    media_type: MediaType
    file_name: str | None = field(repr=False)


async def receive(
    incoming: IncomingFile, sink: Sink, allowance: Allowance, digest: "hmac.HMAC"
) -> ReceivedFile:
    """Read one file into a sink. The type is decided by content, never by what is announced.

    Raises `file_empty`, `type_not_allowed` (before anything is stored), `too_large`.
    """
    head = bytearray()
    kind: MediaType | None = None
    size = 0
    async for piece in incoming.slices():
        size += len(piece)
        allowance.take(len(piece))
        digest.update(piece)
        if kind is None:
            head += piece
            if len(head) < SNIFF:
                continue
            kind = _allowed(bytes(head))
            await sink.write(head)
        else:
            await sink.write(piece)
    if size == 0:
        raise invalid("file_empty")
    if kind is None:
        kind = _allowed(bytes(head))
        await sink.write(head)
    digest.update(size.to_bytes(8, "big"))
    return ReceivedFile(kind, clean_file_name(incoming.name or ""))


def _allowed(head: bytes) -> MediaType:
    kind = media_type(head)
    if kind is None:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed")
    return kind
