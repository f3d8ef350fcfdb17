"""The fields of a document in a form: its type, title and dates, cleaned. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from base.dates import iso_date, known_date
from base.errors import about, invalid
from base.user_text import clean_text, clean_title
from vault.catalogue import by_code
from vault.document_view import DocumentMetadata, DocumentView
from web.i18n.date_labels import DATE_LABELS
from web.i18n.error_messages import _

_DATES = {
    "issued_on": _("Date du document"),
    "expires_on": _("Bon jusqu’au"),
    "due_on": _("À faire avant : répondre, payer ou venir"),
    "income_year": _("Année des revenus"),
}
DAYS = ("issued_on", "expires_on", "due_on")
NAMES = ("type", "title", *_DATES, "paper_location", "sensitive")
MAX_LENGTH = 200
_YEAR = re.compile(r"\d{4}")
_YEARS = range(1990, 2100)
# Where a browser has no date picker, people type the day first.
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[ ./-]\s*(\d{1,2})\s*[ ./-]\s*(\d{4})")


def metadata_of(fields: Mapping[str, str]) -> DocumentMetadata:
    """The metadata of a form. Raises `type_missing`, `date_unreadable`, `year_unreadable`,
    `text_too_long`."""
    code = fields.get("type", "").strip()
    if not code:
        raise invalid("type_missing")
    return DocumentMetadata(
        type=code[:64],
        title=clean_title(fields.get("title", ""), MAX_LENGTH),
        issued_on=_date_in(fields, "issued_on"),
        expires_on=_date_in(fields, "expires_on"),
        due_on=_date_in(fields, "due_on"),
        income_year=_year_of(fields.get("income_year", "")),
        paper_location=clean_text(fields.get("paper_location", ""), MAX_LENGTH),
        sensitive=fields.get("sensitive") == "yes",
    )


def typed(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to show it again for correction."""
    return {name: fields.get(name, "") for name in NAMES}


def typed_of(document: DocumentView) -> dict[str, str]:
    """The first values of a form about a document."""
    metadata = document.metadata
    return {
        "type": metadata.type,
        "title": metadata.title or "",
        "issued_on": metadata.issued_on.isoformat() if metadata.issued_on else "",
        "expires_on": metadata.expires_on.isoformat() if metadata.expires_on else "",
        "due_on": metadata.due_on.isoformat() if metadata.due_on else "",
        "income_year": str(metadata.income_year or ""),
        "paper_location": metadata.paper_location or "",
        "sensitive": "yes" if metadata.sensitive else "",
    }


def _date_in(fields: Mapping[str, str], name: str) -> date | None:
    with about(name):
        return date_of(fields.get(name, ""))


def date_fields(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The date fields of a form with their labels, in French: first the one that matters for the
    type, under its own name. The year of incomes is asked only where it matters, or is unknown."""
    document_type = by_code(values.get("type", ""))
    if document_type is None:
        return list(_DATES.items())
    kind = document_type.date_that_matters
    first = [(kind.field, DATE_LABELS[kind])] if kind.field else []
    others = [
        (name, label)
        for name, label in _DATES.items()
        if name != kind.field and (name != "income_year" or values.get(name))
    ]
    return first + others


def _year_of(text: str) -> int | None:
    """A year in four digits; None for nothing. Raises `year_unreadable`."""
    text = text.strip()
    if not text:
        return None
    if not _YEAR.fullmatch(text) or int(text) not in _YEARS:
        raise invalid("year_unreadable")
    return int(text)


def date_of(text: str) -> date | None:
    """`2026-12-31` or `31/12/2026`; None for nothing. Raises `date_unreadable`."""
    text = text.strip()
    if not text:
        return None
    match = _DAY_FIRST.fullmatch(text)
    try:
        if match:
            return known_date(int(match[3]), int(match[2]), int(match[1]))
        return iso_date(text)
    except ValueError:
        raise invalid("date_unreadable") from None
