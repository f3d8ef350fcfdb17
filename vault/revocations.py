"""Listens for revoked grants, whose downloads stop, and destroyed keys, which leave the caches.

One connection listens. When it is lost, every cached key is dropped, and streams under a grant are
stopped within about a second (invariants 3 and 8).
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import structlog

from base import clock
from base.database import Database
from base.ids import parse_id

CHANNEL = "unefois_revoked"
_GRACE_SECONDS = 0.5
_RETRY_SECONDS = 0.2
_MAX_RECENT = 10_000

_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Watch:
    """One running stream. `stopped`: it must end; its task is then cancelled to wake it.

    `revoked`: because its grant was. Otherwise its time is over, or nobody listened for a while,
    which says nothing of the grant.
    """

    task: "asyncio.Task[object]" = field(repr=False)
    stopped: bool = False
    revoked: bool = False

    def stop(self, *, revoked: bool = False) -> None:
        if not self.stopped:
            self.stopped = True
            self.revoked = revoked
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
        await asyncio.wait_for(self._ready.wait(), 30)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @contextmanager
    def watching(self, grant_id: UUID, judged_at: float) -> Iterator[Watch]:
        """Watch a grant while the current task streams.

        `judged_at` is `clock.monotonic()` just before the judgement. A revocation received since
        then, or a time without listening since then, stops the stream at once.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (called from a coroutine)
        watch = Watch(task)
        missed = judged_at < self._listening_since or not self.listening
        watch.revoked = self._recent.get(grant_id, -1.0) >= judged_at
        watch.stopped = missed or watch.revoked
        self._watches[grant_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[grant_id].discard(watch)
            if not self._watches[grant_id]:
                del self._watches[grant_id]

    def stop_grant(self, grant_id: UUID) -> None:
        """Stop every stream of a grant in this process, including those that are about to start."""
        self._recent[grant_id] = clock.monotonic()
        self._recent.move_to_end(grant_id)
        while len(self._recent) > _MAX_RECENT:
            self._recent.popitem(last=False)
        for watch in tuple(self._watches.get(grant_id, ())):
            watch.stop(revoked=True)

    def _stop_all(self) -> None:
        for watches in tuple(self._watches.values()):
            for watch in tuple(watches):
                watch.stop()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
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
        async with self._database.listening(CHANNEL, self._key_channel) as connection:
            # Notifications sent before LISTEN are lost: drop every key and stop every stream.
            self._forget_all()
            self._stop_all()
            self._listening_since = clock.monotonic()
            self._ready.set()
            async for notification in connection.notifies():
                if notification.channel == self._key_channel:
                    self._forget_key(notification.payload)
                else:
                    grant_id = parse_id(notification.payload)
                    if grant_id is not None:
                        self.stop_grant(grant_id)
