"""Templates made into HTML: one environment a language, and the few filters that pages use."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vault import catalogue
from vault.catalogue import Names
from web.i18n.translations import LANGUAGES, translations
from web.pages import assets, labels

FOLDER = Path(__file__).parent / "templates"
_ZONE = ZoneInfo("Europe/Paris")
_FRENCH_NUMBER = re.compile(r"\+33([1-9])(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)")
# Where a line may not break: before ? ! : ; », after «, within a phone number or an hour.
_TIED = re.compile(r" (?=[?!:;»])|(?<=«) |(?<=\d) (?=\d|h\b)|(?<=\d h) (?=\d)")
_DAY = {"fr": "d MMMM y", "en": "d MMMM y"}
_MOMENT = {"fr": "d MMMM y 'à' HH 'h' mm", "en": "d MMMM y 'at' HH:mm"}


def render(template: str, language: str, **values: Any) -> str:
    """A template's HTML. `language` is one of `LANGUAGES`."""
    return _environment(language).get_template(template).render({"failure": None, **values})


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    told = translations(language)
    # French punctuation takes a space that may not break; the texts are written with plain ones.
    said = told.gettext if language != "fr" else lambda text: _tied(told.gettext(text))
    made.install_gettext_callables(said, told.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    made.globals.update(
        language=language,
        languages=LANGUAGES,
        asset=assets.address,
        drawing=assets.drawing,
        pictogram=_pictogram,
        words=labels,
    )
    made.filters.update(
        day=lambda value: _day(value, language),
        moment=lambda value: _moment(value, language),
        say=said,
        fill=_fill,
        spoken=lambda text: _tied(_spoken(text)),
        tied=_tied,
        typed=_spoken,
        plain=lambda names: labels.name_in(names, language, plain=True),
        formal=lambda names: labels.name_in(names, language, plain=False),
        kind=labels.type_names,
        purpose=lambda code: labels.name_in(_purpose(code), language, plain=True),
        weight=lambda size: _weight(size, language),
    )
    return made


def _day(value: date | datetime, language: str) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(_ZONE).date()
    return _first(format_date(value, _DAY[language], locale=language), language)


def _moment(value: datetime | str, language: str) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    told = format_datetime(value.astimezone(UTC), _MOMENT[language], tzinfo=_ZONE, locale=language)
    return _tied(_first(told, language))


def _first(told: str, language: str) -> str:
    """French says the first of a month otherwise than its other days."""
    return f"1er {told[2:]}" if language == "fr" and told.startswith("1 ") else told


def _tied(text: str) -> str:
    return _TIED.sub("\u00a0", text)


def _spoken(text: str | None) -> str:
    """French phone numbers as people say them: `06 12 34 56 78`."""
    return _FRENCH_NUMBER.sub(r"0\1 \2 \3 \4 \5", text or "")


def _fill(text: str, values: Mapping[str, str]) -> str:
    return text.format_map(defaultdict(str, values))


def _pictogram(code: str) -> Any:
    found = catalogue.by_code(code)
    return assets.drawing(found.pictogram if found else "paper")


def _purpose(code: str) -> Names:
    found = catalogue.purpose_by_code(code) or catalogue.purpose_by_code("other")
    assert found is not None  # noqa: S101  (the catalogue's tests keep `other`)
    return found.names


def _weight(size: int, language: str) -> str:
    unit = "Mo" if language == "fr" else "MB"
    number = f"{max(size, 100_000) / 1_000_000:.1f}"
    return f"{number.replace('.', ',') if language == 'fr' else number} {unit}"
