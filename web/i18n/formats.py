"""Days, hours and numbers as each language writes them (CLDR, by Babel)."""

from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_decimal, get_decimal_symbol

from web.i18n.error_messages import _
from web.i18n.languages import languages
from web.i18n.translations import translations

_LAST_MINUTE = time(23, 59)
_NEAR_END = _("{weekday} {day}, à minuit")
_NEAR_MOMENT = _("{weekday} {day} à {hour}")
NEAR_DAYS = 7
_MEGABYTES = _("{number} Mo")


def day_text(value: date | datetime, language: str, zone: ZoneInfo) -> str:
    """`4 mars 2026`. A moment is told on the day that it is in the zone."""
    if isinstance(value, datetime):
        value = value.astimezone(zone).date()
    # `long`, not a skeleton: Babel cuts months short where the skeleton is not CLDR's own.
    return _first(format_date(value, "long", locale=_locale(language)), language)


def hour_text(value: datetime, language: str, zone: ZoneInfo) -> str:
    """`22 h 30`, where the zone is."""
    value = value.astimezone(UTC)
    pattern = languages()[language].hour
    if pattern:
        return format_datetime(value, pattern, tzinfo=zone, locale=_locale(language))
    return format_skeleton("Hm", value, tzinfo=zone, locale=_locale(language))


def moment_text(value: datetime, language: str, zone: ZoneInfo) -> str:
    """`4 mars 2026 à 22 h 30`."""
    pattern = translations(language).gettext(_("{day} à {hour}"))
    day, hour = day_text(value, language, zone), hour_text(value, language, zone)
    return pattern.format(day=day, hour=hour)


def until_text(value: datetime, language: str, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The last day of what ends with a day; otherwise with the hour, or the day would be told too
    long. `now`: when it is read, so that a near day is told with its weekday, and to its end."""
    local = value.astimezone(zone)
    whole = local.time() >= _LAST_MINUTE
    if now is None or not is_near(local.date(), now, zone):
        return (day_text if whole else moment_text)(value, language, zone)
    pattern = translations(language).gettext(_NEAR_END if whole else _NEAR_MOMENT)
    weekday = format_date(local.date(), "EEEE", locale=_locale(language))
    day, hour = day_text(value, language, zone), hour_text(value, language, zone)
    return pattern.format(weekday=weekday, day=day, hour=hour)


def is_near(day: date, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a day is one of the next seven, which a person knows by its weekday; or today."""
    return 0 <= (day - now.astimezone(zone).date()).days <= NEAR_DAYS


def weekday_text(value: date, language: str) -> str:
    """`vendredi 4 décembre 2026`."""
    text, word = format_date(value, "full", locale=_locale(language)), _first("1 ", language)
    return text.replace(" 1 ", f" {word}", 1)


def size_text(size: int, language: str) -> str:
    """`1,5 Mo` for a file's bytes; never nothing."""
    number = format_decimal(
        max(size, 100_000) / 1_000_000, "0.0", locale=_locale(language), group_separator=False
    )
    return translations(language).gettext(_MEGABYTES).format(number=number)


def csv_separator(language: str) -> str:
    """What a spreadsheet of that language expects between columns: where the comma is the decimal
    sign, it is the semicolon."""
    return "," if get_decimal_symbol(_locale(language)) == "." else ";"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(languages()[language].locale)


def _first(text: str, language: str) -> str:
    """A day with the word that its language has for the first of a month."""
    word = languages()[language].first_of_month
    return f"{word} {text[2:]}" if word and text.startswith("1 ") else text
