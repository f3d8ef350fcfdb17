"""Until when, as the pages let somebody choose it: a day, to its end where they are. Pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo

from base.errors import ServiceError, about, invalid
from vault import durations
from web.i18n.formats import NEAR_DAYS
from web.pages import labels
from web.pages.document_fields import date_of
from web.pages.forms import Form

OWN = "day"
"""The choice of a day of one’s own, in the field `day`."""
NAMES = ("duration", "day")
_LONGEST = 40


def offered(
    at: datetime, zone: tzinfo, ends_by: datetime, codes: Iterable[str] = labels.DURATIONS
) -> list[tuple[str, date]]:
    """What there is to choose from that ends by `ends_by`, the nearest first, each with its last
    whole day: the durations by their codes, and the next days, each by its date."""
    named = [
        (code, durations.last_day(at, code, zone, ends_by))
        for code in codes
        if durations.end_of(at, code) <= ends_by
    ]
    today = at.astimezone(zone).date()
    near = (today + timedelta(days=number) for number in range(1, NEAR_DAYS + 1))
    taken = {day for _, day in named}
    days = [one for one in near if one not in taken and durations.day_end(one, zone) <= ends_by]
    return sorted([*named, *((day.isoformat(), day) for day in days)], key=lambda one: one[1])


def chosen_day(form: Form, at: datetime, zone: tzinfo, ends_by: datetime) -> date:
    """The last day of what was chosen. Raises `duration_unsaid`; of a day of one’s own,
    `day_unsaid`, `date_unreadable`, `day_over`, `day_late`."""
    code = form.get("duration") or (OWN if form.get("day") else "")
    if code != OWN:
        day = dict(offered(at, zone, ends_by)).get(code)
        if day is None:
            raise invalid("duration_unsaid")
        return day
    with about("day"):
        chosen = date_of(form.get("day"))
        if chosen is None:
            raise invalid("day_unsaid")
        durations.until_day(at, chosen, zone)
        if durations.day_end(chosen, zone) > ends_by:
            raise invalid("day_late")
    return chosen


def written(value: str) -> str:
    """A day as an address carries it; what is none, as it was typed, to be corrected."""
    try:
        day = date_of(value)
    except ServiceError:
        return value[:_LONGEST]
    return day.isoformat() if day else ""
