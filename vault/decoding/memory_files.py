"""Files in anonymous memory: outside the service's own memory, and on no disk. Linux only."""

import fcntl
import os

_NO_RESIZE = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
_NO_CHANGE = _NO_RESIZE | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def memory_file(size: int = 0) -> int:
    """The descriptor of a new file. One of `size` bytes keeps that size; it takes memory only where
    it is written. One of 0 bytes grows."""
    descriptor = os.memfd_create("part", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    if size:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _NO_RESIZE)
    return descriptor


def freeze(descriptor: int) -> None:
    """Seals the file: nobody can change it any more, not even this process.

    Raises `OSError` while any process maps it for writing (Linux `F_SEAL_WRITE`, fcntl(2)): success
    proves that no such mapping is left.
    """
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _NO_CHANGE)


def write_whole(descriptor: int, piece: bytes | bytearray | memoryview) -> None:
    """Writes all of it, at the end of what was written."""
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def copy_file(source: int, target: int) -> None:
    """Copies the whole of one file to the empty other one."""
    size, at = os.fstat(source).st_size, 0
    while at < size:
        at += os.sendfile(target, source, at, size - at)
