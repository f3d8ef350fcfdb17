"""What a grant covers, in SQL: the one place that says it. `rules.may_open` says the same."""

from typing import Any

from sqlalchemy import and_, exists, or_
from sqlalchemy.sql import ColumnElement

from vault.records.tables import Document, DocumentVersion, GrantDocument, GrantType


def picked(grant_id: Any) -> ColumnElement[bool]:
    """The person chose this very document."""
    return exists().where(
        GrantDocument.grant_id == grant_id, GrantDocument.document_id == Document.id
    )


def typed(grant_id: Any) -> ColumnElement[bool]:
    """Its type's tag is among the grant's."""
    return exists().where(GrantType.grant_id == grant_id, GrantType.type_tag == Document.type_tag)


def covers(grant_id: Any, given_at: Any, covers_future: Any) -> ColumnElement[bool]:
    """A living document that the grant covers; a type given after the grant came later too."""
    there_then = and_(Document.created_at <= given_at, Document.typed_at <= given_at)
    by_type = and_(typed(grant_id), or_(covers_future, there_then))
    return and_(
        Document.deleted_at.is_(None),
        DocumentVersion.scan != "infected",
        or_(picked(grant_id), by_type),
    )
