"""Templates made into HTML: one environment per language, and the filters of the pages."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

from base.time_zones import PARIS
from vault import catalogue
from web.i18n.catalogue_names import purpose_names
from web.i18n.formats import day_text, hour_text, moment_text, size_text
from web.i18n.languages import languages
from web.i18n.quotation import quoted
from web.i18n.translations import LANGUAGES, translations
from web.i18n.typography import national, no_break, typed_phone
from web.pages import assets, labels
from web.pages.document_fields import date_fields
from web.pages.draft_steps import next_step

FOLDER = Path(__file__).parent / "templates"


def render(template: str, language: str, **values: Any) -> str:
    """A template's HTML. `language` is one of `languages`; `zone`, among the values, is where its
    reader is, and `failures` what went wrong, the first one first."""
    shown = {"failures": (), "failure": next(iter(values.get("failures", ())), None), **values}
    return _environment(language).get_template(template).render(shown)


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
    french = languages()[language].tag == "fr"
    translate = (lambda text: no_break(texts.gettext(text))) if french else texts.gettext
    environment.install_gettext_callables(translate, texts.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.globals.update(
        language=language,
        spoken=languages()[language],
        spoken_here=[languages()[code] for code in LANGUAGES],
        zone=PARIS,
        asset=assets.address,
        drawing=assets.drawing,
        pictogram=_pictogram,
        labels=labels,
        date_fields=date_fields,
        next_step=next_step,
    )
    environment.filters.update(
        day=pass_context(lambda context, value: day_text(value, language, context["zone"])),
        moment=pass_context(lambda context, value: _moment(value, language, context["zone"])),
        hour=pass_context(lambda context, value: _hour(value, language, context["zone"])),
        instant=datetime.fromisoformat,
        translate=translate,
        fill=fill,
        phone=lambda text: no_break(national(text)),
        no_break=no_break,
        national=national,
        quoted=lambda text: no_break(quoted(text, language)),
        typed_phone=lambda text: typed_phone(text, language),
        plain=lambda names: labels.name_in(names, language, plain=True),
        formal=lambda names: labels.name_in(names, language, plain=False),
        type_names=labels.type_names,
        official=lambda code: labels.official_name(code, language),
        purpose=lambda code: labels.name_in(purpose_names(code), language, plain=True),
        file_size=lambda size: size_text(size, language),
    )
    return environment


def _moment(value: datetime | str, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return no_break(moment_text(value, language, zone))


def _hour(value: str, language: str, zone: ZoneInfo) -> str:
    return no_break(hour_text(datetime.fromisoformat(value), language, zone))


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its `{name}`s filled; empty where there is no value."""
    return text.format_map(defaultdict(str, values))


def _pictogram(code: str) -> Any:
    document_type = catalogue.by_code(code)
    return assets.drawing(document_type.pictogram if document_type else "paper")
