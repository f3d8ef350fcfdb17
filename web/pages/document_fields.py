"""The fields of a document in a form: its type, title and dates, cleaned. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from base.dates import iso_date, known_date
from base.errors import about, invalid
from base.user_text import clean_text, clean_title
from vault.document_view import DocumentMetadata, DocumentView

NAMES = ("type", "title", "issued_on", "expires_on", "paper_location", "sensitive")
_MAX_LENGTH = 200
# Where a browser has no date picker, people type the day first.
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[ ./-]\s*(\d{1,2})\s*[ ./-]\s*(\d{4})")


def metadata_of(fields: Mapping[str, str]) -> DocumentMetadata:
    """The metadata of a form. Raises `type_missing`, `date_unreadable`, `text_too_long`."""
    code = fields.get("type", "").strip()
    if not code:
        raise invalid("type_missing")
    return DocumentMetadata(
        type=code[:64],
        title=clean_title(fields.get("title", ""), _MAX_LENGTH),
        issued_on=_date_in(fields, "issued_on"),
        expires_on=_date_in(fields, "expires_on"),
        paper_location=clean_text(fields.get("paper_location", ""), _MAX_LENGTH),
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
        "paper_location": metadata.paper_location or "",
        "sensitive": "yes" if metadata.sensitive else "",
    }


def _date_in(fields: Mapping[str, str], name: str) -> date | None:
    with about(name):
        return date_of(fields.get(name, ""))


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
