"""SQL of papers that get another vault: read as they are, deleted, and inserted again with their
ids."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vault.tables import Document, DocumentVersion, SealedFile


def _current(person_id: UUID) -> Select[UUID, int | None]:
    """The current version of each document of a vault, but for the trash, and its size in KiB."""
    return (
        select(DocumentVersion.id, DocumentVersion.size_kib)
        .join(Document, Document.version_id == DocumentVersion.id)
        .where(
            Document.person_id == person_id,
            DocumentVersion.person_id == person_id,
            Document.deleted_at.is_(None),
        )
    )


async def versions_alike(
    connection: AsyncConnection, person_id: UUID, owner_id: UUID, *, limit: int
) -> Sequence[Row[UUID, int | None]]:
    """The current versions in the vault of `person_id` that have the size of one in that of
    `owner_id`, the smallest first, with their sizes in KiB."""
    sizes = _current(owner_id).with_only_columns(DocumentVersion.size_kib)
    query = _current(person_id).where(DocumentVersion.size_kib.in_(sizes))
    ordered = query.order_by(DocumentVersion.size_kib, DocumentVersion.id).limit(limit)
    return (await connection.execute(ordered)).all()


async def documents_of(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """Every document of a vault, the trash included, the oldest first; locked, so that none is
    purged, nor a verdict lost, before it is inserted again."""
    query = select(Document.__table__).where(Document.person_id == person_id)
    return (await connection.execute(query.order_by(Document.id).with_for_update())).all()


async def versions_of(
    connection: AsyncConnection, person_id: UUID, document_ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """Every version of these documents, locked too."""
    query = select(DocumentVersion.__table__).where(
        DocumentVersion.person_id == person_id, DocumentVersion.document_id.in_(document_ids)
    )
    return (await connection.execute(query.with_for_update())).all()


async def files_of(
    connection: AsyncConnection, person_id: UUID, version_ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """Every sealed file of these versions."""
    query = select(SealedFile.__table__).where(
        SealedFile.person_id == person_id, SealedFile.version_id.in_(version_ids)
    )
    return (await connection.execute(query)).all()


async def delete_documents(
    connection: AsyncConnection, person_id: UUID, document_ids: Sequence[UUID]
) -> None:
    """Delete documents, with their versions and the rows of their files."""
    await connection.execute(
        delete(Document).where(Document.person_id == person_id, Document.id.in_(document_ids))
    )


async def add_documents(connection: AsyncConnection, documents: list[dict[str, Any]]) -> None:
    """Insert documents, whole."""
    if documents:
        await connection.execute(insert(Document), documents)


async def add_versions(connection: AsyncConnection, versions: list[dict[str, Any]]) -> None:
    """Insert versions, whole."""
    if versions:
        await connection.execute(insert(DocumentVersion), versions)


async def add_files(connection: AsyncConnection, files: list[dict[str, Any]]) -> None:
    """Insert the rows of files, whole."""
    if files:
        await connection.execute(insert(SealedFile), files)
