"""Ends what is under way: a revoked grant stops its downloads, a destroyed key is forgotten.

One connection listens. While it is lost, streams under a grant are stopped after a second rather
than trusted, and every cached key is dropped (invariants 3 and 8).
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

GRANTS = "unefois_revoked"
_BLIND_SECONDS = 0.5
_RETRY_SECONDS = 0.2
_REMEMBERED = 10_000

_log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Watch:
    """One stream under way. `stopped` says that it must end; its task is woken by cancellation."""

    task: "asyncio.Task[object]" = field(repr=False)
    stopped: bool = False

    def stop(self) -> None:
        if not self.stopped:
            self.stopped = True
            self.task.cancel()


class Revocations:
    """Hears revocations and key destructions, and tells whom they concern."""

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
        self._hearing_since = 0.0
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    @property
    def listening(self) -> bool:
        """Whether a revocation made now would be heard here."""
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
        """Follow a grant for the length of a stream run by the current task.

        `judged_at` is `clock.monotonic()` just before the judgement: what was heard since then, or
        may have been missed, stops the stream at once.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (called from a coroutine)
        watch = Watch(task)
        missed = judged_at < self._hearing_since or not self.listening
        watch.stopped = missed or self._recent.get(grant_id, -1.0) >= judged_at
        self._watches[grant_id].add(watch)
        try:
            yield watch
        finally:
            self._watches[grant_id].discard(watch)
            if not self._watches[grant_id]:
                del self._watches[grant_id]

    def stop_grant(self, grant_id: UUID) -> None:
        """End every stream of a grant in this process, and those about to begin."""
        self._recent[grant_id] = clock.monotonic()
        self._recent.move_to_end(grant_id)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        for watch in tuple(self._watches.get(grant_id, ())):
            watch.stop()

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
            while clock.monotonic() - lost_at < _BLIND_SECONDS:
                await asyncio.sleep(_RETRY_SECONDS)
                if await self._answers():
                    break
            else:
                self._stop_all()

    async def _answers(self) -> bool:
        try:
            await self._database.check()
        except Exception:  # noqa: BLE001  (any failure means: not yet)
            return False
        return True

    async def _listen(self) -> None:
        async with self._database.listening(GRANTS, self._key_channel) as connection:
            # What was said while nobody listened is unknown: start from nothing trusted.
            self._forget_all()
            self._stop_all()
            self._hearing_since = clock.monotonic()
            self._ready.set()
            async for notice in connection.notifies():
                if notice.channel == self._key_channel:
                    self._forget_key(notice.payload)
                else:
                    grant_id = parse_id(notice.payload)
                    if grant_id is not None:
                        self.stop_grant(grant_id)
