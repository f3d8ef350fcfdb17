"""The process's clock: aware UTC instants, which tests may freeze. SQL uses `unefois.now()`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return _source()


def set_source(source: Callable[[], datetime] | None) -> None:
    """Replace the clock (tests), or give it back to the system with `None`."""
    global _source  # noqa: PLW0603  (one clock a process is the point)
    _source = source or _system


def monotonic() -> float:
    """Seconds that only grow, for deadlines and cache ages."""
    return time.monotonic()


def rfc3339(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
