"""The process's clock: aware UTC instants. It decides nothing: SQL uses `unefois.now()`.

It is the database's clock as this process read it, carried on by the monotonic one: the machine's
own may jump, and neither orders nor judges anything.
"""

import time
from datetime import UTC, datetime


class _DatabaseClock:
    """How far the database's clock is ahead of the monotonic one, in seconds; None until read."""

    ahead: float | None = None


def now() -> datetime:
    """The current instant, aware, in UTC. The machine's until the database's was read once."""
    if _DatabaseClock.ahead is None:
        return machine_now()
    return datetime.fromtimestamp(_DatabaseClock.ahead + time.monotonic(), UTC)


def machine_now() -> datetime:
    """The machine's clock. Only to be compared with `now()`."""
    return datetime.now(UTC)


def learn(instant: datetime, sent: float, received: float) -> None:
    """The database's clock showed `instant` between `sent` and `received`, by the monotonic one.

    What is known already is kept where it agrees, so that a slow answer moves nothing.
    """
    least, most = instant.timestamp() - received, instant.timestamp() - sent
    known = _DatabaseClock.ahead
    _DatabaseClock.ahead = most if known is None else min(max(known, least), most)


def monotonic() -> float:
    """Seconds that never go back, for deadlines and cache ages."""
    return time.monotonic()


def rfc3339(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
