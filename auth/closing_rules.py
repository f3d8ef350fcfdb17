"""When a service may close, and when it tells people so. Pure.

CPCE article D.541: users are told at least three months before the service ends.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from base.time_zones import PARIS

NOTICE_MONTHS = 3
_FIRST_HOUR, _LAST_HOUR = 8, 20
_WEEK, _DAY = timedelta(days=7), timedelta(days=1)


class Notice(StrEnum):
    """What people are told of a closing, each once. Stored: only ever added to."""

    ANNOUNCED = "announced"
    MONTH = "month"
    WEEK = "week"
    GOES_ON = "goes_on"


def end_of(day: date) -> datetime:
    """When a day is over in Paris, in UTC."""
    return datetime.combine(day + _DAY, time(), PARIS).astimezone(UTC)


def day_of(at: datetime) -> date:
    """The day in Paris."""
    return at.astimezone(PARIS).date()


def last_day(ends_at: datetime) -> date:
    """The day of which `ends_at` is the end."""
    return day_of(ends_at - timedelta(seconds=1))


def earliest(today: date) -> date:
    """The first day on which a service may close that says so today: the same day three months
    later, or the last one of a shorter month."""
    return _months_after(today, NOTICE_MONTHS)


def may_announce(closes_on: date, today: date) -> bool:
    """Whether a service may say today that it closes on a day."""
    return closes_on >= earliest(today)


def notice_due(closes_on: date, today: date) -> Notice | None:
    """What is told today of a closing; None after its day."""
    if today > closes_on:
        return None
    if closes_on - today <= _WEEK:
        return Notice.WEEK
    return Notice.MONTH if closes_on < _months_after(today, 1) else Notice.ANNOUNCED


def is_daytime(at: datetime, zone: ZoneInfo) -> bool:
    """Whether a message wakes nobody up there: from 8 to 20 h."""
    return _FIRST_HOUR <= at.astimezone(zone).hour < _LAST_HOUR


def _months_after(day: date, months: int) -> date:
    counted = day.month - 1 + months
    year, month = day.year + counted // 12, counted % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
