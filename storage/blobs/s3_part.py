"""Collecting one part of an upload: in memory while small, then in a file without a name.

S3 refuses parts under 5 MiB, and phones are slow: many uploads at once would hold as many parts in
memory. The bytes are already sealed, and the file has no name: a crash leaves nothing.
"""

import base64
import hashlib
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from storage.blobs import Bytes

IN_MEMORY = 128 * 1024
"""Bytes; more than that goes to a file, so to the disk's cache."""
READ_BYTES = 64 * 1024


class _Body:
    """What boto3 reads of a part. It asks for 1 MiB at a time to hash what it sends without TLS:
    many uploads at once would hold as many."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """As a file's; at most `READ_BYTES` of what was asked for."""
        return self._file.read(min(size, READ_BYTES))


class Part:
    """The bytes of one part, and their MD5 (RFC 1864).

    The MD5 is an integrity check that every S3 server knows, not a security measure.
    """

    def __init__(self, folder: Path | None, written: Callable[[], None]) -> None:
        """In `folder`, or in the system's folder for temporary files. Nothing is opened yet.
        `written` is called whenever the disk took bytes."""
        self._written = written
        # Reused for several parts, and closed by `close`.
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            IN_MEMORY, dir=None if folder is None else str(folder)
        )
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.length = 0

    def add(self, data: Bytes) -> None:
        """Add bytes at the end. Raises `OSError` when the disk is full."""
        self._file.write(data)
        self._md5.update(data)
        self.length += len(data)
        if self.length > IN_MEMORY:
            self._written()

    def body(self) -> IO[bytes]:
        """All of it from the beginning; valid until something is added."""
        self._file.seek(0)
        return cast("IO[bytes]", _Body(self._file))

    @property
    def etag(self) -> str:
        """The ETag that S3 gives to these bytes: their MD5 in hexadecimal."""
        return self._md5.hexdigest()

    @property
    def content_md5(self) -> str:
        """The header of a request: the MD5 in base64."""
        return base64.b64encode(self._md5.digest()).decode()

    def empty(self) -> None:
        """Empty it for the next part."""
        self._file.seek(0)
        self._file.truncate()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.length = 0

    def close(self) -> None:
        """Free the memory or the disk."""
        with suppress(OSError):  # a full disk again: the bytes are no longer needed
            self._file.close()
