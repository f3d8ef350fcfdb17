"""Reads the files of a deposit: sniffed, counted, hashed and sealed as they arrive; no other copy.

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

SNIFF_BYTES = 4096


class IncomingFile(Protocol):
    """A file that is being uploaded."""

    name: str | None

    def slices(self) -> AsyncIterator[bytes | memoryview]:
        """Its bytes, as they arrive."""
        ...


class Incoming(Protocol):
    """A form that is being uploaded. Its fields are complete only after its files are read.

    `announced`: how many bytes its files have at least, as its sender says; 0 when not said.
    """

    @property
    def announced(self) -> int: ...

    def files(self) -> AsyncIterator[IncomingFile]:
        """The files, one at a time."""
        ...


class Sink(Protocol):
    """Receives the accepted bytes."""

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write some bytes."""
        ...


@dataclass(slots=True)
class Allowance:
    """The size limit of one document, all its files together, and how much of it is used."""

    limit: int
    used: int = 0

    def take(self, amount: int) -> None:
        """Count bytes. Raises `too_large` with the limit."""
        self.used += amount
        if self.used > self.limit:
            raise ServiceError(
                ErrorKind.TOO_LARGE, "too_large", limit_mib=self.limit // (1024 * 1024)
            )


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """What is known about a file after it is sealed."""

    media_type: MediaType
    file_name: str | None = field(repr=False)


async def receive(
    incoming: IncomingFile, sink: Sink, allowance: Allowance, digest: "hmac.HMAC"
) -> ReceivedFile:
    """Read one file into a sink. The type is decided by the content, never by the stated type.

    Raises `file_empty`, `type_not_allowed` (before anything is stored), `too_large`.
    """
    head = bytearray()
    kind: MediaType | None = None
    size = 0
    async for chunk in incoming.slices():
        size += len(chunk)
        allowance.take(len(chunk))
        digest.update(chunk)
        if kind is None:
            head += chunk
            if len(head) < SNIFF_BYTES:
                continue
            kind = _allowed(bytes(head))
            await sink.write(head)
        else:
            await sink.write(chunk)
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
