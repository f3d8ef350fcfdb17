"""Publishing the log at a fixed cadence, by an amount that is drawn: independent of activity.

At each multiple of the cadence a larger tree becomes public, cosigned by the witnesses that answer.
With padding, its size was drawn beforehand: events inside it count, padding events fill it, and
events beyond it wait for the next one. So neither the pace nor the growth of the public log reveals
when a vault was accessed. The tree is made ready ahead of the cadence: what that costs depends on
what happened, so it may not show in the moment of publication.
"""

import asyncio
from dataclasses import dataclass

import structlog

from audit.padding_events import Padding
from audit.tlog import records
from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint
from audit.tlog.earlier_tree import earlier_edge, sign_earlier
from audit.tlog.growth import draw_growth
from audit.tlog.keys import LogKeys
from audit.tlog.notes import InvalidNote, Note
from audit.tlog.prover import Prover
from audit.tlog.records import Signed
from audit.tlog.right_edge import edge_tiles
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.witness_client import WitnessClient
from base import clock
from base.database import Database
from base.outages import is_reported

_RETRY = 10.0
_AHEAD = 10.0
"""Seconds before the cadence at which the next tree is made ready; at most half of the cadence."""
_POLL = 0.05
_PATIENCE = 60.0
"""Seconds that padding events may take to become leaves."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Publication:
    """The tree to publish next, once `after` leaves are public (None: nothing readable is)."""

    after: int | None
    signed: Signed


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a publication up to the size that was drawn, and signs at that size."""

    padding: Padding
    keys: LogKeys


class Publisher:
    """Runs beside the sequencer. Two at once are harmless: each publishes only what it drew for the
    tree that is public still. Without `filling`, what is published is the newest tree."""

    def __init__(
        self,
        database: Database,
        store: LogStore,
        prover: Prover,
        witnesses: WitnessClient,
        cadence: float,
        filling: Filling | None = None,
    ) -> None:
        self._database = database
        self._store = store
        self._prover = prover
        self._witnesses = witnesses
        self._cadence = cadence
        self._filling = filling

    async def run(self) -> None:
        """Publish until cancelled; the very first checkpoint at once, so that the log has one."""
        while True:
            try:
                if await self._store.checkpoint() is None:
                    await self.publish()
                moment = self._next_moment()
                await self._sleep_until(moment - min(_AHEAD, self._cadence / 2))
                ready = await self.prepare()
                await self._sleep_until(moment)
                if ready is not None:
                    await self.release(ready)
            except Exception as error:  # noqa: BLE001  (any failure is retried)
                if not is_reported(error):
                    _log.warning("log_not_published", error=type(error).__name__)
                await asyncio.sleep(min(_RETRY, self._cadence))

    async def publish(self) -> None:
        """Make a larger tree public now."""
        ready = await self.prepare()
        if ready is not None:
            await self.release(ready)

    async def prepare(self) -> Publication | None:
        """Choose the tree to publish next, with its checkpoint and its partial tiles; None when
        there is none. Raises what the database and the store raise, and `TimeoutError`."""
        # 1. What is public, and what may be: all that is signed, or as much as is drawn.
        public = published_in(await self._store.checkpoint())
        newest = await self._newest()
        if newest is None or (public is not None and public.size > newest.size):
            return None
        if public is None or self._filling is None:
            await self._write_tiles(newest.size)
            return Publication(None if public is None else public.size, newest)
        padding = self._filling.padding
        size = public.size + draw_growth(padding.size, newest.size - public.size)
        # 2. Padding events for what is missing. Events of others meanwhile only make the tree
        # larger than that; they wait, and so does padding that a crash here leaves: the next draw
        # starts from the same public tree, and counts both as leaves that it has already.
        if size > newest.size:
            await padding.record(size - newest.size)
            newest = await self._signed_up_to(size)
        # 3. A checkpoint of exactly that size.
        return Publication(public.size, await self._sign(self._filling, newest, size))

    async def release(self, ready: Publication) -> None:
        """Make it public, unless another process has published meanwhile."""
        note = await self._cosigned(ready.signed)
        async with self._database.transaction() as tx:
            await records.hold_publishing(tx)
            public = published_in(await self._store.checkpoint())
            # Otherwise it would be a second growth at the same moment, or a smaller tree.
            if (None if public is None else public.size) == ready.after:
                await self._store.publish(note.encode())

    async def _newest(self) -> Signed | None:
        async with self._database.transaction() as tx:
            return await records.newest_checkpoint(tx)

    async def _signed_up_to(self, size: int) -> Signed:
        """The newest checkpoint, once the sequencer has signed that many leaves."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                newest = await self._newest()
                if newest is not None and newest.size >= size:
                    return newest
                await asyncio.sleep(_POLL)

    async def _sign(self, filling: Filling, newest: Signed, size: int) -> Signed:
        """The checkpoint of the first `size` leaves."""
        if size == newest.size:
            await self._write_tiles(size)
            return newest
        edge = await earlier_edge(self._store, newest, size)
        signed = await sign_earlier(newest, edge, self._prover, await filling.keys.signer())
        # The row and the public tiles are those of the leaves: another process writes the same.
        await self._store.write_public(edge.partials())
        # A crash here leaves public tiles that no public checkpoint covers: they are not served.
        async with self._database.transaction() as tx:
            await records.keep_signed(tx, signed)
        # A crash here leaves a checkpoint that nobody was shown; the next draw is another one.
        return signed

    async def _write_tiles(self, size: int) -> None:
        """The partial tiles that a public tree of a signed size needs."""
        await self._store.write_public(
            [(tile, await read_tile(self._store, tile)) for tile in edge_tiles(size)]
        )
        # A crash here leaves public tiles that no public checkpoint covers: they are not served.

    async def _cosigned(self, signed: Signed) -> Note:
        """The note with the witnesses' signatures, those published before included."""
        note = Note.parse(signed.note)
        cosigned = await self._witnesses.ask(note, signed.size, self._prover.consistency)
        for name, refusal in cosigned.refusals.items():
            _log.warning("witness_refused", witness=name, refusal=refusal.value)
        raw = await self._store.checkpoint()
        if not cosigned.refusals or raw is None or published_in(raw) != _checkpoint(note):
            return cosigned.note
        # The same tree is public already: a witness that is down now may have cosigned it before.
        return cosigned.note.with_lines(
            [line for line in Note.parse(raw).lines if _key_name(line) in cosigned.refusals]
        )

    def _next_moment(self) -> float:
        """The next multiple of the cadence, in seconds since 1970."""
        return (clock.now().timestamp() // self._cadence + 1) * self._cadence

    async def _sleep_until(self, moment: float) -> None:
        """Longer than the cadence only if the database's clock was put back: then not at all."""
        left = moment - clock.now().timestamp()
        while 0 < left <= self._cadence:  # timers wake early
            await asyncio.sleep(left)
            left = moment - clock.now().timestamp()


def published_in(raw: bytes | None) -> Checkpoint | None:
    """The checkpoint of a note from our own store; None when there is no readable one."""
    try:
        return None if raw is None else _checkpoint(Note.parse(raw))
    except (InvalidNote, InvalidCheckpoint):
        return None


def _checkpoint(note: Note) -> Checkpoint:
    return Checkpoint.of_text(note.text)


def _key_name(line: str) -> str:
    return line.split(" ")[1]
