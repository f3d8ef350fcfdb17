"""Any failure, at any moment: an event has one leaf, each checkpoint continues the earlier ones."""

import asyncio
import multiprocessing
import random
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psycopg
import pytest

from audit import verify
from audit.tlog import records as tlog_records
from audit.tlog.pending_events import Looks, PendingEvents
from audit.tlog.publisher import Publisher
from audit.tlog.sequencer import InvalidLog, Sequencer
from audit.tlog.store import LogStore, tile_key
from audit.tlog.tiles import InvalidTile, Tile
from audit.tlog.witness_client import WitnessClient
from base.embedded.server import Addresses
from storage.blobs import BlobKey, BlobStore, BlobUnavailable, Bytes
from storage.blobs.directory import DirectoryStore
from tests.audit.test_verify import reader
from tests.audit.tlog.logs import (
    EAGER,
    SomeLog,
    add_events,
    checkpoints_hold,
    leaves_of_events,
    open_log,
)
from tests.audit.tlog.test_publisher import download

T = TypeVar("T")


class Lost(psycopg.OperationalError):
    """Raised in place of a broken connection."""


class Failing:
    """A store that fails once, before or after the write of the first key that matches."""

    def __init__(self, blobs: BlobStore, start: str, end: str, *, saved: bool) -> None:
        self._blobs = blobs
        self._start, self._end, self._saved = start, end, saved
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    async def put_if_absent(self, key: BlobKey, data: Bytes) -> bool:
        return await self._broken(key, self._blobs.put_if_absent(key, data))

    async def put(self, key: BlobKey, data: Bytes) -> None:
        await self._broken(key, self._blobs.put(key, data))

    async def delete(self, key: BlobKey) -> None:
        await self._broken(key, self._blobs.delete(key))

    async def _broken(self, key: str, attempt: Awaitable[T]) -> T:
        hit = not self.failed and key.startswith(self._start) and key.endswith(self._end)
        if not hit:
            return await attempt
        self.failed = True
        if self._saved:
            await attempt
        else:
            asyncio.ensure_future(attempt).cancel()
        raise BlobUnavailable("on purpose")


STORE_FAULTS = {
    "a full bundle": ("log/tile/entries", "/tile-001"),
    "a full tile": ("log/tile/0", "/tile-000"),
    "a tile above": ("log/tile/1", ".p/tile-3"),
    "a partial tile": ("log/tile/0", ".p/tile-132"),
    "a partial bundle": ("log/tile/entries", ".p/tile-132"),
    "a partial tile's removal": ("log/tile/0", ".p/tile-10"),
    "a public tile": ("log/public/tile/0", ".p/tile-132"),
    "the public checkpoint": ("log/checkpoint", ""),
}
ROW_FAULTS = ["integrate", "add_signed"]


@pytest.fixture(params=["failed and not saved", "failed but saved"])
def saved(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "failed but saved")


async def run_once(some: SomeLog, store: LogStore) -> None:
    """Run the sequencer from its start until nothing waits, then publish once."""
    async with some.database.listening() as connection:
        async with asyncio.timeout(10):
            while not await tlog_records.take_lock(connection):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        sequencer = Sequencer(connection, store, await some.log.keys.signer())
        try:
            await sequencer.take_up()
            await sequencer.sign()
            pending = PendingEvents(connection, Looks())
            while found := await pending.look():
                for start in range(0, len(found), 256):
                    await sequencer.integrate(found[start : start + 256])
            await sequencer.sign()
        finally:
            await sequencer.leave()
    async with httpx.AsyncClient() as client:
        witnesses = WitnessClient([], client)
        await Publisher(some.database, store, some.log.prover, witnesses, 3600).publish()


async def whole(some: SomeLog, folder: Path, size: int) -> None:
    """Each event has one leaf, checkpoints continue each other, the public log verifies."""
    assert list(leaves_of_events(some)) == []
    assert checkpoints_hold(some)[-1] == size
    fetch = reader(await download(some, folder))
    now = verify.check_published(fetch, await some.log.verifier()).checkpoint
    assert now.size == size
    verify.check_whole(fetch, now, lambda _done, _of: None)


STORES = pytest.mark.parametrize(
    "blobs", ["directory", pytest.param("ceph", marks=pytest.mark.ceph)], indirect=True
)


@STORES
@pytest.mark.parametrize("fault", STORE_FAULTS)
async def test_a_write_that_fails(
    some_log: SomeLog, tmp_path: Path, fault: str, saved: bool
) -> None:
    with some_log.owner() as connection:
        add_events(connection, 10)
    await run_once(some_log, some_log.log.store)
    with some_log.owner() as connection:
        add_events(connection, 3 * 256 + 132 - 10)
    failing = Failing(some_log.blobs, *STORE_FAULTS[fault], saved=saved)
    with suppress(BlobUnavailable):
        await run_once(some_log, LogStore(failing))
    assert failing.failed
    with some_log.owner() as connection:
        add_events(connection, 200)
    await run_once(some_log, some_log.log.store)
    await whole(some_log, tmp_path, 3 * 256 + 132 + 200)


@STORES
@pytest.mark.parametrize("fault", ROW_FAULTS)
async def test_a_commit_that_fails(
    some_log: SomeLog, tmp_path: Path, fault: str, saved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with some_log.owner() as connection:
        add_events(connection, 300)
    await run_once(some_log, some_log.log.store)
    with some_log.owner() as connection:
        add_events(connection, 500)
    attempt: Callable[..., Awaitable[object]] = getattr(tlog_records, fault)

    async def broken(*given: object) -> None:
        if saved:
            await attempt(*given)
        raise Lost("on purpose")

    with monkeypatch.context() as patch:
        patch.setattr(tlog_records, fault, broken)
        with pytest.raises(Lost):
            await run_once(some_log, some_log.log.store)
    await run_once(some_log, some_log.log.store)
    await whole(some_log, tmp_path, 800)


async def test_two_that_both_believe_to_be_alone_do_not_fork(
    some_log: SomeLog, tmp_path: Path
) -> None:
    """The lock is lost with its connection; the slower one fails and leaves nothing."""
    with some_log.owner() as connection:
        ids = add_events(connection, 600)
    signer = await some_log.log.keys.signer()
    store = some_log.log.store
    async with some_log.database.listening() as one, some_log.database.listening() as two:
        first, second = Sequencer(one, store, signer), Sequencer(two, store, signer)
        await first.take_up()
        await second.take_up()
        await first.integrate(ids[:200])
        with pytest.raises(psycopg.errors.UniqueViolation):
            await second.integrate(ids[200:400])
        second = Sequencer(two, store, signer)
        await second.take_up()
        await second.integrate(ids[200:400])
        await second.sign()
        with pytest.raises(InvalidLog, match="superseded"):
            await first.sign()
        with pytest.raises(psycopg.errors.UniqueViolation):
            await first.integrate(ids[400:])
    await run_once(some_log, store)
    await whole(some_log, tmp_path, 600)


async def test_a_database_older_than_what_is_public_signs_nothing(some_log: SomeLog) -> None:
    with some_log.owner() as connection:
        add_events(connection, 10)
    await run_once(some_log, some_log.log.store)
    with some_log.owner() as connection:
        for table in ("log_leaf", "log_checkpoint"):
            connection.execute(f"ALTER TABLE unefois.{table} DISABLE TRIGGER USER".encode())
            connection.execute(f"TRUNCATE unefois.{table}".encode())
            connection.execute(f"ALTER TABLE unefois.{table} ENABLE TRIGGER USER".encode())
    with pytest.raises(InvalidLog, match="behind"):
        await run_once(some_log, some_log.log.store)
    with some_log.owner() as connection:
        row = connection.execute("SELECT count(*) FROM unefois.log_checkpoint").fetchone()
    assert row == (0,)


async def test_a_store_that_was_lost_is_made_again_from_the_rows(
    some_log: SomeLog, tmp_path: Path
) -> None:
    with some_log.owner() as connection:
        add_events(connection, 700)
    await run_once(some_log, some_log.log.store)
    empty = DirectoryStore(tmp_path / "new")
    again = SomeLog(some_log.log, some_log.database, empty, some_log.addresses, some_log.settings)
    again.log.store._blobs = empty
    await run_once(again, again.log.store)
    await whole(again, tmp_path / "copy", 700)
    await empty.close()


async def test_a_tile_that_is_another_stops_the_log_and_is_named(some_log: SomeLog) -> None:
    """The service did not write that tile: no tree over it is signed."""
    with some_log.owner() as connection:
        add_events(connection, 256)
    await some_log.blobs.put(tile_key(Tile(0, 0)), b"x" * 8192)
    with pytest.raises(InvalidTile, match="tile/0/000: differs"):
        await run_once(some_log, some_log.log.store)
    assert checkpoints_hold(some_log) == [0]


# Killed


EVENTS = 10_000
KILLS = 20


def sequence(addresses: Addresses, keyring: Path, folder: Path) -> None:
    """A process that sequences until it is killed."""

    async def forever() -> None:
        blobs = DirectoryStore(folder)
        async with open_log(addresses, keyring, blobs) as some, some.sequencing(EAGER):
            await asyncio.Event().wait()

    asyncio.run(forever())


def commit_events(url: str, stop: threading.Event) -> None:
    """Commit ten thousand events in transactions of all sizes; some late, some rolled back."""
    chance = random.Random(7)
    left = EVENTS
    with psycopg.connect(url) as early, psycopg.connect(url) as now:
        while left and not stop.is_set():
            count = min(left, chance.randint(1, 40))
            late = chance.random() < 0.2
            connection = early if late else now
            with suppress(ZeroDivisionError), connection.transaction():
                add_events(connection, count, ago=timedelta(seconds=chance.choice([0, 1, 30])))
                if chance.random() < 0.1:
                    raise ZeroDivisionError  # rolled back: these events never existed
                left -= count
            stop.wait(chance.random() * 0.06)


@pytest.mark.slow
async def test_killed_twenty_times_with_two_at_work(
    some_log: SomeLog, keyring_file: Path, tmp_path: Path
) -> None:
    await some_log.log.verifier()
    assert isinstance(some_log.blobs, DirectoryStore)
    folder = some_log.blobs.blobs.parent
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.audit.tlog.test_crashes"])
    stop = threading.Event()
    writer = threading.Thread(target=commit_events, args=(some_log.owner_url, stop))

    def start() -> Any:
        process = context.Process(
            target=sequence, args=(some_log.addresses, keyring_file, folder), daemon=True
        )
        process.start()
        return process

    at_work = [start(), start()]
    sizes = [0]
    try:
        writer.start()
        await kill_repeatedly(some_log, start, at_work, sizes)
        writer.join(40)
        assert not writer.is_alive()
        await wait_for_growth(some_log, EVENTS - 1)
    finally:
        stop.set()
        for one in at_work:
            one.kill()
            one.join()
        writer.join()
    assert list(leaves_of_events(some_log)) == []
    assert sizes == sorted(sizes)
    assert len([one for one in sizes if one < EVENTS]) > KILLS * 3 // 4, "killed while at work"
    assert set(sizes[1:]) <= set(checkpoints_hold(some_log))
    await run_once(some_log, some_log.log.store)
    await whole(some_log, tmp_path, EVENTS)


async def kill_repeatedly(
    some: SomeLog, start: Callable[[], Any], at_work: list[Any], sizes: list[int]
) -> None:
    """Kill one of two at work, or both, repeatedly; returns the tree's size before each kill."""
    chance = random.Random(11)
    for kill in range(KILLS):
        # In the middle of work: only after the tree has grown since the last kill.
        await wait_for_growth(some, sizes[-1])
        await asyncio.sleep(chance.random() * 0.2)
        sizes.append((await some.log.state())[0])
        for victim in at_work[:] if kill % 5 == 4 else at_work[:1]:
            victim.kill()
            victim.join()
        at_work[:] = [one for one in at_work if one.is_alive()]
        at_work += [start() for _ in range(2 - len(at_work))]


async def wait_for_growth(some: SomeLog, beyond: int) -> None:
    """Wait until the signed tree is larger, or complete."""
    limit = time.monotonic() + 30
    while (await some.log.state())[0] <= min(beyond, EVENTS - 1):
        assert time.monotonic() < limit, "the log does not grow"
        await asyncio.sleep(0.005)
