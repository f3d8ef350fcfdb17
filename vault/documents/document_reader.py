"""Opening the sealed rows of a document, for those who may see it."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from base.key_names import DOCUMENT, DOCUMENT_VERSION
from storage.field_encryption import FieldReader
from vault.document_view import DocumentMetadata, DocumentView, suggestion_of, view_of


def open_document(reader: FieldReader, row: Row[Any]) -> DocumentView:
    """Open a joined row of `vault.documents.records`, which the caller has checked."""
    values = reader.open(DOCUMENT, row.id, row.sealed)
    metadata = DocumentMetadata(
        type=values["type"],
        title=values["title"],
        issued_on=_date(values["issued_on"]),
        expires_on=_date(values["expires_on"]),
        due_on=_date(values.get("due_on")),
        income_year=values.get("income_year"),
        paper_location=values["paper_location"],
        sensitive=values.get("sensitive", False),
        given_original=UUID(values["given_original"]) if "given_original" in values else None,
    )
    return view_of(
        row,
        metadata,
        deposited_by=values["deposited_by"],
        file=reader.open(DOCUMENT_VERSION, row.v_id, row.v_sealed),
        altered=values.get("altered", False),
        suggestions=tuple(suggestion_of(one) for one in values.get("suggestions", ())),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
