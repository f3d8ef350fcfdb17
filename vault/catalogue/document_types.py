"""The types of administrative document that a person in France has to provide."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from base.errors import ServiceError
from vault.catalogue.entries import CatalogueError, Names, load, names, read_all
from vault.durations import parse

_Word = TypeVar("_Word", bound=StrEnum)
_LAST_BRACKETS = re.compile(r" \(([^)]*)\)$")
_SHORT_FORM = re.compile(r" \(([^)]*)\)")

UNKNOWN_TYPE = "other"
"""Of a paper of which nobody said yet what it is: "another paper"."""
EDITION = 4
"""The edition of the sensitive types, raised whenever a type becomes sensitive: grants of earlier
editions are then narrowed before they open anything. 1: those of the first release; 2: also bank
statements and untyped papers; 3: also certificates of health insurance and of the MSA, which tell a
long illness; 4: also the declaration of a loss or a theft, which may be of a residence permit."""


class SensitiveKind(StrEnum):
    """Why a grant cannot name this type, only single documents of it that the person picks."""

    RESIDENCE_PERMIT = "residence_permit"
    VIOLENCE = "violence"
    HEALTH = "health"
    JUSTICE = "justice"
    MONEY = "money"
    UNKNOWN_CONTENT = "unknown_content"


class DateThatMatters(StrEnum):
    """The one date of a paper that its holder must not miss, or that says for when it is true."""

    EXPIRES_ON = "expires_on"
    ANSWER_BEFORE = "answer_before"
    PAY_BEFORE = "pay_before"
    USE_BEFORE = "use_before"
    APPOINTMENT = "appointment"
    ISSUED_ON = "issued_on"
    INCOME_YEAR = "income_year"
    NONE = "none"

    @property
    def field(self) -> str | None:
        """The field of a document's metadata that holds it."""
        return _DATE_FIELDS[self]


_DATE_FIELDS = {
    DateThatMatters.EXPIRES_ON: "expires_on",
    DateThatMatters.ANSWER_BEFORE: "due_on",
    DateThatMatters.PAY_BEFORE: "due_on",
    DateThatMatters.USE_BEFORE: "due_on",
    DateThatMatters.APPOINTMENT: "due_on",
    DateThatMatters.ISSUED_ON: "issued_on",
    DateThatMatters.INCOME_YEAR: "income_year",
    DateThatMatters.NONE: None,
}


class Holder(StrEnum):
    """Whose name is on the paper. `host`: of whoever houses the person; `relative`: of someone of
    the family, also dead; `anyone`: it depends on the paper."""

    PERSON = "person"
    CHILD = "child"
    COUPLE = "couple"
    HOUSEHOLD = "household"
    HOST = "host"
    RELATIVE = "relative"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True)
class Words:
    """The same words in French and in English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entry was checked. `as_of`: the day of the text that was read, if it has one.

    `checked_on` is null where no text could be read: `basis` then says what the entry rests on,
    and there is no address.
    """

    title: str | None
    address: str | None
    as_of: date | None
    checked_on: date | None
    basis: str | None


@dataclass(frozen=True, slots=True)
class Family:
    """A heading under which pages group types."""

    code: str
    names: Names


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One type of document. A `code` is never renamed, removed or reused: sealed rows hold it.

    `official_names`: the words of the office; `easy_names`: for someone who reads little.
    `usual_validity`: the ISO 8601 duration after issue for which the document is good by rule,
    where that does not depend on the case; `has_expiry`: the paper itself shows an end date;
    `notice_period`: how long before that date to remind. These help to fill in a form: they decide
    nothing. `pictogram` is the name, without extension, of a drawing in
    `web/pages/static/pictograms/`. `retired`: kept for papers and grants of before and offered no
    more; `replaced_by` then says what is offered instead.
    """

    code: str
    official_names: Words
    easy_names: Words
    pictogram: str
    family: str
    holder: Holder
    sides: int
    multi_page: bool
    date_that_matters: DateThatMatters
    usual_validity: str | None
    notice_period: str | None
    has_expiry: bool
    sensitive: bool
    sensitive_kind: SensitiveKind | None
    retired: bool
    replaced_by: tuple[str, ...]
    source: Source

    @property
    def names(self) -> Names:
        """The official words, and in French the easy ones too."""
        return Names(self.official_names.fr, self.easy_names.fr, self.official_names.en)

    @property
    def labels(self) -> Words:
        """Both names, as pages show them: "Papier des impôts (avis d’impôt)"."""
        easy, official = self.easy_names, self.official_names
        return Words(_both(easy.fr, _in_a_sentence(official.fr)), _both(easy.en, official.en))


@cache
def families() -> tuple[Family, ...]:
    """The headings, in the order in which pages show them."""
    return read_all(load("families.json"), lambda raw: Family(raw["code"], names(raw["names"])))


@cache
def document_types() -> tuple[DocumentType, ...]:
    """The whole catalogue with what is retired, grouped by family in the order of the headings."""
    return read_types(load("document_types.json"))


@cache
def offered_types() -> tuple[DocumentType, ...]:
    """The types that a new paper, request or grant may have."""
    return tuple(entry for entry in document_types() if not entry.retired)


def by_code(code: str) -> DocumentType | None:
    """The type with that code, or `None`."""
    return _index().get(code)


def is_retired(code: str) -> bool:
    """Whether this type is kept for what was there before, and offered no more."""
    entry = by_code(code)
    return entry is not None and entry.retired


def successors(code: str) -> tuple[str, ...]:
    """What is offered instead of a retired type."""
    entry = by_code(code)
    return entry.replaced_by if entry is not None else ()


def is_sensitive(code: str) -> bool:
    """Whether a grant may only hold single documents of this type. An unknown type is sensitive."""
    entry = by_code(code)
    return entry is None or entry.sensitive


def read_types(raw_types: Iterable[Mapping[str, Any]]) -> tuple[DocumentType, ...]:
    """Types from JSON; raises `CatalogueError` that names the type and what is wrong with it."""
    types = read_all(raw_types, _read)
    offered = {entry.code for entry in types if not entry.retired}
    for entry in types:
        unknown = set(entry.replaced_by) - offered
        if unknown:
            raise CatalogueError(f"{entry.code}: replaced by {', '.join(sorted(unknown))}")
    return types


@cache
def _index() -> dict[str, DocumentType]:
    return {entry.code: entry for entry in document_types()}


def _read(raw: Mapping[str, Any]) -> DocumentType:
    kind = raw["sensitive_kind"]
    values = {
        **raw,
        "official_names": _words(raw["official_names"], "official name"),
        "easy_names": _words(raw["easy_names"], "easy name"),
        "sensitive_kind": None if kind is None else _word(SensitiveKind, "sensitive_kind", kind),
        "holder": _word(Holder, "holder", raw["holder"]),
        "date_that_matters": _word(DateThatMatters, "date_that_matters", raw["date_that_matters"]),
        "replaced_by": tuple(raw["replaced_by"]),
        "source": _source(raw["source"]),
    }
    entry = DocumentType(**values)
    _check(entry)
    return entry


def _word(words: type[_Word], field: str, text: Any) -> _Word:
    if text not in set(words):
        raise CatalogueError(f"unknown {field} {text!r}")
    return words(text)


def _words(raw: Mapping[str, Any], what: str) -> Words:
    for language in ("fr", "en"):
        word = raw.get(language)
        if not isinstance(word, str) or not word.strip():
            raise CatalogueError(f"no {what} in {language}")
    return Words(**raw)


def _source(raw: Mapping[str, Any]) -> Source:
    days = {name: _day(name, raw[name]) for name in ("as_of", "checked_on")}
    source = Source(**{**raw, **days})
    if source.checked_on is None and (source.basis is None or source.address is not None):
        raise CatalogueError("a source that was not read has a basis and no address")
    if source.checked_on is not None and not (source.title and source.address):
        raise CatalogueError("a source that was read has a title and an address")
    return source


def _day(name: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise CatalogueError(f"{name}: {error}") from error


def _both(easy: str, official: str) -> str:
    """« Easy (official) », the official words without brackets of their own."""
    inner = _SHORT_FORM.sub(r" \1", _LAST_BRACKETS.sub(r", \1", official))
    return f"{easy} ({inner})"


def _in_a_sentence(words: str) -> str:
    """French words without the capital letter that begins them; "PASS IAE" keeps its own."""
    return words if words[1:2].isupper() else words[0].lower() + words[1:]


def _check(entry: DocumentType) -> None:
    if entry.family not in {family.code for family in families()}:
        raise CatalogueError(f"unknown family {entry.family!r}")
    if entry.sides not in (1, 2):
        raise CatalogueError(f"a paper has 1 or 2 sides, not {entry.sides!r}")
    for flag in ("multi_page", "sensitive", "has_expiry", "retired"):
        if not isinstance(getattr(entry, flag), bool):
            raise CatalogueError(f"{flag} is neither true nor false")
    if entry.sensitive != (entry.sensitive_kind is not None):
        raise CatalogueError("sensitive and sensitive_kind disagree")
    if entry.retired != bool(entry.replaced_by):
        raise CatalogueError("retired and replaced_by disagree")
    if entry.date_that_matters is DateThatMatters.EXPIRES_ON and not entry.has_expiry:
        raise CatalogueError("the end matters, of a paper without expiry")
    if entry.notice_period is not None and not entry.has_expiry:
        raise CatalogueError("a notice_period without expiry")
    for period in ("usual_validity", "notice_period"):
        _check_duration(period, getattr(entry, period))


def _check_duration(period: str, text: str | None) -> None:
    if text is None:
        return
    try:
        parse(text)
    except ServiceError as failure:
        raise CatalogueError(f"{period} {text!r}: {failure.code}") from failure
