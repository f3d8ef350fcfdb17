"""Reusable buffers, each borrowed while a segment is fetched, opened and sent. Pure."""

from collections import deque


class Buffers:
    """Buffers of one length, in bytes.

    A buffer is reused only when no view of it exists any more, so that a transport that still
    holds a slice never sees it change: such a buffer is left to the garbage collector. At most
    `keep` idle ones are kept. Threads may share a pool.
    """

    def __init__(self, length: int, *, keep: int = 16) -> None:
        self._length = length
        self._keep = keep
        self._idle: deque[bytearray] = deque()
        self.lent = 0
        """How many are borrowed now; near enough where threads share the pool."""

    def borrow(self) -> "_Loan":
        """`with buffers.borrow() as buffer:` borrows a bytearray, old content included."""
        return _Loan(self)

    def _acquire(self) -> bytearray:
        self.lent += 1
        try:
            return self._idle.pop()
        except IndexError:
            return bytearray(self._length)

    def _release(self, buffer: bytearray) -> None:
        self.lent -= 1
        try:
            buffer.append(buffer.pop())  # resizing fails while a view of the buffer exists
        except BufferError:
            return
        if len(self._idle) < self._keep:
            self._idle.append(buffer)


class _Loan:
    """One buffer for one block. A class, because a generator costs a measurable part of 30 µs."""

    __slots__ = ("_buffer", "_pool")

    def __init__(self, pool: Buffers) -> None:
        self._pool = pool

    def __enter__(self) -> bytearray:
        self._buffer = self._pool._acquire()
        return self._buffer

    def __exit__(self, *_: object) -> None:
        buffer = self._buffer
        del self._buffer
        self._pool._release(buffer)
