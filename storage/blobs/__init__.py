"""The blob store contract, for ciphertext, that the directory and the S3 store implement.

A store holds opaque bytes under opaque keys. It *is* trusted to keep what it acknowledged; it is
*not* trusted with content, or to return the right bytes: the sealed format detects wrong ones.
"""

import re
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from base.errors import ErrorKind, ServiceError

Bytes = bytes | bytearray | memoryview

_SEGMENT = r"[0-9a-z](?:[0-9a-z_-]|\.(?=[0-9a-z]))*"
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")


class BlobKey(str):
    """The name of a blob: lower-case segments joined by `/`, at most 200 characters.

    A segment starts with a letter or a digit and holds `a-z 0-9 _ - .`, so that no key can be
    `..`, an absolute path or a hidden file. Raises `ValueError` for anything else.

    Keys are random: a time-ordered name would tell a thief of the disk the time, and would crowd
    the directory store, which spreads files by the first four characters of the last segment.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        """Check `value`; the refused text is not repeated in the error."""
        if len(value) > 200 or not _KEY.fullmatch(value):
            raise ValueError("not a blob key")
        return super().__new__(cls, value)

    @classmethod
    def random(cls, prefix: str) -> Self:
        """A key never used before, under `prefix` (`"documents"` gives `documents/3f…`)."""
        return cls(f"{prefix}/{secrets.token_hex(16)}")


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """One entry of a listing: the size in bytes and the time of the last write, with its zone."""

    key: BlobKey
    size: int
    modified_at: datetime


class BlobUnavailable(ServiceError):
    """The store did not answer, refused the call, or reported a failure.

    A write that raises this is not acknowledged. It may still have happened (the answer was
    lost): it then leaves a blob that nothing refers to, which the sweep of unreferenced blobs
    removes. `reason` is for the operator: an error's name, never an address or a key.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "store_unavailable", retry_after=5)
        self.reason = reason

    def __str__(self) -> str:
        """The kind, the code and the reason for the operator."""
        return f"{super().__str__()} ({self.reason})"


class BlobMissing(ServiceError):
    """There is no blob under this key."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "content_missing")


class InvalidBlob(ServiceError):
    """The blob does not fit the request: shorter than the range, or larger than the limit."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "content_broken")


class BlobExists(ServiceError):
    """The key is in use, and blobs are never overwritten."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "blob_exists")


class BlobWriter(Protocol):
    """Writes one blob."""

    async def write(self, data: Bytes) -> None:
        """Append `data`; its buffer may be reused as soon as this returns."""

    async def commit(self) -> None:
        """Make the blob durable and visible under its key; once, after the last `write`.

        Raises `BlobExists`, leaving the other blob untouched, or `BlobUnavailable`.
        """


Place = Callable[[], memoryview]
"""Returns the buffer into which a reader puts what it read."""


class BlobReader(Protocol):
    """Reads one blob."""

    async def read_into(self, offset: int, length: int, place: Place) -> memoryview:
        """Fill `place()`, of exactly `length` bytes (at least 1), from `offset` on; returns it.

        A remote store calls `place` only once the data has arrived, so that readers who wait hold
        no buffer. Between two calls nothing is held except, for a directory, a file descriptor.
        Raises `InvalidBlob` when the blob ends before, `BlobMissing` or `BlobUnavailable`.
        """


class BlobStore(Protocol):
    """A store of blobs. Every method may raise `BlobUnavailable`."""

    def writer(self, key: BlobKey) -> AbstractAsyncContextManager[BlobWriter]:
        """Write a blob under a new key.

        Leaving the block without `commit()`, also by an exception or a cancellation, leaves
        nothing visible. Raises `BlobExists` on entering or at `commit()`.
        """
        ...

    def reader(self, key: BlobKey) -> AbstractAsyncContextManager[BlobReader]:
        """Read ranges of a blob. Raises `BlobMissing` on entering or at the first read."""
        ...

    async def read(self, key: BlobKey, offset: int, length: int) -> bytes:
        """Exactly `length` bytes (at least 1) from `offset`; raises as `BlobReader.read_into`."""
        if offset < 0 or length < 1:
            raise ValueError("not a range")
        data = bytearray(length)
        async with self.reader(key) as reader:
            await reader.read_into(offset, length, lambda: memoryview(data))
        return bytes(data)

    async def put_if_absent(self, key: BlobKey, data: Bytes) -> bool:
        """Write a small blob unless its key is in use; returns whether this call wrote it."""
        try:
            async with self.writer(key) as writer:
                await writer.write(data)
                await writer.commit()
        except BlobExists:
            return False
        return True

    async def put(self, key: BlobKey, data: Bytes) -> None:
        """Write or replace a small blob: readers see the old one or the new one."""

    async def get(self, key: BlobKey, limit: int) -> bytes:
        """The whole of a small blob; `InvalidBlob` beyond `limit` bytes, or `BlobMissing`."""
        ...

    async def exists(self, key: BlobKey) -> bool:
        """Whether the key holds a blob."""
        ...

    async def delete(self, key: BlobKey) -> None:
        """Remove the blob; a missing one is fine."""

    async def page(
        self, prefix: str = "", after: BlobKey | None = None, limit: int = 1000
    ) -> list[BlobInfo]:
        """The first `limit` blobs under `prefix` and after `after`, ordered by key.

        `prefix` is empty, or segments ending in `/`; `after` is the last key of the previous page.
        An empty list is the end.
        """
        ...

    async def sweep_temporary(self, before: datetime) -> int:
        """Remove what unfinished writes left, untouched since `before`; returns how many.

        `before` must be earlier than the start of any running upload: otherwise the commit of that
        upload fails, and it is not acknowledged.
        """
        ...

    async def check(self) -> None:
        """Raise `BlobUnavailable` unless the store answers; cheap enough for a readiness probe."""

    async def close(self) -> None:
        """Close threads and connections; no call may be running."""


def checked_prefix(prefix: str) -> str:
    """`prefix` unchanged if it is valid for a listing; raises `ValueError` otherwise."""
    if prefix:
        if not prefix.endswith("/"):
            raise ValueError("a listing's prefix ends in /")
        BlobKey(prefix[:-1])
    return prefix
