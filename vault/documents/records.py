"""SQL of documents, versions and sealed files, for their owner and under a grant."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, bindparam, delete, exists, func, insert, select, true, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from base.db_time import now
from base.key_names import ORIGINAL, PREVIEW, RENDITION, THUMBNAIL
from base.statements import Bound, Statement
from storage.envelopes import Address
from storage.row_macs import RowMacs
from vault.consent.records.grants import GRANT_COLUMNS, has_granted_type, is_covered, is_picked
from vault.rules import DocumentFacts
from vault.tables import (
    DOCUMENT_COLUMNS,
    DOCUMENT_ROW,
    JOINED_DOCUMENT_ROW,
    JOINED_VERSION_ROW,
    VERSION_COLUMNS,
    VERSION_ROW,
    Document,
    DocumentVersion,
    Grant,
    SealedFile,
)

_VERSION = (
    *VERSION_COLUMNS,
    *(
        exists()
        .where(SealedFile.version_id == DocumentVersion.id, SealedFile.role == role)
        .label(f"has_{role}")
        for role in (PREVIEW, THUMBNAIL)
    ),
)


def _documents(person_id: UUID, *, deleted: bool) -> Any:
    return (
        select(Document.__table__, *_VERSION)
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(
            Document.person_id == person_id,
            Document.deleted_at.is_not(None) if deleted else Document.deleted_at.is_(None),
        )
    )


async def document(
    connection: AsyncConnection, person_id: UUID, document_id: UUID, *, deleted: bool = False
) -> Row[Any] | None:
    """One document with its current version; with `deleted`, only one in the trash."""
    query = _documents(person_id, deleted=deleted).where(Document.id == document_id)
    return (await connection.execute(query)).one_or_none()


def _versions(person_id: UUID, document_id: UUID) -> Any:
    return (
        select(Document.__table__, *_VERSION)
        .join(DocumentVersion, DocumentVersion.document_id == Document.id)
        .where(Document.person_id == person_id, Document.id == document_id)
        .order_by(DocumentVersion.number.desc())
    )


async def versions(
    connection: AsyncConnection, person_id: UUID, document_id: UUID
) -> list[Row[Any]]:
    """A document with each of its versions, the newest first; none of one in the trash."""
    query = _versions(person_id, document_id).where(Document.deleted_at.is_(None))
    return list((await connection.execute(query)).all())


async def first_version(
    connection: AsyncConnection, person_id: UUID, document_id: UUID
) -> Row[Any] | None:
    """A document with its first version, even if it was changed or deleted since."""
    query = _versions(person_id, document_id).where(DocumentVersion.number == 1)
    return (await connection.execute(query)).one_or_none()


async def documents(
    connection: AsyncConnection,
    person_id: UUID,
    *,
    before: UUID | None,
    limit: int,
    deleted: bool = False,
    type_tags: Sequence[bytes] = (),
    document_ids: Collection[UUID] = (),
) -> Sequence[Row[Any]]:
    """Documents, newest first: those in the trash, of some types, or of some ids."""
    query = _documents(person_id, deleted=deleted)
    if document_ids:
        query = query.where(Document.id.in_(document_ids))
    if type_tags:
        query = query.where(Document.type_tag.in_(type_tags))
    if before is not None:
        query = query.where(Document.id < before)
    return (await connection.execute(query.order_by(Document.id.desc()).limit(limit))).all()


_WITH_CONTENT = Statement(
    select(Document.id)
    .join(DocumentVersion, DocumentVersion.id == Document.version_id)
    .where(
        DocumentVersion.document_id == Document.id,  # as the join says: this one has an index
        DocumentVersion.person_id == bindparam("person"),
        DocumentVersion.content_tag == bindparam("content_tag"),
        Document.id.is_distinct_from(bindparam("beside", type_=Document.id.type)),
        Document.deleted_at.is_(None),
    )
    .order_by(Document.id)
    .limit(1)
)


def document_with_content(person_id: UUID, content_tag: bytes, beside: UUID | None = None) -> Bound:
    """The `id` of a document, not deleted, whose current version has these bytes; or no row."""
    return _WITH_CONTENT(person=person_id, content_tag=content_tag, beside=beside)


_ADD_DOCUMENT = Statement(insert(Document), must_write=True)
_ADD_VERSION = Statement(insert(DocumentVersion), must_write=True)
_FILE_VALUES = ("id", "version_id", "person_id", "role", "position", "blob_key", "envelope")
_ADD_FILE = Statement(
    insert(SealedFile).values({name: bindparam(name) for name in _FILE_VALUES}), must_write=True
)


def add_document(**values: Any) -> Bound:
    """Insert a document's row."""
    return _ADD_DOCUMENT(**values)


def add_version(**values: Any) -> Bound:
    """Insert a version's row."""
    return _ADD_VERSION(**values)


def add_file(**values: Any) -> Bound:
    """Insert the row of a sealed file whose blob is already durable."""
    return _ADD_FILE(**values)


async def change_document(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a document's row, which must be one of ours, and its MAC. Raises `RowAltered`."""
    macs.check(DOCUMENT_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in DOCUMENT_ROW.columns}
    await connection.execute(
        update(Document)
        .where(Document.person_id == row.person_id, Document.id == row.id)
        .values(**values, mac=macs.of(DOCUMENT_ROW, changed))
    )


async def change_version(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID, version_id: UUID, **values: Any
) -> Row[Any] | None:
    """Change a version's row, which must be one of ours, and its MAC; the row before, or None when
    the version is gone. Raises `RowAltered`."""
    result = await connection.execute(
        select(DocumentVersion.__table__)
        .where(DocumentVersion.person_id == person_id, DocumentVersion.id == version_id)
        .with_for_update()
    )
    row: Row[Any] | None = result.one_or_none()
    if row is None:
        return None
    macs.check(VERSION_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in VERSION_ROW.columns}
    await connection.execute(
        update(DocumentVersion)
        .where(DocumentVersion.id == version_id)
        .values(**values, mac=macs.of(VERSION_ROW, changed))
    )
    return row


async def delete_copies(connection: AsyncConnection, person_id: UUID, version_id: UUID) -> None:
    """Delete the rows of a version's copy and pictures; the sweep removes their blobs."""
    await connection.execute(
        delete(SealedFile).where(
            SealedFile.person_id == person_id,
            SealedFile.version_id == version_id,
            SealedFile.role != ORIGINAL,
        )
    )


async def clear_notice(connection: AsyncConnection, person_id: UUID, document_id: UUID) -> None:
    """Note that the owner was reminded of a document's end."""
    await connection.execute(
        update(Document)
        .where(Document.person_id == person_id, Document.id == document_id)
        .values(notice_at=None)
    )


async def version(
    connection: AsyncConnection, person_id: UUID, version_id: UUID
) -> Row[Any] | None:
    """One version's row."""
    query = select(DocumentVersion.__table__).where(
        DocumentVersion.person_id == person_id, DocumentVersion.id == version_id
    )
    return (await connection.execute(query)).one_or_none()


async def next_number(connection: AsyncConnection, person_id: UUID, document_id: UUID) -> int:
    """The number of a document's next version."""
    query = select(func.max(DocumentVersion.number)).where(
        DocumentVersion.person_id == person_id, DocumentVersion.document_id == document_id
    )
    return int((await connection.execute(query)).scalar_one() or 0) + 1


async def files_of(
    connection: AsyncConnection, person_id: UUID, version_id: UUID
) -> Sequence[Row[Any]]:
    """The sealed files of a version, originals first, in order."""
    result = await connection.execute(
        select(SealedFile.__table__)
        .where(SealedFile.person_id == person_id, SealedFile.version_id == version_id)
        .order_by(SealedFile.role, SealedFile.position)
    )
    return result.all()


async def blob_keys_of(
    connection: AsyncConnection, person_id: UUID, document_id: UUID | None = None
) -> list[str]:
    """The blob keys of a document's files, or of a whole vault's."""
    query = select(SealedFile.blob_key).where(SealedFile.person_id == person_id)
    if document_id is not None:
        query = query.join(DocumentVersion, DocumentVersion.id == SealedFile.version_id).where(
            DocumentVersion.document_id == document_id
        )
    return list((await connection.execute(query)).scalars())


async def delete_document(connection: AsyncConnection, person_id: UUID, document_id: UUID) -> None:
    """Delete a document's rows; its blobs are then unreferenced, and the sweep removes them."""
    await connection.execute(
        delete(Document).where(Document.person_id == person_id, Document.id == document_id)
    )


async def due_for_notice(connection: AsyncConnection, limit: int) -> Sequence[Row[UUID, UUID]]:
    """Documents that expire soon, whose owner is to be reminded now: `id`, `person_id`."""
    result = await connection.execute(
        select(Document.id, Document.person_id)
        .where(Document.notice_at <= now(), Document.deleted_at.is_(None))
        .order_by(Document.person_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return result.all()


async def known_blobs(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of these blobs a row refers to."""
    query = select(SealedFile.blob_key).where(SealedFile.blob_key.in_(keys))
    return set((await connection.execute(query)).scalars())


FILE_COLUMNS = (
    SealedFile.id.label("file_id"),
    SealedFile.version_id.label("file_version_id"),
    SealedFile.role,
    SealedFile.position,
    SealedFile.blob_key,
    SealedFile.envelope,
)


def _under_grant(role: ColumnElement[bool]) -> Select[Any]:
    """Types are compared as keyed tags: nothing is opened to judge. Binds `grant`, `document`."""
    file = (
        select(*FILE_COLUMNS)
        .where(SealedFile.version_id == DocumentVersion.id, role)
        .order_by(SealedFile.role.desc(), SealedFile.position)
        .limit(1)
        .lateral("file")
    )
    return (
        select(
            *GRANT_COLUMNS,
            *DOCUMENT_COLUMNS,
            *VERSION_COLUMNS,
            is_picked.label("picked"),
            has_granted_type.label("type_in_scope"),
            *file.c,
        )
        .select_from(Grant)
        .outerjoin(Document, Document.id == bindparam("document"))
        .outerjoin(DocumentVersion, DocumentVersion.id == Document.version_id)
        .outerjoin(file, true())
        .where(Grant.id == bindparam("grant"))
        .with_for_update(read=True, of=Grant)
    )


# "rendition" sorts after "original": the rendition comes first when there is one.
_CONTENT = Statement(_under_grant((SealedFile.role == ORIGINAL) | (SealedFile.role == RENDITION)))
_PREVIEW = Statement(_under_grant(SealedFile.role == PREVIEW))


def document_under_grant(grant_id: UUID, document_id: UUID, *, preview: bool = False) -> Bound:
    """The grant, locked against revocation until the act commits, with the document and its file:
    one row, or none."""
    query = _PREVIEW if preview else _CONTENT
    return query(grant=grant_id, document=document_id)


def document_facts(macs: RowMacs, row: Any | None) -> DocumentFacts | None:
    """The document's part of a row of `document_under_grant`; None without a document. Raises
    `RowAltered` when the document or its version is not as the service wrote it."""
    if row is None or row.document_id is None:
        return None
    macs.check(JOINED_DOCUMENT_ROW, row)
    macs.check(JOINED_VERSION_ROW, row)
    return DocumentFacts(
        same_person=row.document_person_id == row.person_id == row.v_person_id,
        deleted=row.document_deleted_at is not None,
        picked=row.picked,
        type_in_scope=row.type_in_scope,
        created_at=row.document_created_at,
        typed_at=row.document_typed_at,
        scan=row.v_scan,
    )


def address_of(row: Any) -> Address:
    """A sealed file's row, from `files_of`."""
    return Address(row.id, row.role, row.version_id, row.position, row.blob_key, row.envelope)


def joined_address(row: Any) -> Address:
    """The file in a row that joins it with its document and version."""
    return Address(
        row.file_id, row.role, row.file_version_id, row.position, row.blob_key, row.envelope
    )


def check_own(macs: RowMacs, files: Sequence[Any]) -> None:
    """Raise `RowAltered` unless the document of `own_files`, and its version, are ours."""
    for row in files[:1]:
        macs.check(JOINED_DOCUMENT_ROW, row)
        macs.check(JOINED_VERSION_ROW, row)


def _covered() -> Select[Any]:
    """Binds `grant`, `before` and `limit`."""
    return (
        select(Document.__table__, *_VERSION)
        .select_from(Grant)
        .join(Document, Document.person_id == Grant.person_id)
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(Grant.id == bindparam("grant"), Document.id < bindparam("before"), is_covered())
        .order_by(Document.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


_COVERED = Statement(_covered())
_LAST = UUID(int=2**128 - 1)


def covered(grant_id: UUID, *, before: UUID | None, limit: int) -> Bound:
    """The documents that a grant covers, newest first. Same condition as `rules.may_open`."""
    return _COVERED(grant=grant_id, before=before or _LAST, limit=limit)


async def own_files(
    connection: AsyncConnection, person_id: UUID, document_id: UUID, *, number: int | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The files of the person's own document, in order, with the sealed rows about them: of the
    current version, or of the one with that number."""
    numbered = and_(DocumentVersion.document_id == Document.id, DocumentVersion.number == number)
    current = DocumentVersion.id == Document.version_id
    query = (
        select(*DOCUMENT_COLUMNS, *VERSION_COLUMNS, *FILE_COLUMNS)
        .join(DocumentVersion, current if number is None else numbered)
        .join(SealedFile, SealedFile.version_id == DocumentVersion.id)
        .where(
            Document.person_id == person_id,
            Document.id == document_id,
            Document.deleted_at.is_(None),
        )
        .order_by(SealedFile.position)
    )
    return (await connection.execute(query)).all()
