"""Which parts of the installation answer, as this process saw them last: the database, the store,
the disk, the keys, the antivirus, e-mail, SMS.

One warning when a part begins to fail, whatever the number of requests that meet it, and one line
when it answers again. Readiness names the parts that fail under `degraded`.
"""

import re
import threading

import structlog

from base import clock

QUIET_SECONDS = 10.0
"""A failure has ended when the last call succeeded, and none has failed for this long: a part of
which one call in two fails is one failure, and not a warning at each call."""

_UNSAFE = re.compile(r"[^\w .:,;()=-]", re.ASCII)
_LONGEST = 100
_log = structlog.get_logger()


class PartState:
    """One part. Its methods may be called from any thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._code: str | None = None
        self._since = self._last = 0.0
        self._succeeded = False
        self._lock = threading.Lock()

    def failed(self, code: str) -> None:
        """It did not do what was asked. `code`: the class of the error, an errno, an HTTP status or
        a SQLSTATE; never an address, a key or a text that a server wrote."""
        with self._lock:
            self._last, self._succeeded = clock.monotonic(), False
            if self._code is not None:
                return
            self._code, self._since = _UNSAFE.sub("?", code)[:_LONGEST], self._last
        _log.warning("part_failing", part=self.name, code=self._code)

    def answered(self) -> None:
        """It did what was asked."""
        if self._code is not None:  # the usual case costs this and nothing more
            with self._lock:
                self._succeeded = True
            self._end_if_over()

    @property
    def code(self) -> str | None:
        """What it fails with; None while it answers. A failure that is over ends here too: after
        its last success nobody may call the part for hours."""
        self._end_if_over()
        return self._code

    def _end_if_over(self) -> None:
        with self._lock:
            now, code = clock.monotonic(), self._code
            if code is None or not self._succeeded or now - self._last < QUIET_SECONDS:
                return
            self._code = None
        _log.warning("part_recovered", part=self.name, code=code, s=round(now - self._since))


class PartStates:
    """The parts of one process."""

    def __init__(self) -> None:
        self.database = PartState("database")
        self.store = PartState("store")
        self.disk = PartState("disk")
        self.keys = PartState("keys")
        self.antivirus = PartState("antivirus")
        self.email = PartState("email")
        self.sms = PartState("sms")

    def failing(self) -> list[str]:
        """The names of those that fail now."""
        return [name for name, fails in self.states().items() if fails]

    def states(self) -> dict[str, bool]:
        """Whether each part fails now, by name."""
        return {part.name: part.code is not None for part in vars(self).values()}
