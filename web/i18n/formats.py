"""Days and hours as each language writes them (CLDR, by Babel)."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

_DAY = "d MMMM y"
_MOMENT = {"fr": "d MMMM y 'à' HH 'h' mm", "en": "d MMMM y 'at' HH:mm"}


def day_text(value: date | datetime, language: str, zone: ZoneInfo) -> str:
    """`4 mars 2026`. A moment is told on the day that it is in the zone."""
    if isinstance(value, datetime):
        value = value.astimezone(zone).date()
    return _first(format_date(value, _DAY, locale=language), language)


def moment_text(value: datetime, language: str, zone: ZoneInfo) -> str:
    """`4 mars 2026 à 22 h 30`."""
    pattern = _MOMENT[language]
    text = format_datetime(value.astimezone(UTC), pattern, tzinfo=zone, locale=language)
    return _first(text, language)


def _first(text: str, language: str) -> str:
    """A date with the French form of the first of a month."""
    return f"1er {text[2:]}" if language == "fr" and text.startswith("1 ") else text
