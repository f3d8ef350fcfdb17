"""Publishing the log at a fixed cadence, independent of activity.

At each multiple of the cadence the newest checkpoint becomes the public one, cosigned by the
witnesses that answer. So the growth of the public log does not reveal when a vault was accessed.
"""

import asyncio

import structlog

from audit.tlog import records
from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint
from audit.tlog.notes import InvalidNote, Note
from audit.tlog.prover import Prover
from audit.tlog.records import Signed
from audit.tlog.right_edge import edge_tiles
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.witness_client import WitnessClient
from base import clock
from base.database import Database

_RETRY = 10.0

_log = structlog.get_logger()


class Publisher:
    """Runs beside the sequencer. Two at once are harmless: the public tree never shrinks."""

    def __init__(
        self,
        database: Database,
        store: LogStore,
        prover: Prover,
        witnesses: WitnessClient,
        cadence: float,
    ) -> None:
        self._database = database
        self._store = store
        self._prover = prover
        self._witnesses = witnesses
        self._cadence = cadence

    async def run(self) -> None:
        """Publish until cancelled; the very first checkpoint at once, so that the log has one."""
        while True:
            try:
                if await self._store.checkpoint() is None:
                    await self.publish()
                await asyncio.sleep(self._until_next())
                await self.publish()
            except Exception as error:  # noqa: BLE001  (any failure is retried)
                _log.warning("log_not_published", error=type(error).__name__)
                await asyncio.sleep(min(_RETRY, self._cadence))

    async def publish(self) -> None:
        """Make the newest checkpoint the public one."""
        async with self._database.transaction() as tx:
            signed = await records.newest_checkpoint(tx)
        if signed is None:
            return
        note = await self._cosigned(signed)
        # 1. The partial tiles that the public tree needs.
        await self._store.write_public(
            [(tile, await read_tile(self._store, tile)) for tile in edge_tiles(signed.size)]
        )
        # A crash here leaves public tiles that no public checkpoint covers: they are not served.
        # 2. The checkpoint, unless another process has published a larger tree meanwhile.
        async with self._database.transaction() as tx:
            await records.hold_publishing(tx)
            public = published_in(await self._store.checkpoint())
            if public is None or public.size <= signed.size:
                await self._store.publish(note.encode())

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

    def _until_next(self) -> float:
        at = clock.now().timestamp()
        return self._cadence - at % self._cadence


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
