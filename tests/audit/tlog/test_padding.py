"""What is published is exactly what was drawn: padding fills it, the rest waits, crashes or not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit import verify
from audit.audit_log import AuditLog
from audit.reconcile import Reconciler
from audit.records import events_of
from audit.tlog import growth
from audit.tlog import publisher as publisher_module
from audit.tlog import records as tlog_records
from audit.tlog.checkpoint import Checkpoint, Policy, verify_checkpoint
from audit.tlog.growth import draw_growth
from audit.tlog.merkle import InvalidProof
from audit.tlog.notes import Note
from audit.tlog.publisher import Publisher
from audit.tlog.store import tile_key
from audit.tlog.tiles import Tile
from audit.tlog.witness import Witness
from audit.tlog.witness_client import WitnessAddress, WitnessClient
from base.settings import Settings
from tests.audit.test_reconcile import flip
from tests.audit.test_verify import reader
from tests.audit.tlog.logs import ORIGIN, SomeLog, checkpoints_hold, leaves_of_events
from tests.audit.tlog.padded_logs import (
    act,
    all_signed,
    growing,
    padded,
    public_size,
    signed_size,
)
from tests.audit.tlog.test_publisher import download
from tests.audit.tlog.test_witness_client import served
from web.http.witness import witness_app

PADDING = 8


class Lost(Exception):
    """Raised in place of a crash."""


async def grown(some: SomeLog, publisher: Publisher) -> int:
    """By how many leaves one publication makes the public tree larger."""
    before = await public_size(some) or 0
    await publisher.publish()
    return (await public_size(some) or 0) - before


async def holds(some: SomeLog, folder: Path) -> None:
    """The public log verifies from outside; from inside every event has its leaf and opens."""
    count = await all_signed(some)
    fetch = reader(await download(some, folder))
    now = verify.check_published(fetch, await some.log.verifier()).checkpoint
    verify.check_whole(fetch, now, lambda _done, _of: None)
    assert list(leaves_of_events(some)) == []
    checkpoints_hold(some)
    reconciler = Reconciler(some.database, some.log.store, await some.log.verifier())
    await reconciler.run(lambda _done, _of: None)
    assert reconciler.report.faults == []
    async with some.database.transaction() as tx:
        rows = await events_of(tx, limit=count + 1)
        opened = await AuditLog(some.database, some.log._fields).open_entries(tx, rows)
    assert sum(entry.values is not None for entry in opened) == count


async def test_each_publication_grows_by_what_was_drawn(some_log: SomeLog, tmp_path: Path) -> None:
    """With more events than a publication has room for, fewer, and none at all."""
    seen: Checkpoint | None = None
    async with growing(some_log, PADDING) as publisher:
        for count in (0, 3, 4 * PADDING, 0, 1, 0, 0, 300, 0):
            if count:
                await act(some_log, count)
            before = await public_size(some_log) or 0
            full = await signed_size(some_log) - before > 4 * PADDING
            grew = await grown(some_log, publisher)
            assert (grew % (8 * PADDING) if full else grew) in range(PADDING, 2 * PADDING + 1)
            fetch = reader(await download(some_log, tmp_path / str(before)))
            now = verify.check_published(fetch, await some_log.log.verifier()).checkpoint
            assert now.size == before + grew
            if seen is not None:
                verify.check_continues(fetch, now, seen)
            seen = now
        await holds(some_log, tmp_path / "whole")


async def test_events_that_arrive_while_it_is_made_ready_wait(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(growth.secrets, "randbelow", lambda _: 3)
    async with growing(some_log, PADDING) as publisher:
        assert await grown(some_log, publisher) == PADDING + 3
        filling = publisher._filling
        assert filling is not None
        record = filling.padding.record

        async def meanwhile(count: int) -> None:
            await act(some_log, 5)
            await record(count)
            await act(some_log, 7)

        monkeypatch.setattr(filling.padding, "record", meanwhile)
        assert await grown(some_log, publisher) == PADDING + 3
        assert await signed_size(some_log) == 2 * (PADDING + 3) + 12
        await holds(some_log, tmp_path)


async def test_many_waiting_events_are_carried_in_whole_steps(some_log: SomeLog) -> None:
    async with growing(some_log, PADDING) as publisher:
        await act(some_log, 100 * PADDING)
        grew = await grown(some_log, publisher)
        assert grew % (8 * PADDING) in range(PADDING, 2 * PADDING + 1)
        assert 100 * PADDING - grew < 19 * PADDING
        public = await public_size(some_log)
        for _ in range(11):
            await publisher.publish()
        assert public is not None
        assert (await public_size(some_log) or 0) >= public + 11 * PADDING


def test_after_a_publication_few_are_left() -> None:
    for waiting in range(2000):
        grew = draw_growth(PADDING, waiting)
        assert waiting - grew < 19 * PADDING
        if waiting <= 4 * PADDING:
            assert PADDING <= grew <= 2 * PADDING


def test_what_is_raised_is_over_the_sum_of_two_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth.secrets, "randbelow", lambda _: 0)
    assert draw_growth(PADDING, 4 * PADDING) == PADDING
    assert draw_growth(PADDING, 4 * PADDING + 1) == 9 * PADDING
    monkeypatch.setattr(growth.secrets, "randbelow", lambda end: end - 1)
    assert draw_growth(PADDING, 20 * PADDING - 2) == 2 * PADDING
    assert draw_growth(PADDING, 20 * PADDING - 1) == 10 * PADDING


# Crashes


CRASHES = {
    "the padding": ("padding", "record"),
    "the public tiles": ("store", "write_public"),
    "the checkpoint's row": ("records", "keep_signed"),
    "the published checkpoint": ("store", "publish"),
}


@pytest.mark.parametrize("saved", [False, True], ids=["and not saved", "but saved"])
@pytest.mark.parametrize("what", CRASHES)
async def test_a_crash_leaves_what_the_next_publication_goes_on_from(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str, saved: bool
) -> None:
    async with growing(some_log, PADDING) as publisher:
        await publisher.publish()
        if what != "the padding":
            await act(some_log, 3 * PADDING)  # so that what is drawn is smaller than what is signed
        before = await public_size(some_log) or 0
        part, name = CRASHES[what]
        filling = publisher._filling
        assert filling is not None
        broken = {
            "padding": filling.padding, "store": publisher._store, "records": tlog_records
        }[part]  # fmt: skip
        attempt: Callable[..., Awaitable[object]] = getattr(broken, name)

        async def crash(*given: object) -> None:
            if saved:
                await attempt(*given)
            raise Lost

        with monkeypatch.context() as patch, pytest.raises(Lost):
            patch.setattr(broken, name, crash)
            await publisher.publish()
        published = saved and what == "the published checkpoint"
        after = await public_size(some_log) or 0
        assert after - before in (range(PADDING, 2 * PADDING + 1) if published else {0})
        await all_signed(some_log)
    # Another process goes on: nothing that the crash left shows in how much the tree grows.
    async with growing(some_log, PADDING) as another:
        assert await grown(some_log, another) in range(PADDING, 2 * PADDING + 1)
        await holds(some_log, tmp_path)


@pytest.mark.parametrize("draws", [(1, 7), (7, 1)])
async def test_two_at_once_publish_one_growth(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, draws: tuple[int, int]
) -> None:
    """The lock on sequencing is lost with its connection: two may believe for a while to lead."""
    async with growing(some_log, PADDING) as one:
        await one.publish()
        before = await public_size(some_log) or 0
        two = padded(some_log, PADDING)
        ready = []
        for publisher, drawn in zip((one, two), draws, strict=True):
            monkeypatch.setattr(growth.secrets, "randbelow", lambda _, drawn=drawn: drawn)
            ready.append(await publisher.prepare())
        assert ready[0] is not None
        assert ready[1] is not None
        await one.release(ready[0])
        await two.release(ready[1])
        assert await public_size(some_log) == before + PADDING + draws[0]
        assert await grown(some_log, two) == PADDING + draws[1]
        await holds(some_log, tmp_path)


# What is not trusted


async def test_nothing_is_signed_over_tiles_that_were_changed(some_log: SomeLog) -> None:
    """The size drawn is cut out of the store, which may answer anything."""
    async with growing(some_log, PADDING) as publisher:
        await act(some_log, 4 * PADDING)
        await flip(some_log, Tile(0, 0, await signed_size(some_log)), 0)
        with pytest.raises(InvalidProof):
            await publisher.publish()
        assert await public_size(some_log) == 0
        assert checkpoints_hold(some_log)[-1] == 4 * PADDING


async def test_witnesses_cosign_every_size_that_is_drawn(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = await some_log.log.verifier()
    witness = Witness(tmp_path / "w", "good", log, ORIGIN)
    async with (
        served(witness_app(witness)) as url,
        httpx.AsyncClient(trust_env=False) as client,
        growing(some_log, PADDING) as publisher,
    ):
        asked = WitnessClient([WitnessAddress(witness.verifier, url)], client)
        monkeypatch.setattr(publisher, "_witnesses", asked)
        for count in (1, 4 * PADDING, 1, 300):
            await act(some_log, count)
            await publisher.publish()
            raw = await some_log.log.store.checkpoint()
            assert raw is not None
            verify_checkpoint(raw, log, Policy((witness.verifier,), 1))


# What people see


async def test_nobody_finds_a_padding_event(some_log: SomeLog) -> None:
    """A list of accesses is found by the tag of a person or of an actor: these have none."""
    async with growing(some_log, PADDING) as publisher:
        await publisher.publish()
    with some_log.owner() as connection:
        tags = connection.execute(
            "SELECT DISTINCT person_tag, actor_tag FROM unefois.access_event"
        ).fetchall()
    assert tags == [(None, None)]


async def test_a_proof_asked_for_again_does_not_show_how_the_tree_grows(some_log: SomeLog) -> None:
    async with growing(some_log, PADDING) as publisher:
        await act(some_log, 1)
        with some_log.owner() as connection:
            row = connection.execute("SELECT id FROM unefois.access_event").fetchone()
        event: Any = row[0] if row else None
        assert await _proved_in(some_log, event) == 1
        await act(some_log, 5)
        assert await _proved_in(some_log, event) == 1
        await publisher.publish()
        public = await public_size(some_log)
        assert await _proved_in(some_log, event) == public
        await act(some_log, 3 * PADDING)
        assert await _proved_in(some_log, event) == public
        await publisher.publish()
        await act(some_log, 1)
        assert await _proved_in(some_log, event) == await public_size(some_log) != public


async def test_a_store_without_the_tiles_of_what_is_public_still_proves(some_log: SomeLog) -> None:
    """A store that was restored has those of the newest tree, made again from the rows."""
    async with growing(some_log, PADDING) as publisher:
        await act(some_log, 3 * PADDING)
        with some_log.owner() as connection:
            row = connection.execute("SELECT id FROM unefois.access_event").fetchone()
        event: Any = row[0] if row else None
        await publisher.publish()
        public = await public_size(some_log) or 0
        assert public < await signed_size(some_log)
        await some_log.blobs.delete(tile_key(Tile(0, 0, public), "log/public"))
        assert await _proved_in(some_log, event) == await signed_size(some_log)


async def _proved_in(some: SomeLog, event: Any) -> int:
    """The size of the tree under which an event is proved, as after a second's wait."""
    some.log._public = (float("-inf"), None)
    proof = await some.log.inclusion(event)
    assert proof is not None
    return Checkpoint.of_text(Note.parse(proof.checkpoint).text).size


# When


class SimulatedTime:
    """The clock and the pauses of `Publisher.run`; making ready takes `needed` seconds."""

    def __init__(self, needed: float) -> None:
        self.at = 1_000_000.5
        self.released: list[float] = []
        self.enough = asyncio.Event()
        self._needed = needed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    async def sleep(self, seconds: float) -> None:
        self.at += seconds * 0.999  # timers wake a little early
        if len(self.released) == 3:
            self.enough.set()
            await asyncio.Event().wait()

    async def prepare(self) -> Any:
        self.at += self._needed
        return object()

    async def release(self, _: object) -> None:
        self.released.append(self.at)

    async def checkpoint(self) -> bytes:
        return b"something"


@pytest.mark.parametrize("needed", [0.0, 0.2, 7.0])
async def test_the_moment_does_not_show_how_long_it_took_to_make_ready(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch, needed: float
) -> None:
    simulated = SimulatedTime(needed)
    publisher = padded(some_log, PADDING)
    monkeypatch.setattr(publisher, "_cadence", 600)
    for one, name in [
        (publisher, "prepare"),
        (publisher, "release"),
        (publisher._store, "checkpoint"),
    ]:
        monkeypatch.setattr(one, name, getattr(simulated, name))
    with monkeypatch.context() as patch:
        for module in ("clock", "asyncio"):
            patch.setattr(publisher_module, module, simulated)
        running = asyncio.create_task(publisher.run())
        await simulated.enough.wait()
        running.cancel()
    first = 1_000_200
    assert simulated.released == pytest.approx([first, first + 600, first + 1200], abs=0.001)


# The setting


def production(**values: object) -> Settings:
    return Settings.model_validate(
        {
            "mode": "production",
            "public_url": "https://coffre.example",
            "sms_gateway_url": "https://sms.example",
            "operator_email": "equipe@coffre.example",
            "trusted_proxies": "10.0.0.2",
            **values,
        }
    )


def test_it_is_on_in_production_and_cannot_be_made_small() -> None:
    assert production().log_padding == 24
    assert production(log_padding_events=16).log_padding == 16
    assert Settings(mode="demo").log_padding == 0
    assert Settings(mode="demo", log_padding_events=3).log_padding == 3
    for small in (0, 15):
        with pytest.raises(ValueError, match="UNEFOIS_LOG_PADDING_EVENTS"):
            production(log_padding_events=small)


async def test_the_service_pads_as_its_setting_says(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"log_padding_events": 3, "log_cadence_seconds": 1}
    monkeypatch.setattr(some_log.log, "_settings", some_log.settings.model_copy(update=values))
    async with some_log.sequencing(), asyncio.timeout(20):
        while not await public_size(some_log):  # noqa: ASYNC110  (another task publishes)
            await asyncio.sleep(0.05)
    assert await public_size(some_log) in {3, 4, 5, 6}
