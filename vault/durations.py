"""How long a grant lasts: ISO 8601 durations and the instant at which they end. Pure."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from base.errors import ErrorKind, ServiceError

LONGEST_GRANT = "P12M"
_LONGEST_TEXT = 40
_LONGEST_YEARS = 150

_NUMBER = "[0-9]{1,12}"
_SHAPE = re.compile(
    f"P(?:(?P<weeks>{_NUMBER})W"
    f"|(?=.)(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<days>{_NUMBER})D)?"
    f"(?:T(?=.)(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?(?:(?P<seconds>{_NUMBER})S)?)?"
    ")"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as a calendar counts it: whole months, then an exact rest."""

    months: int
    rest: timedelta


def parse(text: str) -> Duration:
    """Read an ISO 8601 duration (§5.5.2.2, §5.5.2.4): whole numbers, upper case, weeks alone.

    Raises `ServiceError` INVALID: `duration_invalid` for anything else and for nothing at all
    (`P0D`), `duration_too_long` for a well-formed one of more than 150 years.
    """
    shape = _SHAPE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
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
    if months > _LONGEST_YEARS * 12 or rest > timedelta(days=_LONGEST_YEARS * 366):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long")
    return Duration(months, rest)


def end_of(start: datetime, duration: str) -> datetime:
    """The UTC instant at which a duration begun at `start` is over.

    Months first, a day that the month lacks becoming its last one (31 January + P1M is the end of
    February), then the rest exactly, as in XML Schema 1.1 part 2, appendix E.3.3. `start` must
    know its zone. Raises as `parse` does, and `duration_too_long` past the year 9999.
    """
    if start.tzinfo is None:
        raise ValueError("a start without a time zone")
    length = parse(duration)
    try:
        return _after_months(start.astimezone(UTC), length.months) + length.rest
    except (OverflowError, ValueError):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long") from None


def before(end: datetime, duration: str) -> datetime:
    """The UTC instant from which `duration` is left until `end`: rest first, then months."""
    length = parse(duration)
    return _after_months(end.astimezone(UTC) - length.rest, -length.months)


def within_a_year(start: datetime, duration: str) -> bool:
    """Whether it ends no later than twelve months from `start`; raises only on a bad shape."""
    try:
        return end_of(start, duration) <= end_of(start, LONGEST_GRANT)
    except ServiceError as failure:
        if failure.code == "duration_too_long":
            return False
        raise


def grant_end(start: datetime, duration: str) -> datetime:
    """When a grant begun at `start` ends; `duration_too_long` beyond twelve months."""
    if not within_a_year(start, duration):
        raise ServiceError(ErrorKind.INVALID, "duration_too_long", limit=LONGEST_GRANT)
    return end_of(start, duration)


def _after_months(start: datetime, months: int) -> datetime:
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    last_day = monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last_day))
