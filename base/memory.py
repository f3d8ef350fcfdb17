"""How little of its heap a process keeps: the C library's allocator, told once at the start."""

import ctypes

_MMAP_THRESHOLD = -3  # mallopt(3) of glibc; the numbers are part of its binary interface
_ARENA_MAX = -8
_LARGE = 128 * 1024


def limit_heap() -> bool:
    """Give large pieces of memory back at once, and let all threads share one heap.

    A process whose threads each fill a heap of their own with what passes through keeps all of it:
    some 4 MiB a thread. Python runs one thread at a time, so that little is lost. Gives whether
    the allocator understood: glibc's does, others need no telling.
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    told = [(_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE)]
    return all(library.mallopt(what, value) == 1 for what, value in told)
