"""Limits of the C library's allocator, set once when a process starts."""

import ctypes

_MMAP_THRESHOLD = -3  # mallopt(3) of glibc; the numbers are part of its binary interface
_ARENA_MAX = -8
_LARGE = 128 * 1024


def limit_heap() -> bool:
    """Return large blocks of memory at once, and make all threads share one heap.

    A process whose threads each have their own heap keeps all that these once held: about 4 MiB
    per thread. Python runs one thread at a time, so that little is lost. Returns whether the
    allocator accepted: glibc's does, others do not need it.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    options = [(_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE)]
    return all(library.mallopt(option, value) == 1 for option, value in options)
