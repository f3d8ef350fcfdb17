"""SQL of retrieval: a grant, a document beside it and the file to send, in one round."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, literal, or_, select, true
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import Select

from base.database import now
from vault.records.tables import (
    Document,
    DocumentVersion,
    Grant,
    GrantDocument,
    GrantType,
    SealedFile,
)
from vault.rules import DocumentFacts


def _one(roles: tuple[str, ...]) -> Select[Any]:
    """Types are compared as keyed tags; nothing is unsealed to judge. Binds `grant`, `document`."""
    file = (
        select(
            SealedFile.id.label("file_id"),
            SealedFile.role,
            SealedFile.position,
            SealedFile.blob_key,
            SealedFile.envelope,
        )
        .where(SealedFile.version_id == DocumentVersion.id, SealedFile.role.in_(roles))
        .order_by(SealedFile.role.desc(), SealedFile.position)
        .limit(1)
        .lateral("file")
    )
    picked = exists().where(
        GrantDocument.grant_id == Grant.id, GrantDocument.document_id == Document.id
    )
    typed = exists().where(GrantType.grant_id == Grant.id, GrantType.type_tag == Document.type_tag)
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
            picked.label("picked"),
            typed.label("type_in_scope"),
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
_CONTENT = _one(("original", "rendition"))
_PREVIEW = _one(("preview",))


async def judged(
    connection: AsyncConnection, grant_id: UUID, document_id: UUID, *, preview: bool = False
) -> Row[Any] | None:
    """The grant, held against revocation until the act commits, with the document and its file."""
    query = _PREVIEW if preview else _CONTENT
    found = await connection.execute(query, {"grant": grant_id, "document": document_id})
    row: Row[Any] | None = found.one_or_none()
    return row


def document_facts(row: Row[Any]) -> DocumentFacts | None:
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


async def covered(
    connection: AsyncConnection, grant: Row[Any], *, before: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """The documents that a grant covers, newest first. The condition is `rules.may_open`'s."""
    picked = exists().where(
        GrantDocument.grant_id == grant.id, GrantDocument.document_id == Document.id
    )
    typed = exists().where(GrantType.grant_id == grant.id, GrantType.type_tag == Document.type_tag)
    there_then = and_(Document.created_at <= grant.given_at, Document.typed_at <= grant.given_at)
    query = (
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
            Document.person_id == grant.person_id,
            Document.deleted_at.is_(None),
            DocumentVersion.scan != "infected",
            or_(picked, and_(typed, or_(literal(grant.covers_future), there_then))),
        )
        .order_by(Document.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Document.id < before)
    return (await connection.execute(query)).all()


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
