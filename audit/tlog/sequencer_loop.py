"""The sequencer as a background task: one process works at a time, the others wait for its lock.

Woken by `NOTIFY` when asleep; while there is work it polls every 100 ms. After any failure the
connection and the state in memory are dropped, and the rows say where to continue.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from audit.tlog import records
from audit.tlog.keys import LogKeys
from audit.tlog.pending_events import Looks, PendingEvents
from audit.tlog.publisher import Publisher
from audit.tlog.records import Connection
from audit.tlog.sequencer import BATCH, InvalidLog, Sequencer
from audit.tlog.store import LogStore
from audit.tlog.tiles import InvalidTile
from base import clock
from base.database import Database
from base.outages import is_reported
from base.tasks import end

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds. `poll` between two scans, and the minimum between two checkpoints;
    `signing` between two checkpoints during a backlog; after `idle` without work, it sleeps until
    woken, at most `sleep`; `retry` after a failure, and while another process has the lock."""

    poll: float = 0.1
    signing: float = 0.5
    idle: float = 2.0
    sleep: float = 0.5
    retry: float = 1.0
    scan: Looks = field(default_factory=Looks)


class SequencerLoop:
    """A background task that sequences whenever this process holds the lock."""

    def __init__(
        self,
        database: Database,
        store: LogStore,
        keys: LogKeys,
        publisher: Publisher,
        pace: Pace | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._keys = keys
        self._publisher = publisher
        self._pace = pace or Pace()
        self._task: asyncio.Task[None] | None = None
        self._signed_at = 0.0
        self.leading = False
        self.broken: str | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def stop(self) -> None:
        """Stop at once: the next sequencer signs what is committed and not yet signed."""
        if self._task is not None:
            await end(self._task)
            with suppress(Exception):  # a failure only costs each commit a useless notification
                async with self._database.transaction() as tx:
                    await records.clear_asleep(tx)

    async def _run(self) -> None:
        while True:
            try:
                await self._connect()
            except (InvalidLog, InvalidTile) as broken:
                self.broken = str(broken)
                _log.error("log_broken", reason=self.broken)
            except Exception as error:  # noqa: BLE001  (database or store may be unavailable)
                if not is_reported(error):
                    _log.warning("sequencer_interrupted", error=type(error).__name__)
            await asyncio.sleep(self._pace.retry)

    async def _connect(self) -> None:
        """Wait for the lock, then sequence, all on one connection."""
        async with self._database.listening(records.CHANNEL) as connection:
            # A plan cached for old values would read the whole log at each scan.
            connection.prepare_threshold = None
            while not await records.take_lock(connection):  # noqa: ASYNC110  (a lock cannot notify)
                await asyncio.sleep(self._pace.retry)
            sequencer = Sequencer(connection, self._store, await self._keys.signer())
            try:
                await self._lead(connection, sequencer)
            finally:
                self.leading = False
                await sequencer.leave()

    async def _lead(self, connection: Connection, sequencer: Sequencer) -> None:
        await sequencer.take_up()
        await sequencer.sign()
        self.leading, self.broken = True, None
        _log.info("sequencer_leads", size=sequencer.size)
        publishing = asyncio.create_task(self._publisher.run(), name="publisher")
        try:
            await self._sequence(connection, sequencer)
        finally:
            await end(publishing)

    async def _sequence(self, connection: Connection, sequencer: Sequencer) -> None:
        pending = PendingEvents(connection, self._pace.scan)
        await records.set_asleep(connection, asleep=False)
        idle_since = clock.monotonic()
        while True:
            began = clock.monotonic()
            events = await pending.look()
            if events:
                await self._integrate(sequencer, events)
                idle_since = clock.monotonic()
            if len(events) >= self._pace.scan.limit or pending.full_scan:
                await self._sign(sequencer, self._pace.signing)
                continue
            await self._sign(sequencer, 0)
            if clock.monotonic() - idle_since >= self._pace.idle:
                await self._sleep(connection)
            else:
                await asyncio.sleep(max(0.0, began + self._pace.poll - clock.monotonic()))

    async def _integrate(self, sequencer: Sequencer, events: list[UUID]) -> None:
        for start in range(0, len(events), BATCH):
            await sequencer.integrate(events[start : start + BATCH])
            await self._sign(sequencer, self._pace.signing)

    async def _sign(self, sequencer: Sequencer, interval: float) -> None:
        """Sign what is new, if the last signature is `interval` seconds old or more."""
        if sequencer.unsigned and clock.monotonic() - self._signed_at >= interval:
            await sequencer.sign()
            self._signed_at = clock.monotonic()

    async def _sleep(self, connection: Connection) -> None:
        """Sleep until an event is notified. A transaction that read `asleep` just before we set it
        does not notify: hence the limit `sleep`."""
        await records.set_asleep(connection, asleep=True)
        async for _ in connection.notifies(timeout=self._pace.sleep, stop_after=1):
            pass
        await records.set_asleep(connection, asleep=False)
