"""The types of administrative document that a person in France has to provide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from base.errors import ServiceError
from vault.catalogue.entries import CatalogueError, Names, load, names, read_all
from vault.durations import parse

EDITION = 2
"""The edition of the sensitive types, raised whenever a type becomes sensitive: grants of earlier
editions are then narrowed before they open anything. 1: those of the first release; 2: also bank
statements and untyped papers."""


class SensitiveKind(StrEnum):
    """Why a grant cannot name this type, only single documents of it that the person picks."""

    RESIDENCE_PERMIT = "residence_permit"
    VIOLENCE = "violence"
    HEALTH = "health"
    JUSTICE = "justice"
    MONEY = "money"
    UNKNOWN_CONTENT = "unknown_content"


@dataclass(frozen=True, slots=True)
class Family:
    """A heading under which pages group types."""

    code: str
    names: Names


@dataclass(frozen=True, slots=True)
class DocumentType:
    """One type of document. A `code` is never renamed or reused: sealed rows hold it.

    `usual_validity` is the ISO 8601 duration after issue for which the document is commonly
    accepted; `has_expiry`: the paper itself shows an end date; `notice_period`: how long before
    that date to remind. These help to fill in a form: they decide nothing. `pictogram`
    is the name, without extension, of a drawing in `web/pages/static/pictograms/`.
    """

    code: str
    names: Names
    pictogram: str
    family: str
    sides: int
    multi_page: bool
    usual_validity: str | None
    notice_period: str | None
    sensitive: bool
    sensitive_kind: SensitiveKind | None
    has_expiry: bool


@cache
def families() -> tuple[Family, ...]:
    """The headings, in the order in which pages show them."""
    return read_all(load("families.json"), lambda raw: Family(raw["code"], names(raw["names"])))


@cache
def document_types() -> tuple[DocumentType, ...]:
    """The whole catalogue, grouped by family in the order of the headings."""
    return read_types(load("document_types.json"))


def by_code(code: str) -> DocumentType | None:
    """The type with that code, or `None`."""
    return _index().get(code)


def is_sensitive(code: str) -> bool:
    """Whether a grant may only hold single documents of this type. An unknown type is sensitive."""
    entry = by_code(code)
    return entry is None or entry.sensitive


def read_types(raw_types: Iterable[Mapping[str, Any]]) -> tuple[DocumentType, ...]:
    """Types from JSON; raises `CatalogueError` that names the type and what is wrong with it."""
    return read_all(raw_types, _read)


@cache
def _index() -> dict[str, DocumentType]:
    return {entry.code: entry for entry in document_types()}


def _read(raw: Mapping[str, Any]) -> DocumentType:
    kind = raw["sensitive_kind"]
    if kind is not None and kind not in set(SensitiveKind):
        raise CatalogueError(f"unknown sensitive_kind {kind!r}")
    values = {
        **raw,
        "names": names(raw["names"]),
        "sensitive_kind": None if kind is None else SensitiveKind(kind),
    }
    entry = DocumentType(**values)
    _check(entry)
    return entry


def _check(entry: DocumentType) -> None:
    if entry.family not in {family.code for family in families()}:
        raise CatalogueError(f"unknown family {entry.family!r}")
    if entry.sides not in (1, 2):
        raise CatalogueError(f"a paper has 1 or 2 sides, not {entry.sides!r}")
    for flag in ("multi_page", "sensitive", "has_expiry"):
        if not isinstance(getattr(entry, flag), bool):
            raise CatalogueError(f"{flag} is neither true nor false")
    if entry.sensitive != (entry.sensitive_kind is not None):
        raise CatalogueError("sensitive and sensitive_kind disagree")
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
