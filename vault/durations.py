"""ISO 8601 durations, and the instant at which a grant of a duration ends. Pure."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from base.errors import ErrorKind, ServiceError

MAX_GRANT = "P12M"
_MAX_TEXT_LENGTH = 40
_MAX_YEARS = 150

_NUMBER = "[0-9]{1,12}"
_SHAPE = re.compile(
    f"P(?:(?P<weeks>{_NUMBER})W"
    f"|(?=.)(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    f"(?:T(?=.)(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
    ")"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar length of time: whole months, plus an exact rest."""

    months: int
    rest: timedelta


def parse(text: str) -> Duration:
    """Read an ISO 8601 duration (§5.5.2.2, §5.5.2.4): whole numbers, upper case; weeks are not
    combined with other units.

    Raises `ServiceError` INVALID: `duration_invalid` for anything else and for a length of zero
    (`P0D`), `duration_too_long` for a well-formed one of more than 150 years.
    """
    shape = _SHAPE.fullmatch(text) if len(text) <= _MAX_TEXT_LENGTH else None
    if shape is None:
        raise ServiceError(ErrorKind.INVALID, "duration_invalid")
    part = {unit: int(number or 0) for unit, number in shape.groupdict().items()}
    months = part.pop("years") * 12 + part.pop("months")
    try:
        rest = timedelta(**part)
    except OverflowError:
        raise ServiceError(ErrorKind.INVALID, "duration_too_long") from None
    if not months and not rest:
        raise ServiceError(ErrorKind.INVALID, "duration_invalid")
    if months > _MAX_YEARS * 12 or rest > timedelta(days=_MAX_YEARS * 366):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long")
    return Duration(months, rest)


def end_of(start: datetime, duration: str) -> datetime:
    """The UTC instant at which a duration that starts at `start` ends.

    Months are added first; a day that the month does not have becomes its last day (31 January +
    P1M is the end of February). Then the exact rest is added (XML Schema 1.1 part 2, appendix
    E.3.3). `start` must have a time zone. Raises as `parse`; `duration_too_long` past year 9999.
    """
    if start.tzinfo is None:
        raise ValueError("a start without a time zone")
    length = parse(duration)
    try:
        return _after_months(start.astimezone(UTC), length.months) + length.rest
    except (OverflowError, ValueError):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long") from None


def before(end: datetime, duration: str) -> datetime:
    """The UTC instant `duration` before `end`: the rest is subtracted first, then the months."""
    length = parse(duration)
    return _after_months(end.astimezone(UTC) - length.rest, -length.months)


def within_a_year(start: datetime, duration: str) -> bool:
    """Whether it ends at most twelve months after `start`; raises only `duration_invalid`."""
    try:
        return end_of(start, duration) <= end_of(start, MAX_GRANT)
    except ServiceError as failure:
        if failure.code == "duration_too_long":
            return False
        raise


def grant_end(start: datetime, duration: str) -> datetime:
    """When a grant that starts at `start` ends; raises `duration_too_long` beyond twelve months."""
    if not within_a_year(start, duration):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long", limit=MAX_GRANT)
    return end_of(start, duration)


def day_end(day: date, zone: tzinfo) -> datetime:
    """The last whole second of a day in a zone, in UTC."""
    try:
        return datetime.combine(day, time(23, 59, 59), zone).astimezone(UTC)
    except OverflowError:
        raise ServiceError(ErrorKind.INVALID, "duration_too_long") from None


def until_day(start: datetime, day: date, zone: tzinfo) -> str:
    """The duration from `start` to the end of a day in a zone, in days, hours, minutes and seconds.
    What is less than a second is left out: it never ends on the day after.

    Raises `ServiceError` INVALID `day_over` for a day that is over.
    """
    left = day_end(day, zone) - start
    hours, seconds = divmod(int(left.seconds), 3600)
    parts = ((hours, "H"), (seconds // 60, "M"), (seconds % 60, "S"))
    rest = "".join(f"{number}{unit}" for number, unit in parts if number)
    days = f"{left.days}D" if left.days > 0 else ""
    if left < timedelta(seconds=1):
        raise ServiceError(ErrorKind.INVALID, "day_over")
    return f"P{days}" + (f"T{rest}" if rest else "")


def last_day(start: datetime, duration: str, zone: tzinfo, ends_by: datetime) -> date:
    """The last whole day of a duration that may not end after `ends_by`: the one on which it ends,
    or the one before, where that day ends too late."""
    day = end_of(start, duration).astimezone(zone).date()
    return day if day_end(day, zone) <= ends_by else day - timedelta(days=1)


def _after_months(start: datetime, months: int) -> datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last_day = monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last_day))
