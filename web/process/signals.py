"""Being asked to stop: Ctrl-C and SIGTERM, in each part of a process's life.

Before the service runs, the first signal ends what is being prepared; while it runs, it is told;
once it has ended, signals are ignored, so that what is left (PostgreSQL) is always stopped.
"""

import signal
from collections.abc import Callable
from types import FrameType

HEARD = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came before anything could finish in order; cleaning up follows."""


class Signals:
    """The process's signals. Made once, in the main thread."""

    def __init__(self) -> None:
        self.count = 0
        self._told: Callable[[int], None] | None = None
        for number in HEARD:
            signal.signal(number, self._heard)

    def tell(self, told: Callable[[int], None]) -> None:
        """Call `told(count)` at each signal from now on; at once when one came already."""
        self._told = told
        if self.count:
            told(self.count)

    def ignore(self) -> None:
        """Hear nothing any more: the end has begun."""
        self._told = _nothing

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  (given by Python)
        self.count += 1
        if self._told is not None:
            self._told(self.count)
        elif self.count == 1:
            # A second one would cut the cleaning up that this one causes.
            raise Interrupted


def _nothing(count: int) -> None:
    del count
