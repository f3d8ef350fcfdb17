"""Templates made into HTML: one environment per language, and the filters of the pages."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

from base.time_zones import PARIS
from vault import catalogue
from vault.catalogue import Names
from web.i18n.quotation import quoted
from web.i18n.translations import LANGUAGES, translations
from web.pages import assets, labels
from web.pages.document_fields import date_fields

FOLDER = Path(__file__).parent / "templates"
_FRENCH_NUMBER = re.compile(r"\+33([1-9])(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)")
_NUMBER = re.compile(r"[\d +().-]{2,40}")
# Spaces where a line may not break: before ? ! : ; », after «, in a phone number or an hour.
_NO_BREAK_SPACES = re.compile(r" (?=[?!:;»])|(?<=«) |(?<=\d) (?=\d|h\b)|(?<=\d h) (?=\d)")
_DAY = {"fr": "d MMMM y", "en": "d MMMM y"}
_MOMENT = {"fr": "d MMMM y 'à' HH 'h' mm", "en": "d MMMM y 'at' HH:mm"}


def render(template: str, language: str, **values: Any) -> str:
    """A template's HTML. `language` is one of `LANGUAGES`; `zone`, among the values, is where its
    reader is."""
    return _environment(language).get_template(template).render({"failure": None, **values})


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = translations(language)
    # French punctuation takes a non-breaking space; the texts are written with plain ones.
    translate = texts.gettext if language != "fr" else lambda text: _no_break(texts.gettext(text))
    environment.install_gettext_callables(translate, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.globals.update(
        language=language,
        languages=LANGUAGES,
        zone=PARIS,
        asset=assets.address,
        drawing=assets.drawing,
        pictogram=_pictogram,
        labels=labels,
        date_fields=date_fields,
    )
    environment.filters.update(
        day=pass_context(lambda context, value: _day(value, language, context["zone"])),
        moment=pass_context(lambda context, value: _moment(value, language, context["zone"])),
        instant=datetime.fromisoformat,
        translate=translate,
        fill=_fill,
        phone=lambda text: _no_break(_national(text)),
        no_break=_no_break,
        national=_national,
        quoted=lambda text: _no_break(quoted(text, language)),
        typed_phone=lambda text: _typed_phone(text, language),
        plain=lambda names: labels.name_in(names, language, plain=True),
        formal=lambda names: labels.name_in(names, language, plain=False),
        type_names=labels.type_names,
        purpose=lambda code: labels.name_in(_purpose(code), language, plain=True),
        file_size=lambda size: _file_size(size, language),
    )
    return environment


def _day(value: date | datetime, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(zone).date()
    return _first(format_date(value, _DAY[language], locale=language), language)


def _moment(value: datetime | str, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    text = format_datetime(value.astimezone(UTC), _MOMENT[language], tzinfo=zone, locale=language)
    return _no_break(_first(text, language))


def _first(text: str, language: str) -> str:
    """A date with the French form of the first of a month."""
    return f"1er {text[2:]}" if language == "fr" and text.startswith("1 ") else text


def _no_break(text: str) -> str:
    return _NO_BREAK_SPACES.sub("\u00a0", text)


def _national(text: str | None) -> str:
    """French phone numbers in their national form: `06 12 34 56 78`."""
    return _FRENCH_NUMBER.sub(r"0\1 \2 \3 \4 \5", text or "")


def _typed_phone(text: str, language: str) -> str:
    """What someone else typed as a phone number: quoted if it is anything else."""
    return _no_break(_national(text) if _NUMBER.fullmatch(text) else quoted(text, language))


def _fill(text: str, values: Mapping[str, str]) -> str:
    return text.format_map(defaultdict(str, values))


def _pictogram(code: str) -> Any:
    document_type = catalogue.by_code(code)
    return assets.drawing(document_type.pictogram if document_type else "paper")


def _purpose(code: str) -> Names:
    purpose = catalogue.purpose_by_code(code) or catalogue.purpose_by_code("other")
    assert purpose is not None  # noqa: S101  (the catalogue's tests keep `other`)
    return purpose.names


def _file_size(size: int, language: str) -> str:
    unit = "Mo" if language == "fr" else "MB"
    number = f"{max(size, 100_000) / 1_000_000:.1f}"
    return f"{number.replace('.', ',') if language == 'fr' else number} {unit}"
