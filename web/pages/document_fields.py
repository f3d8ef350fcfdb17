"""What a form says of a paper: its type, its title, its dates, made safe. Pure."""

import re
from collections.abc import Mapping
from datetime import date

from base.errors import invalid
from base.user_text import clean_text, clean_title
from vault.document_view import DocumentMetadata, DocumentView

NAMES = ("type", "title", "issued_on", "expires_on", "paper_location")
_LONGEST = 200
# Where a browser has no calendar of its own, people write dates as they speak them.
_SPOKEN = re.compile(r"(\d{1,2})[ ./-](\d{1,2})[ ./-](\d{4})")


def metadata_of(fields: Mapping[str, str]) -> DocumentMetadata:
    """The facts of a form. Raises `type_missing`, `date_unreadable`, `text_too_long`."""
    code = fields.get("type", "").strip()
    if not code:
        raise invalid("type_missing")
    return DocumentMetadata(
        type=code[:64],
        title=clean_title(fields.get("title", ""), _LONGEST),
        issued_on=date_of(fields.get("issued_on", "")),
        expires_on=date_of(fields.get("expires_on", "")),
        paper_location=clean_text(fields.get("paper_location", ""), _LONGEST),
    )


def typed(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again when something has to be put right."""
    return {name: fields.get(name, "") for name in NAMES}


def typed_of(paper: DocumentView) -> dict[str, str]:
    """What a form about a document begins with."""
    metadata = paper.metadata
    return {
        "type": metadata.type,
        "title": metadata.title or "",
        "issued_on": metadata.issued_on.isoformat() if metadata.issued_on else "",
        "expires_on": metadata.expires_on.isoformat() if metadata.expires_on else "",
        "paper_location": metadata.paper_location or "",
    }


def date_of(text: str) -> date | None:
    """`2026-12-31` or `31/12/2026`; None for nothing. Raises `date_unreadable`."""
    text = text.strip()
    if not text:
        return None
    spoken = _SPOKEN.fullmatch(text)
    try:
        if spoken:
            return date(int(spoken[3]), int(spoken[2]), int(spoken[1]))
        return date.fromisoformat(text)
    except ValueError:
        raise invalid("date_unreadable") from None
