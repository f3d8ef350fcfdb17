"""When a service may close, and what is told when."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from auth.closing_rules import (
    Notice,
    day_of,
    earliest,
    end_of,
    is_daytime,
    last_day,
    may_announce,
    notice_due,
)


@pytest.mark.parametrize(
    ("today", "first"),
    [
        ("2026-11-28", "2027-02-28"),
        ("2026-11-30", "2027-02-28"),
        ("2027-11-30", "2028-02-29"),
        ("2026-12-31", "2027-03-31"),
        ("2026-01-01", "2026-04-01"),
        ("2026-10-01", "2027-01-01"),
    ],
)
def test_three_months_are_three_months(today: str, first: str) -> None:
    day, last = date.fromisoformat(today), date.fromisoformat(first)
    assert earliest(day) == last
    assert may_announce(last, day)
    assert not may_announce(date.fromordinal(last.toordinal() - 1), day)


@pytest.mark.parametrize(
    ("today", "notice"),
    [
        ("2027-01-01", Notice.ANNOUNCED),
        ("2027-02-28", Notice.ANNOUNCED),
        ("2027-03-01", Notice.MONTH),
        ("2027-03-23", Notice.MONTH),
        ("2027-03-24", Notice.WEEK),
        ("2027-03-31", Notice.WEEK),
        ("2027-04-01", None),
    ],
)
def test_what_is_told_as_the_day_comes(today: str, notice: Notice | None) -> None:
    assert notice_due(date(2027, 3, 31), date.fromisoformat(today)) is notice


@pytest.mark.parametrize(
    ("hour", "zone", "daytime"),
    [
        (7, "Europe/Paris", True),  # 8 h in winter
        (6, "Europe/Paris", False),
        (18, "Europe/Paris", True),
        (19, "Europe/Paris", False),
        (11, "America/Cayenne", True),
        (10, "America/Cayenne", False),
        (23, "Pacific/Noumea", True),
    ],
)
def test_nobody_is_woken_up(hour: int, zone: str, *, daytime: bool) -> None:
    assert is_daytime(datetime(2026, 12, 1, hour, tzinfo=UTC), ZoneInfo(zone)) is daytime


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("2027-04-01", "2027-04-01T22:00:00+00:00"),
        ("2027-01-31", "2027-01-31T23:00:00+00:00"),
        ("2027-03-28", "2027-03-28T22:00:00+00:00"),  # a day of 23 hours
    ],
)
def test_the_last_day_ends_at_midnight_in_paris(day: str, end: str) -> None:
    last = date.fromisoformat(day)
    assert end_of(last) == datetime.fromisoformat(end)
    assert last_day(end_of(last)) == last
    assert day_of(end_of(last)) != last
