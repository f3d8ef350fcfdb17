"""How fast the log is: integration, delay of integration, proofs, reconciliation.

On a database of its own that flushes, and a directory store on the same disk. `python -m bench.log`
prints its rows as JSON.
"""

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psycopg
import uvloop
from pydantic import SecretStr

from audit.reconcile import Reconciler
from audit.tlog import records as tlog_records
from audit.tlog.merkle import CompactRange, leaf_hash, verify_inclusion
from audit.tlog.pending_events import Looks, PendingEvents
from audit.tlog.prover import Prover
from audit.tlog.sequencer import BATCH, Sequencer
from audit.tlog.sequencer_loop import Pace
from audit.tlog.tiles import WIDTH, Tile
from audit.tlog.transparency_log import TransparencyLog
from base.database import Database
from base.embedded.server import Addresses
from base.ids import new_id
from base.settings import Settings
from bench import fixture
from bench.fixture import Fixture
from bench.http_client import Connection, connect
from bench.rows import Row, bounded, faster, slower
from bench.servers import Served, serving
from storage.blobs.directory import DirectoryStore
from storage.field_encryption import FieldEncryption
from storage.key_rotation import initialise
from storage.keys import Keys
from storage.providers.local import LocalKeyring

SEALED = 800
"""Bytes of a usual sealed event."""
BACKLOG = 200_000
RATE = 500
SECONDS = 10
LARGE = 10_000_000
PROOFS = 2_000
SMALL = fixture.Sizes(large=64 * 1024, listed=1, kept=64 * 1024)
TURNS = 8
REQUESTS_PER_TURN = 150


def measure() -> list[Row]:
    """Rows of the bench table."""
    with fixture.database() as (home, addresses):
        rows = uvloop.run(_measure(home, addresses))
    with fixture.database() as (home, addresses):
        settings = fixture.settings_of(home, addresses)
        data = uvloop.run(fixture.build(settings, addresses, SMALL))
        without = replace(
            data, settings=settings.model_copy(update={"sequencer_in_process": False})
        )
        with serving("ours", data) as sequencing, serving("ours", without) as only:
            rows.append(uvloop.run(_latency(data, sequencing, only)))
    return rows


async def _measure(home: Path, addresses: Addresses) -> list[Row]:
    async with _log(home, addresses) as (log, database):
        rows = [await _integrated(addresses, log, database)]
        rows += await _reconciled(log, database)
        rows += await _delayed(addresses, log)
    return [*rows, *await _proved()]


@asynccontextmanager
async def _log(home: Path, addresses: Addresses) -> AsyncIterator[tuple[TransparencyLog, Database]]:
    settings = Settings.model_validate(
        {"mode": "demo", "home": home, "database_url": addresses.service_url}
    )
    database = Database(SecretStr(addresses.service_url), pool=8)
    provider = LocalKeyring(home / "keys" / "keyring.json")
    await initialise(database, provider)
    blobs = DirectoryStore(home / "log")
    try:
        yield (
            TransparencyLog(settings, database, FieldEncryption(Keys(database, provider)), blobs),
            database,
        )
    finally:
        await blobs.close()
        await database.close()


def _rows(count: int) -> Iterator[list[Any]]:
    for _ in range(count):
        event_id = new_id()
        sealed = secrets.token_bytes(SEALED)
        yield [event_id, datetime.now(UTC), event_id, sealed, secrets.token_bytes(32)]


def _add(addresses: Addresses, count: int) -> None:
    url = addresses.owner_url.replace("+psycopg", "")
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(
            "COPY unefois.access_event (id, at, key_id, sealed, commitment) FROM STDIN"
        ) as copy,
    ):
        for row in _rows(count):
            copy.write_row(row)


async def _integrated(addresses: Addresses, log: TransparencyLog, database: Database) -> Row:
    """A backlog found, integrated in batches of 256, its tiles durable, signed twice a second."""
    await asyncio.to_thread(_add, addresses, BACKLOG)
    async with database.listening() as connection:
        connection.prepare_threshold = None
        assert await tlog_records.take_lock(connection)
        sequencer = Sequencer(connection, log.store, await log.keys.signer())
        await sequencer.take_up()
        pending = PendingEvents(connection, Looks())
        signed = time.perf_counter()
        rates = []
        while True:
            began = time.perf_counter()
            events = await pending.look()
            if not events:
                break
            for start in range(0, len(events), BATCH):
                await sequencer.integrate(events[start : start + BATCH])
                if time.perf_counter() - signed > Pace().signing:
                    await sequencer.sign()
                    signed = time.perf_counter()
            await sequencer.sign()
            rates.append(len(events) / (time.perf_counter() - began))
        assert sequencer.size == BACKLOG
        await sequencer.leave()
    # The best of several rounds, each integrated and signed whole: the least disturbed one.
    return _at_least("the log: entries/s integrated", max(rates), 20_000)


async def _reconciled(log: TransparencyLog, database: Database) -> list[Row]:
    rates = []
    for _ in range(3):
        began = time.perf_counter()
        reconciler = Reconciler(database, log.store, await log.verifier())
        report = await reconciler.run(lambda _done, _of: None)
        rates.append(BACKLOG / (time.perf_counter() - began))
        assert report.leaves == BACKLOG
        assert not report.faults
    return [_at_least("the log: events/s reconciled", max(rates), 50_000)]


async def _delayed(addresses: Addresses, log: TransparencyLog) -> list[Row]:
    """At 500 events/s, each committed alone: from its commit to a signed tree that has it."""
    url = addresses.service_url.replace("+psycopg", "")
    committed: dict[Any, float] = {}
    waits: list[float] = []
    async with httpx.AsyncClient() as client:
        sequencer = log.sequencing(client)
        await sequencer.start()
        try:
            while not sequencer.leading:  # noqa: ASYNC110  (it notifies nobody)
                await asyncio.sleep(0.01)
            writing = asyncio.create_task(_write(url, committed))
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                seen = BACKLOG
                while not writing.done() or committed:
                    seen = await _seen(connection, seen, committed, waits)
                    await asyncio.sleep(0.02)
            await writing
        finally:
            await sequencer.stop()
    waits.sort()
    return [
        bounded("the log: s until integrated at 500/s, median", waits[len(waits) // 2], 1),
        bounded("the log: s until integrated at 500/s, slowest of 1000", waits[-5], 1),
    ]


async def _write(url: str, committed: dict[Any, float]) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        for number, row in enumerate(_rows(RATE * SECONDS)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            await connection.execute(
                "INSERT INTO unefois.access_event (id, at, key_id, sealed, commitment)"
                " VALUES (%s, %s, %s, %s, %s)",
                row,
            )
            committed[row[0]] = time.perf_counter()


async def _seen(
    connection: "psycopg.AsyncConnection[Any]",
    seen: int,
    committed: dict[Any, float],
    waits: list[float],
) -> int:
    """Record how long the events of the newest signed tree waited; its size."""
    cursor = await connection.execute(
        "SELECT c.size, l.event_id FROM"
        " (SELECT max(size) AS size FROM unefois.log_checkpoint) c"
        " JOIN unefois.log_leaf l ON l.index >= %s AND l.index < c.size",
        [seen],
    )
    now = time.perf_counter()
    for size, event_id in await cursor.fetchall():
        seen = size
        if event_id in committed:
            waits.append(now - committed.pop(event_id))
    return seen


async def _latency(data: Fixture, sequencing: Served, only: Served) -> Row:
    """One retrieval after another from a server that also sequences, and from one that does not
    while the first is stopped. Alternately; the median of each."""
    path = f"/v1/grants/{data.reading}/documents/{data.small}/content"
    key = f"Authorization: Bearer {data.worker}"
    times: tuple[list[float], list[float]] = ([], [])
    async with connect(sequencing.port, 1) as (first,), connect(only.port, 1) as (second,):
        for _ in range(TURNS):
            await _caught_up(data)
            times[0].extend(await _turn(first, path, key))
            os.kill(sequencing.pid, signal.SIGSTOP)
            try:
                times[1].extend(await _turn(second, path, key))
            finally:
                os.kill(sequencing.pid, signal.SIGCONT)
    sequencing_ms, only_ms = (median(turns) * 1000 for turns in times)
    return slower(
        "the log: ms to retrieve 20 KiB, sequencer at work or not", sequencing_ms, only_ms, 1.15
    )


async def _turn(connection: Connection, *request: str) -> list[float]:
    times = []
    for _ in range(REQUESTS_PER_TURN):
        began = time.perf_counter()
        status, _length = await connection.get(*request)
        assert status == 200
        times.append(time.perf_counter() - began)
    return times


async def _caught_up(data: Fixture) -> None:
    url = data.addresses.owner_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "SELECT (SELECT count(*) FROM unefois.access_event)"
                " - (SELECT coalesce(max(size), 0) FROM unefois.log_checkpoint)"
            )
            if await cursor.fetchone() == (0,):
                return
            await asyncio.sleep(0.05)


class _Synthetic:
    """A store of ten million equal entries: a tile is made when it is read, of the one hash that
    its level has."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.leaf = leaf_hash(bytes(64))
        self.reads = 0
        full = [self.leaf]
        for _ in range(4):
            edge = CompactRange()
            for _ in range(WIDTH):
                edge.append(full[-1])
            full.append(edge.root())
        self._full = full

    async def read(self, tile: Tile) -> bytes:
        self.reads += 1
        return self._full[tile.level] * tile.width

    def root(self) -> bytes:
        """Every leaf is the same, so every complete subtree of a height is."""
        hashes: list[bytes] = []
        height, current = 0, self.leaf
        while self.size >> height:
            if self.size >> height & 1:
                hashes.insert(0, current)
            current = sha256(b"\x01" + current + current).digest()
            height += 1
        return CompactRange(self.size, hashes).root()


async def _proved() -> list[Row]:
    store = _Synthetic(LARGE)
    prover, root = Prover(store), store.root()  # type: ignore[arg-type]  # it has `read`
    picked = [secrets.randbelow(LARGE) for _ in range(200)]
    max_reads = 0
    for index in picked:  # cold: a new prover for each
        fresh, store.reads = Prover(store), 0  # type: ignore[arg-type]  # idem
        await fresh.inclusion(index, LARGE)
        max_reads = max(max_reads, store.reads)
    for index in picked:
        await prover.inclusion(index, LARGE)
    began = time.perf_counter()
    for number in range(PROOFS):
        index = picked[number % len(picked)]
        path = await prover.inclusion(index, LARGE)
        verify_inclusion(store.leaf, index, LARGE, path, root)
    milliseconds = (time.perf_counter() - began) / PROOFS * 1000
    return [
        bounded("the log: ms to prove at 10 million entries, verified", milliseconds, 1),
        bounded("the log: tiles read for a first proof there", max_reads, 10),
    ]


def _at_least(name: str, value: float, target: float) -> Row:
    """A speed with a target and no floor."""
    row = faster(name, value, target, 1)
    return {**row, "floor": None, "ratio": None, "target": target}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
