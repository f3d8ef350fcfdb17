"""Which events have no leaf yet.

Never "those beyond the last one": an event's id is made before its transaction commits, and a late
commit would be passed over for ever. So: the last seconds at each look; the last quarter of an
hour every few seconds; every event there is at the start and every hour, one stretch at a time.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from audit.tlog import records
from audit.tlog.records import Connection
from base import clock

FIRST = UUID(int=0)
LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Looks:
    """How far back a look goes and how often, in seconds; how much it takes, in events."""

    window: float = 10.0
    horizon: float = 900.0
    horizon_every: float = 15.0
    whole_every: float = 3600.0
    stretch: int = 50_000
    most: int = 16_384


class PendingEvents:
    """Looks for events without a leaf; what it finds MUST be integrated before the next look."""

    def __init__(self, connection: Connection, looks: Looks) -> None:
        self._connection = connection
        self._looks = looks
        self._after: UUID | None = None
        self._whole: UUID | None = FIRST
        self._whole_at = clock.monotonic()
        self._horizon_at = self._whole_at

    async def look(self) -> list[UUID]:
        """Some of them, each once; empty when there is none as far as this look went."""
        recent = await self._recent()
        if len(recent) >= self._looks.most:
            return recent
        older = await self._stretch() if self._whole_due() else await self._horizon()
        return list(dict.fromkeys([*recent, *older]))

    @property
    def whole(self) -> bool:
        """Whether a look at every event is under way: the next look will find more."""
        return self._whole is not None

    async def _recent(self) -> list[UUID]:
        """The last seconds, from where the look before had enough of them."""
        after = self._after or _id_at(self._looks.window)
        found = await self._find(after, LAST)
        self._after = found[-1] if len(found) >= self._looks.most else None
        return found

    async def _horizon(self) -> list[UUID]:
        if clock.monotonic() - self._horizon_at < self._looks.horizon_every:
            return []
        found = await self._find(_id_at(self._looks.horizon), _id_at(self._looks.window))
        if len(found) < self._looks.most:
            self._horizon_at = clock.monotonic()
        return found

    def _whole_due(self) -> bool:
        if self._whole is None and clock.monotonic() - self._whole_at >= self._looks.whole_every:
            self._whole, self._whole_at = FIRST, clock.monotonic()
        return self._whole is not None

    async def _stretch(self) -> list[UUID]:
        assert self._whole is not None  # noqa: S101  (the caller looked)
        length = self._looks.stretch
        end = await records.stretch_end(self._connection, self._whole, length)
        found = await records.find_pending(self._connection, self._whole, end or LAST, length + 1)
        self._whole = end
        return found

    async def _find(self, after: UUID, upto: UUID) -> list[UUID]:
        return await records.find_pending(self._connection, after, upto, self._looks.most)


def _id_at(seconds_ago: float) -> UUID:
    """The smallest id of an instant (RFC 9562 §5.7: 48 bits of milliseconds first)."""
    instant = clock.now() - timedelta(seconds=seconds_ago)
    return UUID(int=max(0, int(instant.timestamp() * 1000)) << 80)
