"""Listens for revoked grants and ended sessions, whose downloads stop, and for destroyed keys,
which leave the caches.

One connection listens. When it is lost, every cached key is dropped, and streams are stopped within
about a second (invariants 3 and 8).
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import structlog

from auth import sessions
from base import clock
from base.database import Database
from base.ids import parse_id
from base.outages import is_reported
from base.tasks import end

CHANNEL = "unefois_revoked"
_GRACE_SECONDS = 0.5
_RETRY_SECONDS = 0.2
_MAX_RECENT = 10_000

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Watched:
    """What ends a stream when it ends: the grant that it leaves under, the session that asked."""

    grant: UUID | None
    session: UUID | None

    def ids(self) -> tuple[UUID, ...]:
        return tuple(one for one in (self.grant, self.session) if one is not None)


@dataclass(eq=False, slots=True)
class Watch:
    """One running stream. `stopped`: it must end; its task is then cancelled to wake it. `ended`:
    the grant or the session that ended, if that is why; otherwise its time is over, or nobody
    listened for a while, which says nothing of the grant."""

    task: "asyncio.Task[object]" = field(repr=False)
    stopped: bool = False
    ended: UUID | None = None

    def stop(self, ended: UUID | None = None) -> None:
        if not self.stopped:
            self.stopped = True
            self.ended = ended
            self.task.cancel()


class Revocations:
    """Receives revocations and key destructions; stops the streams and drops the keys concerned."""

    def __init__(
        self,
        database: Database,
        *,
        key_channel: str,
        forget_key: Callable[[str], None],
        forget_all: Callable[[], None],
    ) -> None:
        self._database = database
        self._key_channel = key_channel
        self._forget_key = forget_key
        self._forget_all = forget_all
        self._watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self._recent: OrderedDict[UUID, float] = OrderedDict()
        self._listening_since = 0.0
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def listening(self) -> bool:
        """Whether a revocation made now would be received here."""
        return self._ready.is_set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="revocations")
        async with asyncio.timeout(30):
            await self._ready.wait()

    async def stop(self) -> None:
        if self._task is not None:
            await end(self._task)

    @contextmanager
    def watching(self, watched: Watched, judged_at: float) -> Iterator[Watch]:
        """Watch a grant and a session while the current task streams.

        `judged_at` is `clock.monotonic()` just before the judgement. An end received since then, or
        a time without listening since then, stops the stream at once.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (called from a coroutine)
        watch = Watch(task)
        ids = watched.ids()
        missed = judged_at < self._listening_since or not self.listening
        watch.ended = next((one for one in ids if self._recent.get(one, -1.0) >= judged_at), None)
        watch.stopped = missed or watch.ended is not None
        for one in ids:
            self._watches[one].add(watch)
        try:
            yield watch
        finally:
            for one in ids:
                self._watches[one].discard(watch)
                if not self._watches[one]:
                    del self._watches[one]

    def stop_streams(self, ended: UUID) -> None:
        """Stop every stream of a grant or a session in this process, including those that are about
        to start."""
        self._recent[ended] = clock.monotonic()
        self._recent.move_to_end(ended)
        while len(self._recent) > _MAX_RECENT:
            self._recent.popitem(last=False)
        for watch in tuple(self._watches.get(ended, ())):
            watch.stop(ended)

    def _stop_all(self) -> None:
        for watches in tuple(self._watches.values()):
            for watch in tuple(watches):
                watch.stop()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                if not is_reported(error):
                    _log.warning("revocations_not_heard", error=type(error).__name__)
            self._ready.clear()
            self._forget_all()
            lost_at = clock.monotonic()
            while clock.monotonic() - lost_at < _GRACE_SECONDS:
                await asyncio.sleep(_RETRY_SECONDS)
                if await self._database_answers():
                    break
            else:
                self._stop_all()

    async def _database_answers(self) -> bool:
        try:
            await self._database.check()
        except Exception:  # noqa: BLE001  (any failure means: not yet)
            return False
        return True

    async def _listen(self) -> None:
        async with self._database.listening(
            CHANNEL, sessions.CHANNEL, self._key_channel
        ) as connection:
            # Notifications sent before LISTEN are lost: drop every key and stop every stream.
            self._forget_all()
            self._stop_all()
            self._listening_since = clock.monotonic()
            self._ready.set()
            async for notification in connection.notifies():
                if notification.channel == self._key_channel:
                    self._forget_key(notification.payload)
                else:
                    ended = parse_id(notification.payload)
                    if ended is not None:
                        self.stop_streams(ended)
