"""Dates as programs and date pickers write them, and nothing that only looks like one. Pure."""

import re
from datetime import date

_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
# A paper of before is nobody's, and 1447 or 2569 are years of other calendars.
YEARS = range(1900, 2500)
# Some States write it on what has no end.
NO_END = date(9999, 12, 31)


def iso_date(text: str) -> date:
    """`2026-12-31` (ISO 8601), of the Gregorian calendar, of a year from 1900 on.

    Raises `ValueError` for anything else: no time, space, sign, week or other digits.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError("a date is YYYY-MM-DD")
    return known_date(*(int(part) for part in found.groups()))


def known_date(year: int, month: int, day: int) -> date:
    """A date that a paper may bear. Raises `ValueError`."""
    found = date(year, month, day)
    if year not in YEARS and found != NO_END:
        raise ValueError("a year of another calendar, or none")
    return found
