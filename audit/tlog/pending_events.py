"""Finding the events that have no leaf yet.

Not just "those after the last leaf": an event's id is made before its transaction commits, and a
late commit would never be found. So: the last seconds at each scan; the last quarter of an hour
every few seconds; all events at the start and every hour, one range at a time. Seconds are the
database's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from audit.tlog import records
from audit.tlog.records import Connection
from base import clock
from base.ids import first_id_at

FIRST = UUID(int=0)
LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Looks:
    """How far back a scan goes and how often, in seconds; how much it reads, in events."""

    window: float = 10.0
    horizon: float = 900.0
    horizon_every: float = 15.0
    full_every: float = 3600.0
    range_length: int = 50_000
    limit: int = 16_384


class PendingEvents:
    """Finds events without a leaf; they MUST be integrated before the next call."""

    def __init__(self, connection: Connection, limits: Looks) -> None:
        self._connection = connection
        self._limits = limits
        self._after: UUID | None = None
        self._full_after: UUID | None = FIRST
        self._full_at = clock.monotonic()
        self._horizon_at = self._full_at

    async def look(self) -> list[UUID]:
        """Some of them, without duplicates; empty when this scan finds none."""
        now = await records.now_of(self._connection)
        recent = await self._recent(now)
        if len(recent) >= self._limits.limit:
            return recent
        older = await self._next_range() if self._full_scan_due() else await self._horizon(now)
        return list(dict.fromkeys([*recent, *older]))

    @property
    def full_scan(self) -> bool:
        """Whether a scan of all events is under way: the next call continues it."""
        return self._full_after is not None

    async def _recent(self, now: datetime) -> list[UUID]:
        """Those of the last seconds, from where the previous scan reached its limit."""
        after = self._after or _first_id(now, self._limits.window)
        events = await self._find(after, LAST)
        self._after = events[-1] if len(events) >= self._limits.limit else None
        return events

    async def _horizon(self, now: datetime) -> list[UUID]:
        if clock.monotonic() - self._horizon_at < self._limits.horizon_every:
            return []
        window = _first_id(now, self._limits.window)
        events = await self._find(_first_id(now, self._limits.horizon), window)
        if len(events) < self._limits.limit:
            self._horizon_at = clock.monotonic()
        return events

    def _full_scan_due(self) -> bool:
        elapsed = clock.monotonic() - self._full_at
        if self._full_after is None and elapsed >= self._limits.full_every:
            self._full_after, self._full_at = FIRST, clock.monotonic()
        return self._full_after is not None

    async def _next_range(self) -> list[UUID]:
        after, length = self._full_after, self._limits.range_length
        assert after is not None  # noqa: S101  (the caller checked)
        end = await records.range_end(self._connection, after, length)
        events = await records.find_pending(self._connection, after, end or LAST, length + 1)
        self._full_after = end
        return events

    async def _find(self, after: UUID, upto: UUID) -> list[UUID]:
        return await records.find_pending(self._connection, after, upto, self._limits.limit)


def _first_id(now: datetime, seconds_ago: float) -> UUID:
    return first_id_at(now - timedelta(seconds=seconds_ago))
