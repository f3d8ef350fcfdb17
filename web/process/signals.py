"""Stopping on Ctrl-C and SIGTERM, in each phase of a process.

Before the service runs, the first signal interrupts its preparation; while it runs, its handler is
called; once it has ended, signals are ignored, so that what is left (PostgreSQL) is always stopped.
"""

import signal
from collections.abc import Callable
from types import FrameType

HANDLED = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came before anything could be stopped in order; cleanup follows."""


class Signals:
    """The process's signals. Made once, in the main thread."""

    def __init__(self) -> None:
        self.count = 0
        self._handler: Callable[[int], None] | None = None
        for number in HANDLED:
            signal.signal(number, self._receive)

    def on_signal(self, handler: Callable[[int], None]) -> None:
        """Call `handler(count)` at each signal from now on; at once if one came already."""
        self._handler = handler
        if self.count:
            handler(self.count)

    def ignore(self) -> None:
        """Ignore further signals: the process is stopping."""
        self._handler = _nothing

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  (given by Python)
        self.count += 1
        if self._handler is not None:
            self._handler(self.count)
        elif self.count == 1:
            # Only the first: a second one would interrupt the cleanup that this one starts.
            raise Interrupted


def _nothing(count: int) -> None:
    del count
