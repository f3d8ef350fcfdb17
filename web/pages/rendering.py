"""Templates made into HTML: one environment per language, and the filters of the pages."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context

from auth.session_list import SessionView
from base import clock
from base.time_zones import PARIS
from vault import catalogue
from web.i18n.catalogue_names import purpose_names, says_more
from web.i18n.direction import in_latin_script, isolated
from web.i18n.event_messages import beside, describe, describe_briefly
from web.i18n.formats import (
    day_text,
    hour_text,
    is_near,
    moment_text,
    size_text,
    until_text,
    weekday_text,
)
from web.i18n.languages import languages
from web.i18n.quotation import quoted
from web.i18n.session_descriptions import describe_ended, describe_session
from web.i18n.translations import LANGUAGES, translations
from web.i18n.typography import national, no_break, on_one_line, typed_hours, typed_phone
from web.i18n.worker_event_messages import describe_to_worker
from web.pages import assets, labels
from web.pages.document_fields import date_fields
from web.pages.draft_steps import address_of
from web.pages.two_languages import weave
from web.printouts.phrases import Phrases

FOLDER = Path(__file__).parent / "templates"


def render(template: str, language: str, second: str = "", **values: Any) -> str:
    """A template's HTML. `language` is one of `languages`, and so is `second`, if any: each line
    stands in it too. `zone`, among the values, is where its reader is, and `failures` what went
    wrong, the first one first."""
    shown = {"failures": (), "failure": next(iter(values.get("failures", ())), None), **values}
    shown["second"] = second
    page = _environment(language).get_template(template).render(shown)
    if not second:
        return page
    spoken = languages()[language]
    # Built as the first one, in other words: what depends on the page's language stays.
    alike = {**shown, "language": language, "spoken": spoken}
    other = _environment(second).get_template(template).render(alike)
    return weave(page, other, spoken, languages()[second])


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
    translate, plural = _gettext(language), translations(language).ngettext
    environment.install_gettext_callables(translate, plural, newstyle=True)  # type: ignore[attr-defined]  # the extension's
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
        draft_address=address_of,
    )
    environment.filters.update(_filters(language, translate))
    return environment


def _filters(language: str, translate: Callable[[str], str]) -> dict[str, Callable[..., Any]]:
    return {
        "day": pass_context(lambda context, value: day_text(value, language, context["zone"])),
        "until": pass_context(lambda at, value: _until(value, language, at["zone"])),
        "end_day": pass_context(lambda at, value: _end_day(value, language, at["zone"])),
        "moment": pass_context(lambda context, value: _moment(value, language, context["zone"])),
        "hour": pass_context(lambda context, value: _hour(value, language, context["zone"])),
        "sentence": lambda entry: no_break(describe(entry, language)),
        "own_act": lambda entry: no_break(describe_to_worker(entry, language)),
        "brief": lambda entry: no_break(describe_briefly(entry, language)),
        "beside": lambda entry: no_break(beside(entry, language).strip()),
        "session": pass_context(lambda at, one, now: _session(one, now, language, at["zone"])),
        "ended": pass_context(
            lambda at, one, now: no_break(describe_ended(one, now, language, at["zone"]))
        ),
        "instant": datetime.fromisoformat,
        "is_past": lambda moment: moment < clock.now(),
        "translate": translate,
        "translate_to": lambda text, code: translations(code).gettext(text),
        "fill": fill,
        "phone": lambda text: isolated(no_break(national(text)), language),
        "no_break": no_break,
        "national": national,
        "isolated": lambda text: isolated(text, language),
        "quoted": lambda text: isolated(no_break(quoted(text, language)), language),
        "in_latin_script": in_latin_script,
        "own_reason": lambda terms: says_more(terms.purpose_code, terms.purpose),
        "typed_hours": lambda text: isolated(on_one_line(typed_hours(text, language)), language),
        "typed_phone": lambda text: isolated(on_one_line(typed_phone(text, language)), language),
        "plain": lambda names: labels.name_in(names, language, plain=True),
        "formal": lambda names: labels.name_in(names, language, plain=False),
        "type_names": labels.type_names,
        "official": lambda code: labels.official_name(code, language),
        "purpose": lambda code: labels.name_in(purpose_names(code), language, plain=True),
        "storing": pass_context(
            lambda context, terms: Phrases(language, context["zone"]).storing(terms)
        ),
        "length_of_time": lambda text: no_break(Phrases(language, PARIS).length(text)),
        "file_size": lambda size: size_text(size, language),
        "file_kind": lambda media_type: translate(labels.kind_of_file(media_type)),
    }


def _gettext(language: str) -> Callable[[str], str]:
    # French punctuation takes a non-breaking space; the texts are written with plain ones.
    translate = translations(language).gettext
    french = languages()[language].tag == "fr"
    return (lambda text: no_break(translate(text))) if french else translate


def _moment(value: datetime | str, language: str, zone: ZoneInfo) -> str:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return no_break(moment_text(value, language, zone))


def _until(value: datetime, language: str, zone: ZoneInfo) -> str:
    return no_break(until_text(value, language, zone, clock.now()))


def _end_day(value: date, language: str, zone: ZoneInfo) -> str:
    """A day to choose: a near one by its weekday, which would mislead of a far one."""
    if is_near(value, clock.now(), zone):
        return no_break(weekday_text(value, language))
    return no_break(day_text(value, language, zone))


def _session(session: SessionView, now: datetime, language: str, zone: ZoneInfo) -> str:
    return no_break(describe_session(session, now, language, zone))


def _hour(value: str, language: str, zone: ZoneInfo) -> str:
    return no_break(hour_text(datetime.fromisoformat(value), language, zone))


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with its `{name}`s filled; empty where there is no value."""
    return text.format_map(defaultdict(str, values))


def _pictogram(code: str) -> Any:
    document_type = catalogue.by_code(code)
    return assets.drawing(document_type.pictogram if document_type else "paper")
