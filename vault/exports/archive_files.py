"""An archive as a file that code without `await` reads, on a thread: its bytes are opened by the
event loop, a block at a time. Nothing of it is on a disk.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from vault.exports.archives import ArchiveContent

BLOCK = 1024 * 1024
T = TypeVar("T")


class ArchiveFile(io.RawIOBase):
    """Reads at any place. Its methods MUST be called on another thread than the loop's, one call
    at a time."""

    def __init__(self, content: ArchiveContent) -> None:
        self._content = content
        self._loop = asyncio.get_running_loop()
        self._at = 0

    def buffered(self) -> io.BufferedReader:
        """The same, with a block in memory."""
        return io.BufferedReader(self, BLOCK)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """`OSError` before the beginning, as of any file."""
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.length}
        if begin[whence] + offset < 0:
            raise OSError("before the beginning")
        self._at = begin[whence] + offset
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        """Raises what the store raises."""
        wanted = memoryview(buffer).cast("B")
        stop = min(self._at + len(wanted), self._content.length)
        if stop <= self._at:
            return 0
        filling = asyncio.run_coroutine_threadsafe(self._fill(wanted, stop), self._loop)
        count = filling.result()
        self._at += count
        return count

    async def _fill(self, wanted: memoryview, stop: int) -> int:
        count = 0
        async for part in self._content.slices(self._at, stop):
            wanted[count : count + len(part)] = part
            count += len(part)
        return count


async def on_thread(call: Callable[[], T]) -> T:
    """What reads such a file, on a thread."""
    return await asyncio.to_thread(call)


async def slices_on_thread(begin: Callable[[], Iterator[bytes]]) -> AsyncIterator[bytes]:
    """What is read of such a file, slice after slice, each on a thread."""
    slices = await on_thread(begin)
    while data := await on_thread(lambda: next(slices, b"")):
        yield data
