"""SQL of archives, and of the sealed pieces of which each is made so far."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from base.db_time import now
from base.key_names import ARCHIVE, ORIGINAL, RENDITION
from base.statements import Bound, Statement
from storage.envelopes import Address
from storage.row_macs import RowFormat, RowMacs
from vault.tables import VERSION_COLUMNS, Document, DocumentVersion, SealedFile

EXPORT = "export"
IMPORT = "import"


class Archive(Base):
    """A zip of all that a vault has. `length` and `pieces`: what is safe of it, which ends where an
    entry does; pieces beyond are of an attempt that did not come so far again. Sealed: what goes
    in, who may take it, and in which language it speaks. `attempt`: of the job that makes it; what
    an earlier one still writes is refused.

    Of an import: a zip that was made elsewhere. `ready_at`: all of it was received; `done_at`: it
    came in, or was refused, and its pieces are gone. Sealed: how far it is, and what became of
    it."""

    __tablename__ = "archive"
    __table_args__ = (
        Index("ix_archive_person_id", "person_id"),
        Index("ix_archive_expires_at", "expires_at"),
        CheckConstraint("kind IN ('export', 'import')", name="kind"),
        CheckConstraint("length >= 0", name="length"),
        CheckConstraint("pieces >= 0", name="pieces"),
        CheckConstraint("done_at IS NULL OR ready_at IS NOT NULL", name="done"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    kind: Mapped[str]
    attempt: Mapped[int]
    length: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[int]
    asked_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    sealed: Mapped[bytes]
    mac: Mapped[bytes]


ARCHIVE_ROW = RowFormat(
    "archive",
    (
        "id",
        "person_id",
        "kind",
        "attempt",
        "length",
        "pieces",
        "asked_at",
        "ready_at",
        "done_at",
        "expires_at",
        "sealed",
    ),
)
_CHANGED = (
    "attempt",
    "length",
    "pieces",
    "ready_at",
    "done_at",
    "expires_at",
    "sealed",
)


class ArchivePiece(Base):
    """One sealed blob of an archive: the bytes that follow those of the piece before. Sealed: the
    entries that ended since the last piece that ended with one. `envelope` is bound to what this
    row says of the blob."""

    __tablename__ = "archive_piece"
    __table_args__ = (
        UniqueConstraint("archive_id", "position"),
        Index("uq_archive_piece_blob_key", "blob_key", unique=True),
        Index("ix_archive_piece_person_id", "person_id"),
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("length > 0", name="length"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    archive_id: Mapped[UUID] = mapped_column(ForeignKey(Archive.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    position: Mapped[int]
    length: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes]
    blob_key: Mapped[str]
    envelope: Mapped[bytes]


def address_of(row: Any) -> Address:
    """A piece's row, as the address of a sealed file: its archive stands where a version does."""
    return Address(row.id, ARCHIVE, row.archive_id, row.position, row.blob_key, row.envelope)


async def add_archive(connection: AsyncConnection, **values: Any) -> None:
    """Insert an archive's row."""
    await connection.execute(insert(Archive).values(**values))


async def archive(
    connection: AsyncConnection, person_id: UUID, archive_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """One archive of the person, if it has not expired; with `lock`, nobody else changes it before
    the transaction ends."""
    query = select(Archive.__table__).where(
        Archive.person_id == person_id, Archive.id == archive_id, Archive.expires_at > now()
    )
    if lock:
        query = query.with_for_update()
    return (await connection.execute(query)).one_or_none()


async def living(connection: AsyncConnection, person_id: UUID, kind: str) -> Sequence[Row[Any]]:
    """The archives of a kind that a vault has, the newest first."""
    result = await connection.execute(
        select(Archive.__table__)
        .where(Archive.person_id == person_id, Archive.kind == kind, Archive.expires_at > now())
        .order_by(Archive.id.desc())
    )
    return result.all()


async def change_archive(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change an archive's row, which must be one of ours, and its MAC. Raises `RowAltered`."""
    macs.check(ARCHIVE_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in ARCHIVE_ROW.columns}
    await connection.execute(
        update(Archive)
        .where(Archive.person_id == row.person_id, Archive.id == row.id)
        .values(**values, mac=macs.of(ARCHIVE_ROW, changed))
    )


_HOLD = Statement(
    select(Archive.__table__)
    .where(
        Archive.person_id == bindparam("person"),
        Archive.id == bindparam("archive"),
        Archive.expires_at > now(),
    )
    .with_for_update()
)
_CHANGE = Statement(
    update(Archive)
    .where(Archive.person_id == bindparam("person"), Archive.id == bindparam("archive"))
    .values({name: bindparam(f"new_{name}") for name in (*_CHANGED, "mac")}),
    must_write=True,
)


def hold_archive(person_id: UUID, archive_id: UUID) -> Bound:
    """`archive` with its lock, in either kind of transaction."""
    return _HOLD(person=person_id, archive=archive_id)


def change_held(macs: RowMacs, row: Any, values: Mapping[str, Any]) -> Bound:
    """`change_archive`, in either kind of transaction. Raises `RowAltered`."""
    macs.check(ARCHIVE_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in ARCHIVE_ROW.columns}
    changed["mac"] = macs.of(ARCHIVE_ROW, changed)
    new = {f"new_{name}": changed[name] for name in (*_CHANGED, "mac")}
    return _CHANGE(person=row.person_id, archive=row.id, **new)


async def document_ids(connection: AsyncConnection, person_id: UUID) -> list[UUID]:
    """The documents of a vault, those in the trash too, the oldest first."""
    query = select(Document.id).where(Document.person_id == person_id).order_by(Document.id)
    return list((await connection.execute(query)).scalars())


async def versions_of(
    connection: AsyncConnection, person_id: UUID, document_id: UUID
) -> Sequence[Row[Any]]:
    """A document, which may be in the trash, with each of its versions, the oldest first."""
    result = await connection.execute(
        select(Document.__table__, *VERSION_COLUMNS)
        .join(DocumentVersion, DocumentVersion.document_id == Document.id)
        .where(Document.person_id == person_id, Document.id == document_id)
        .order_by(DocumentVersion.number)
    )
    return result.all()


async def files_of(
    connection: AsyncConnection, person_id: UUID, version_id: UUID
) -> Sequence[Row[Any]]:
    """The originals of a version and the copy that recipients get, in order."""
    result = await connection.execute(
        select(SealedFile.__table__)
        .where(
            SealedFile.person_id == person_id,
            SealedFile.version_id == version_id,
            SealedFile.role.in_((ORIGINAL, RENDITION)),
        )
        .order_by(SealedFile.role, SealedFile.position)
    )
    return result.all()


def file_address(row: Any) -> Address:
    """A row of `files_of`."""
    return Address(row.id, row.role, row.version_id, row.position, row.blob_key, row.envelope)


async def add_piece(connection: AsyncConnection, **values: Any) -> None:
    """Insert the row of a piece whose blob is already durable."""
    await connection.execute(insert(ArchivePiece).values(**values))


async def pieces_of(
    connection: AsyncConnection, person_id: UUID, archive_id: UUID
) -> Sequence[Row[Any]]:
    """The pieces of an archive, in order."""
    result = await connection.execute(
        select(ArchivePiece.__table__)
        .where(ArchivePiece.person_id == person_id, ArchivePiece.archive_id == archive_id)
        .order_by(ArchivePiece.position)
    )
    return result.all()


async def piece_at(
    connection: AsyncConnection, person_id: UUID, archive_id: UUID, position: int
) -> Row[UUID, bytes] | None:
    """One piece of an archive: what is sealed in it."""
    result = await connection.execute(
        select(ArchivePiece.id, ArchivePiece.sealed).where(
            ArchivePiece.person_id == person_id,
            ArchivePiece.archive_id == archive_id,
            ArchivePiece.position == position,
        )
    )
    return result.one_or_none()


async def delete_pieces(
    connection: AsyncConnection, person_id: UUID, archive_id: UUID, *, after: int
) -> list[str]:
    """Delete the pieces of an archive from this position on; their blobs, which are then
    unreferenced."""
    result = await connection.execute(
        delete(ArchivePiece)
        .where(
            ArchivePiece.person_id == person_id,
            ArchivePiece.archive_id == archive_id,
            ArchivePiece.position >= after,
        )
        .returning(ArchivePiece.blob_key)
    )
    return list(result.scalars())


async def blob_keys_of(
    connection: AsyncConnection, person_id: UUID, archive_id: UUID | None = None
) -> list[str]:
    """The blob keys of an archive's pieces, or of all those of a vault."""
    query = select(ArchivePiece.blob_key).where(ArchivePiece.person_id == person_id)
    if archive_id is not None:
        query = query.where(ArchivePiece.archive_id == archive_id)
    return list((await connection.execute(query)).scalars())


async def delete_archive(connection: AsyncConnection, person_id: UUID, archive_id: UUID) -> bool:
    """Delete an archive's rows; False if there was none. Its blobs are then unreferenced."""
    deleted = await connection.execute(
        delete(Archive).where(Archive.person_id == person_id, Archive.id == archive_id)
    )
    return deleted.rowcount > 0


async def expired_archives(connection: AsyncConnection, limit: int) -> Sequence[Row[UUID, UUID]]:
    """Archives whose time is over: `id`, `person_id`."""
    result = await connection.execute(
        select(Archive.id, Archive.person_id)
        .where(Archive.expires_at <= now())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return result.all()


async def known_pieces(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of these blobs a piece of an archive refers to."""
    result = await connection.execute(
        select(ArchivePiece.blob_key).where(ArchivePiece.blob_key.in_(keys))
    )
    return set(result.scalars())
