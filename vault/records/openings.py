"""SQL of retrieval: a grant, a document beside it and the file to send, in one round."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    DateTime,
    Integer,
    Uuid,
    bindparam,
    exists,
    select,
    true,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from base.database import now
from base.rounds import Bound, Statement
from vault.records.coverage import covers, picked, typed
from vault.records.tables import (
    Document,
    DocumentVersion,
    Grant,
    SealedFile,
)
from vault.rules import DocumentFacts

_TIME = DateTime(timezone=True)


def _one(role: ColumnElement[bool]) -> Select[Any]:
    """Types are compared as keyed tags; nothing is unsealed to judge. Binds `grant`, `document`."""
    file = (
        select(
            SealedFile.id.label("file_id"),
            SealedFile.role,
            SealedFile.position,
            SealedFile.blob_key,
            SealedFile.envelope,
        )
        .where(SealedFile.version_id == DocumentVersion.id, role)
        .order_by(SealedFile.role.desc(), SealedFile.position)
        .limit(1)
        .lateral("file")
    )
    return (
        select(
            Grant.__table__,
            now().label("at"),
            Document.id.label("document_id"),
            (Document.person_id == Grant.person_id).label("same_person"),
            Document.deleted_at.is_not(None).label("deleted"),
            Document.created_at.label("document_created_at"),
            Document.sealed.label("document_sealed"),
            Document.typed_at,
            Document.version_id,
            DocumentVersion.scan,
            DocumentVersion.sealed.label("version_sealed"),
            picked(Grant.id).label("picked"),
            typed(Grant.id).label("type_in_scope"),
            *file.c,
        )
        .select_from(Grant)
        .outerjoin(Document, Document.id == bindparam("document"))
        .outerjoin(DocumentVersion, DocumentVersion.id == Document.version_id)
        .outerjoin(file, true())
        .where(Grant.id == bindparam("grant"))
        .with_for_update(read=True, of=Grant)
    )


# "rendition" sorts after "original": the rendition when there is one, else the original itself.
_CONTENT = Statement(_one(SealedFile.role != "preview"))
_PREVIEW = Statement(_one(SealedFile.role == "preview"))
_GRANT = Statement(
    select(Grant.__table__, now().label("at"))
    .where(Grant.id == bindparam("grant"))
    .with_for_update(read=True)
)


def judged(grant_id: UUID, document_id: UUID, *, preview: bool = False) -> Bound:
    """The grant, held against revocation until the act commits, with the document and its file:
    one row, or none."""
    query = _PREVIEW if preview else _CONTENT
    return query(grant=grant_id, document=document_id)


def judged_alone(grant_id: UUID) -> Bound:
    """The grant, held in the same way."""
    return _GRANT(grant=grant_id)


def document_facts(row: Any) -> DocumentFacts | None:
    """The document's side of a judged row, as the rules read it."""
    if row.document_id is None:
        return None
    return DocumentFacts(
        same_person=row.same_person,
        deleted=row.deleted,
        picked=row.picked,
        type_in_scope=row.type_in_scope,
        created_at=row.document_created_at,
        typed_at=row.typed_at,
        scan=row.scan,
    )


def _covered() -> Select[Any]:
    """Binds `grant`, `person`, `given_at`, `covers_future`, `before` and `limit`."""
    grant_id, given_at = bindparam("grant", type_=Uuid()), bindparam("given_at", type_=_TIME)
    covers_future = bindparam("covers_future", type_=Boolean())
    return (
        select(
            Document.__table__,
            DocumentVersion.number,
            DocumentVersion.scan,
            DocumentVersion.created_at.label("version_created_at"),
            DocumentVersion.sealed.label("version_sealed"),
            exists()
            .where(SealedFile.version_id == DocumentVersion.id, SealedFile.role == "preview")
            .label("has_preview"),
        )
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(
            Document.person_id == bindparam("person"),
            Document.id < bindparam("before"),
            covers(grant_id, given_at, covers_future),
        )
        .order_by(Document.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


_COVERED = Statement(_covered())
_LAST = UUID(int=2**128 - 1)


def covered(grant: Any, *, before: UUID | None, limit: int) -> Bound:
    """The documents that a grant covers, newest first. The condition is `rules.may_open`'s."""
    return _COVERED(
        grant=grant.id,
        person=grant.person_id,
        given_at=grant.given_at,
        covers_future=grant.covers_future,
        before=before or _LAST,
        limit=limit,
    )


async def own_files(
    connection: AsyncConnection, person_id: UUID, document_id: UUID
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The files of the person's own document, in order, with the sealed rows that tell of them."""
    query = (
        select(
            Document.id.label("document_id"),
            Document.sealed.label("document_sealed"),
            Document.version_id,
            DocumentVersion.sealed.label("version_sealed"),
            SealedFile.id.label("file_id"),
            SealedFile.role,
            SealedFile.position,
            SealedFile.blob_key,
            SealedFile.envelope,
        )
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .join(SealedFile, SealedFile.version_id == DocumentVersion.id)
        .where(
            Document.person_id == person_id,
            Document.id == document_id,
            Document.deleted_at.is_(None),
        )
        .order_by(SealedFile.position)
    )
    return (await connection.execute(query)).all()
