"""The processor time of another process, as the kernel counts it.

A child that reads a hostile file may answer anything, so it is not asked. Its own clock (POSIX
`clock_getcpuclockid`) is read from outside: all its threads, to the nanosecond, and still there
after it has ended, until its parent takes note of that.
"""

import ctypes
import time
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)


class ProcessorClock:
    """The clock of the process of a handle (pidfd), which outlives this object."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._begun_at = time.monotonic()
        self._before = self._read() or 0.0

    def seconds(self) -> float:
        """The processor seconds since this object was made; once nobody can tell any more, the
        seconds that have passed, which are as many at least for one thread."""
        used = self._read()
        return time.monotonic() - self._begun_at if used is None else used - self._before

    def _read(self) -> float | None:
        clock = ctypes.c_int()
        try:
            if _libc.clock_getcpuclockid(_process_of(self._handle), ctypes.byref(clock)) != 0:
                return None
            return time.clock_gettime(clock.value)
        except (OSError, ValueError):
            return None


def _process_of(handle: int) -> int:
    """The number of a handle's process. Raises `ValueError` when it is gone: its number may be
    another's by now."""
    described = Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii")
    lines = dict(line.split(":", 1) for line in described.splitlines())
    number = int(lines["Pid"])
    if number <= 0:
        raise ValueError("no such process")
    return number
