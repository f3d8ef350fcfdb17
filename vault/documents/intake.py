"""Reads the files of a deposit: sniffed, counted, hashed and sealed as they arrive; no other copy.

A crash at any point leaves sealed blobs that no row refers to; the sweep removes them.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from base.errors import ErrorKind, ServiceError, invalid
from base.user_text import clean_file_name
from vault.decoding import refused_types
from vault.decoding.media import MediaType
from vault.decoding.sniff import media_type

SNIFF_BYTES = 4096
# What is wrong with one file and not with all of them together.
_OF_ONE_FILE = frozenset({"type_not_allowed", "file_empty"})


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
            kind = allowed_type(bytes(head[:SNIFF_BYTES]))
            await sink.write(head)
            head = bytearray()  # it may be much longer, and an upload takes its time
        else:
            await sink.write(chunk)
    if size == 0:
        raise invalid("file_empty")
    if kind is None:
        kind = allowed_type(bytes(head))
        await sink.write(head)
    digest.update(size.to_bytes(8, "big"))
    return ReceivedFile(kind, clean_file_name(incoming.name or ""))


@asynccontextmanager
async def naming_one_of(
    files: AsyncIterator[IncomingFile], position: int, allowance: Allowance
) -> AsyncIterator[None]:
    """What is wrong with the file at `position` (from 0) names it, and how many there are.

    The files after it are counted, unread: a browser shows an answer once all is sent, and « la
    photo 3 sur 5 » is what a person can find again.
    """
    try:
        yield
    except ServiceError as failure:
        failure.fields = (("file", position),)
        if failure.code in _OF_ONE_FILE:
            files_in_all = position + 1 + await _count(files, allowance)
            if files_in_all > 1:
                failure.values |= {"part": position + 1, "parts": files_in_all}
        raise


async def _count(files: AsyncIterator[IncomingFile], allowance: Allowance) -> int:
    """How many files are left, within the limits of a whole form."""
    count = 0
    async for file in files:
        count += 1
        async for piece in file.slices():
            allowance.take(len(piece))
    return count


def allowed_type(head: bytes) -> MediaType:
    """The type of a file by its first bytes. Raises `type_not_allowed`, with what it is instead."""
    kind = media_type(head)
    if kind is None:
        what = refused_types.describe(head)
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed", what=what)
    return kind
