"""The process's clock: aware UTC instants. It decides nothing: SQL uses `unefois.now()`."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never go back, for deadlines and cache ages."""
    return time.monotonic()


def rfc3339(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
