"""The names that the catalogue gives to types and purposes, as pages and prints show them: its own
in French and English, and those of `names/` in other languages."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vault import catalogue
from vault.catalogue import Names
from web.i18n.date_labels import DATE_LABELS
from web.i18n.error_messages import _
from web.i18n.languages import languages
from web.i18n.translations import translations

_FOLDER = Path(__file__).parent / "names"


def name_in(names: Names, language: str, *, plain: bool) -> str:
    """A name of the catalogue: in French, as a person's pages show it (`plain`: FALC) or not. A
    language without names of its own shows the official French one: it is the word that stands on
    the paper, whoever has to find it."""
    spoken = languages()[language]
    if spoken.tag == "fr":
        return names.falc if plain or spoken.easy else names.fr
    return names.en if language == "en" else _translated(language).get(names.fr, names.fr)


def all_names(language: str) -> Iterator[str]:
    """Everything that the catalogue names, in a language, as its pages may show it."""
    for _kind, _code, names in _named():
        yield name_in(names, language, plain=True)
        yield name_in(names, language, plain=False)


def missing_names(language: str) -> Iterator[str]:
    """What the catalogue names and a language does not, where it has a file of names."""
    given = _given(language)
    if given:
        yield from (
            f"no name: {kind} {code}"
            for kind, code, _names in _named()
            if not given.get(kind, {}).get(code)
        )


@cache
def _translated(language: str) -> dict[str, str]:
    """The names in a language, by the French ones."""
    given = _given(language)
    return {names.fr: given[kind][code] for kind, code, names in _named()} if given else {}


def _given(language: str) -> dict[str, dict[str, str]]:
    file = _FOLDER / f"{language}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _named() -> Iterator[tuple[str, str, Names]]:
    """Everything that has a name: of which kind, its code, its names."""
    for document_type in catalogue.document_types():
        yield "types", document_type.code, type_names(document_type.code)
    for purpose in catalogue.purposes():
        yield "purposes", purpose.code, purpose.names
    for family in catalogue.families():
        yield "families", family.code, family.names
    for basis in catalogue.legal_bases():
        yield "legal_bases", basis.code, basis.names
        yield "legal_sentences", basis.code, basis.sentences


def type_names(code: str) -> Names:
    """Both names of a type, the easy one and the official one in brackets, on every page; those of
    `other` for a type that this release does not know."""
    document_type = catalogue.by_code(code) or catalogue.by_code("other")
    assert document_type is not None  # noqa: S101  (the catalogue's tests keep `other`)
    both = document_type.labels
    return Names(both.fr, both.fr, both.en)


def official_name(code: str, language: str) -> str:
    """The name of a type as workers read it: the office's own, which speaks of no « mon »; in a
    language that has names of its own, theirs."""
    document_type = catalogue.by_code(code) or catalogue.by_code("other")
    assert document_type is not None  # noqa: S101  (the catalogue's tests keep `other`)
    if languages()[language].tag == "fr":
        return document_type.official_names.fr
    if language == "en":
        return document_type.official_names.en
    return name_in(type_names(code), language, plain=False)


def due_label(code: str) -> str:
    """What the day is called by which the holder of such a paper has to do something, in French."""
    document_type = catalogue.by_code(code)
    kind = document_type.date_that_matters if document_type else None
    return DATE_LABELS[kind] if kind and kind.field == "due_on" else _("À faire avant")


def purpose_names(code: str) -> Names:
    """The names of a purpose; those of `other` for one that this release does not know."""
    purpose = catalogue.purpose_by_code(code) or catalogue.purpose_by_code("other")
    assert purpose is not None  # noqa: S101  (the catalogue's tests keep `other`)
    return purpose.names


def says_more(code: str, purpose: str) -> bool:
    """Whether the sentence of a purpose is somebody's own words, and not its name in the
    catalogue, which a person chooses when they give something unasked."""
    names = purpose_names(code)
    return purpose not in (names.fr, names.falc)


def purpose_text(code: str, quoted: str, language: str) -> str:
    """Why, as every page, print and line of the log says it: the name that is chosen, then
    somebody's own words, in quotation marks; no words where it is the name alone."""
    name = name_in(purpose_names(code), language, plain=True)
    if not quoted:
        return name
    translate = translations(language).gettext
    return translate("%(name)s : %(value)s") % {"name": name, "value": quoted}
