"""The process's clock is the database's, whatever the machine's shows."""

import time
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from base import clock
from base.ids import first_id_at, new_id

JUMP = timedelta(days=2)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Ahead(datetime):
    """A machine whose clock is two days ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Ahead":
        return cls.fromtimestamp(time.time() + JUMP.total_seconds(), tz)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not read the database's clock."""
    monkeypatch.setattr(clock._DatabaseClock, "ahead", None)


@pytest.mark.usefixtures("unread")
def test_the_machines_clock_is_not_asked_once_the_databases_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_at = clock.monotonic()
    clock.learn(datetime.now(UTC), read_at, read_at)
    before = new_id()
    monkeypatch.setattr(clock, "datetime", Ahead)
    during = new_id()
    monkeypatch.undo()
    assert before.int >> 80 <= during.int >> 80 <= first_id_at(clock.now()).int >> 80
    assert during < first_id_at(datetime.now(UTC) + timedelta(minutes=1))


@pytest.mark.usefixtures("unread")
def test_a_slow_answer_moves_nothing() -> None:
    clock.learn(NOON, 100.0, 100.01)
    known = clock._DatabaseClock.ahead
    # Sent at 101, answered at once by the database, read here two seconds later.
    clock.learn(NOON + timedelta(seconds=1), 101.0, 103.0)
    assert clock._DatabaseClock.ahead == known


@pytest.mark.usefixtures("unread")
def test_a_clock_of_the_database_that_was_set_is_followed() -> None:
    clock.learn(NOON, 100.0, 100.01)
    for shown in (NOON + JUMP, NOON):
        clock.learn(shown, 101.0, 101.01)
        assert clock._DatabaseClock.ahead is not None
        assert shown.timestamp() - 101.01 <= clock._DatabaseClock.ahead <= shown.timestamp() - 101.0
