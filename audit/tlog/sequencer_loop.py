"""The sequencer's life: one process works at a time, the others wait for its lock.

Woken by `NOTIFY` when asleep; while there is work it looks every 100 ms. Whatever fails, the
connection and all that is in memory are dropped, and the rows say where to go on.
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

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds. `tick` between two looks, and the least between two checkpoints;
    `signing` the most while there is work; after `drowsy` without any, it sleeps until woken, or
    for `doze`; `again` after a failure, and while another process has the lock."""

    tick: float = 0.1
    signing: float = 0.5
    drowsy: float = 2.0
    doze: float = 0.5
    again: float = 1.0
    looks: Looks = field(default_factory=Looks)


class SequencerLoop:
    """A background task that is the sequencer whenever this process holds the lock."""

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
        """Stop where it is: what is committed and not signed is taken up by the next one."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            with suppress(Exception):  # it would only cost each commit a word to nobody
                async with self._database.transaction() as tx:
                    await records.say_awake(tx)

    async def _run(self) -> None:
        while True:
            try:
                await self._connected()
            except (InvalidLog, InvalidTile) as broken:
                self.broken = str(broken)
                _log.error("log_broken", reason=self.broken)
            except Exception as error:  # noqa: BLE001  (the database or the store may be away)
                _log.warning("sequencer_interrupted", error=type(error).__name__)
            await asyncio.sleep(self._pace.again)

    async def _connected(self) -> None:
        async with self._database.listening(records.CHANNEL) as connection:
            # A plan made for old values would read the whole log at each look.
            connection.prepare_threshold = None
            while not await records.take_lock(connection):  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(self._pace.again)
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
            publishing.cancel()
            with suppress(asyncio.CancelledError):
                await publishing

    async def _sequence(self, connection: Connection, sequencer: Sequencer) -> None:
        pending = PendingEvents(connection, self._pace.looks)
        await records.say_asleep(connection, asleep=False)
        quiet_since = clock.monotonic()
        while True:
            began = clock.monotonic()
            found = await pending.look()
            if found:
                await self._integrate(sequencer, found)
                quiet_since = clock.monotonic()
            if len(found) >= self._pace.looks.most or pending.whole:
                await self._sign(sequencer, self._pace.signing)
                continue
            await self._sign(sequencer, 0)
            if clock.monotonic() - quiet_since >= self._pace.drowsy:
                await self._doze(connection)
            else:
                await asyncio.sleep(max(0.0, began + self._pace.tick - clock.monotonic()))

    async def _integrate(self, sequencer: Sequencer, found: list[UUID]) -> None:
        for start in range(0, len(found), BATCH):
            await sequencer.integrate(found[start : start + BATCH])
            await self._sign(sequencer, self._pace.signing)

    async def _sign(self, sequencer: Sequencer, least: float) -> None:
        """Sign what is new, `least` seconds after the time before at the earliest."""
        if sequencer.unsigned and clock.monotonic() - self._signed_at >= least:
            await sequencer.sign()
            self._signed_at = clock.monotonic()

    async def _doze(self, connection: Connection) -> None:
        """Sleep until told of an event. One whose transaction looked just before we said that we
        sleep tells nobody: hence `doze`, and not for ever."""
        await records.say_asleep(connection, asleep=True)
        async for _ in connection.notifies(timeout=self._pace.doze, stop_after=1):
            pass
        await records.say_asleep(connection, asleep=False)
