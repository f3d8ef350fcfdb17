"""When a person is to be reminded that a document expires. Pure."""

from datetime import UTC, datetime, time

from vault.catalogue.document_types import by_code
from vault.document_view import DocumentMetadata
from vault.durations import before


def notice_at(metadata: DocumentMetadata) -> datetime | None:
    """When to remind the person, by the type's notice period; None without an expiry date."""
    document_type = by_code(metadata.type)
    if document_type is None or document_type.notice_period is None or metadata.expires_on is None:
        return None
    end = datetime.combine(metadata.expires_on, time(), UTC)
    try:
        return before(end, document_type.notice_period)
    except (OverflowError, ValueError):  # before the year 1: no reminder is useful
        return None
