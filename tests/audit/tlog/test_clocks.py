"""Clocks that were wrong leave no event without a leaf, and no false alarm."""

from datetime import timedelta
from uuid import UUID

import pytest

from audit.tlog import records
from audit.tlog.pending_events import Looks, PendingEvents
from audit.tlog.publisher import Publisher
from base import clock
from tests.audit.tlog.logs import SomeLog, add_events
from tests.base.test_clock import JUMP

LONG_AGO = timedelta(minutes=3)


def add(some: SomeLog, count: int = 1, *, ahead: timedelta = timedelta()) -> list[UUID]:
    """Events that were recorded three minutes ago, with ids of a clock that was ahead."""
    with some.owner() as connection:
        ids = add_events(connection, count, ago=LONG_AGO)
        moved = [UUID(int=one.int + (int(ahead.total_seconds() * 1000) << 80)) for one in ids]
        connection.execute("ALTER TABLE unefois.access_event DISABLE TRIGGER USER")
        for one, other in zip(ids, moved, strict=True):
            connection.execute(
                "UPDATE unefois.access_event SET id = %s WHERE id = %s", (other, one)
            )
        connection.execute("ALTER TABLE unefois.access_event ENABLE TRIGGER USER")
    return moved


async def lag(some: SomeLog) -> timedelta:
    async with some.database.transaction() as tx:
        return await records.lag(tx)


@pytest.mark.parametrize("ahead", [JUMP, -JUMP])
async def test_no_lag_is_left_by_ids_of_a_clock_that_was_wrong(
    some_log: SomeLog, ahead: timedelta
) -> None:
    """All have their leaves; the last to get one has an id between the others'."""
    wrong = add(some_log, 3, ahead=ahead)
    assert await lag(some_log) >= LONG_AGO
    await some_log.integrate(wrong)
    right = add(some_log, 3)
    assert await lag(some_log) >= LONG_AGO
    await some_log.integrate(right)
    assert await lag(some_log) == timedelta()
    assert (await some_log.log.state())[1] == 0


@pytest.mark.parametrize("ahead", [timedelta(), JUMP])
async def test_one_event_without_a_leaf_is_a_lag_though_later_ones_have_theirs(
    some_log: SomeLog, ahead: timedelta
) -> None:
    left, *others = add(some_log, 5, ahead=ahead)
    await some_log.integrate(others)
    assert await lag(some_log) >= LONG_AGO
    await some_log.integrate([left])
    assert await lag(some_log) == timedelta()


async def test_a_backlog_is_counted_from_its_first_event(some_log: SomeLog) -> None:
    await some_log.integrate(add(some_log, 2, ahead=JUMP))
    with some_log.owner() as connection:
        first = add_events(connection, 400, ago=timedelta(hours=1))
        add_events(connection, 400, ago=timedelta(minutes=1))
    assert timedelta(minutes=59) <= await lag(some_log) <= timedelta(minutes=61)
    await some_log.integrate(first)
    assert timedelta(seconds=50) <= await lag(some_log) <= timedelta(minutes=2)


async def test_the_sequencers_scans_follow_the_databases_clock(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of the sequencer is two days ahead, or behind: it finds what was just made."""
    async with some_log.database.listening() as connection:
        pending = PendingEvents(connection, Looks())
        while pending.full_scan:
            await pending.look()
        for ahead in (JUMP, -JUMP):
            real = clock._DatabaseClock.ahead or 0.0
            monkeypatch.setattr(clock._DatabaseClock, "ahead", real + ahead.total_seconds())
            with some_log.owner() as owner:
                monkeypatch.setattr(clock._DatabaseClock, "ahead", None)
                made = add_events(owner, 3)
            monkeypatch.setattr(clock._DatabaseClock, "ahead", real + ahead.total_seconds())
            assert await pending.look() == made
            await some_log.integrate(made)


async def test_a_publication_does_not_wait_for_a_day_that_was_shown_by_mistake(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database's clock was two days ahead when the next moment was chosen, then was set."""
    publisher = Publisher(some_log.database, some_log.log.store, some_log.log.prover, None, 3600)  # type: ignore[arg-type]  # nobody is asked
    real = clock.now()
    monkeypatch.setattr(clock, "now", lambda: real + JUMP)
    moment = publisher._next_moment()
    monkeypatch.setattr(clock, "now", lambda: real)
    await publisher._sleep_until(moment)
