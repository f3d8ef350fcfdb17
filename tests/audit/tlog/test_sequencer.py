"""Every event has exactly one leaf, despite failures and concurrent sequencers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from audit.tlog.tiles import Tile, entries_in
from tests.audit.tlog.logs import EAGER, SomeLog, add_events, checkpoints_hold, leaves_of_events


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait for a condition, with a time limit."""
    limit = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < limit, "not in time"
        await asyncio.sleep(0.01)


async def signed_size(some: SomeLog) -> int:
    return (await some.log.state())[0]


async def test_events_become_leaves_under_a_signed_checkpoint(some_log: SomeLog) -> None:
    with some_log.owner() as connection:
        ids = add_events(connection, 700)
    async with some_log.sequencing():
        await until(lambda: _is(some_log, 700))
    assert list(leaves_of_events(some_log)) == []
    assert checkpoints_hold(some_log)[-1] == 700
    proof = await some_log.log.inclusion(ids[300])
    assert proof is not None
    bundle = await some_log.log.store.read(Tile(-1, proof.index // 256, 256))
    assert bundle is not None
    assert entries_in(Tile(-1, proof.index // 256), bundle)[proof.index % 256] == proof.entry


async def test_one_that_commits_late_is_not_passed_over(some_log: SomeLog) -> None:
    """Its id is older than those of existing leaves."""
    with some_log.owner() as connection:
        add_events(connection, 300)
    async with some_log.sequencing():
        await until(lambda: _is(some_log, 300))
        with some_log.owner() as connection:
            add_events(connection, 1, ago=timedelta(minutes=5))
            add_events(connection, 1, ago=timedelta(days=2))
        await until(lambda: _is(some_log, 302))
    assert list(leaves_of_events(some_log)) == []


async def test_a_sleeping_sequencer_is_woken(some_log: SomeLog) -> None:
    async with some_log.sequencing(replace(EAGER, sleep=60)) as at_work:
        await until(lambda: _asleep(some_log))
        assert at_work.leading
        began = time.monotonic()
        with some_log.owner() as connection:
            add_events(connection, 1)
        await until(lambda: _is(some_log, 1))
        assert time.monotonic() - began < 5


async def _is(some: SomeLog, size: int) -> bool:
    return await signed_size(some) == size


async def _asleep(some: SomeLog) -> bool:
    with some.owner() as connection:
        row = connection.execute("SELECT asleep FROM unefois.log_watch").fetchone()
    return row == (True,)


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 66_000])
async def test_the_tree_is_taken_up_where_it_stands(some_log: SomeLog, count: int) -> None:
    with some_log.owner() as connection:
        first = add_events(connection, count)
        second = add_events(connection, 300)
    await some_log.integrate(first)
    await some_log.integrate(second)
    assert checkpoints_hold(some_log)[-1] == count + 300
