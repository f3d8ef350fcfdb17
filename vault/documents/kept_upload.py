"""A small upload, kept in anonymous memory until it is decoded: its sealed files need not be made
durable, read back and opened before the decoder begins.

Large ones, and those that come while many others are kept, are read back from the store.
"""

import os
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from vault.decoding.decoder import SLICE_BYTES, Source
from vault.decoding.memory_files import memory_file, write_whole
from vault.documents.intake import Sink

KEPT_BYTES = 2 * 1024 * 1024
"""Of one upload, all its files together."""
MAX_KEPT = 16
"""Uploads of one process at the same time."""


class KeptUpload:
    """The files of one upload, in memory as long as its context, or nothing."""

    _many = 0

    def __init__(self) -> None:
        self._descriptor = -1
        self._size = 0
        self._ends: list[int] = []

    def __enter__(self) -> Self:
        if KeptUpload._many < MAX_KEPT:
            self._descriptor = memory_file()
            KeptUpload._many += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    @property
    def whole(self) -> bool:
        """Whether all that was written is kept."""
        return self._descriptor >= 0

    def sources(self) -> list[Source]:
        """Each file, in order; only while `whole`."""
        starts = [0, *self._ends[:-1]]
        return [
            lambda start=start, end=end: self._slices(start, end)  # type: ignore[misc]
            for start, end in zip(starts, self._ends, strict=True)
        ]

    def end_file(self) -> None:
        """What comes next belongs to another file."""
        self._ends.append(self._size)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keeps more bytes; drops all of them when they become too many."""
        if not self.whole:
            return
        self._size += len(data)
        if self._size > KEPT_BYTES:
            self._drop()
        else:
            write_whole(self._descriptor, data)

    async def _slices(self, start: int, end: int) -> AsyncIterator[bytes]:
        for at in range(start, end, SLICE_BYTES):
            yield os.pread(self._descriptor, min(SLICE_BYTES, end - at), at)

    def _drop(self) -> None:
        if self.whole:
            os.close(self._descriptor)
            self._descriptor = -1
            KeptUpload._many -= 1


class KeepingSink:
    """Writes to a sink, and keeps what it wrote."""

    def __init__(self, sink: Sink, kept: KeptUpload) -> None:
        self._sink, self._kept = sink, kept

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write some bytes."""
        self._kept.write(data)
        await self._sink.write(data)
