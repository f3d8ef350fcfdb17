"""SQL of uploads, and of the sealed pieces that they consist of so far."""

from collections.abc import Sequence
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
    func,
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
from base.key_names import UPLOAD
from base.statements import Bound, Statement
from storage.envelopes import Address
from storage.row_macs import RowFormat, RowMacs


class Upload(Base):
    """A file that is being received, or that no document was made of yet. Sealed: what its sender
    says of it. `length` and `received`: in bytes, as the blobs of its pieces tell anyway.
    `refused`: its first bytes are of a type that is not taken."""

    __tablename__ = "upload"
    __table_args__ = (
        Index("ix_upload_person_id", "person_id"),
        Index("ix_upload_expires_at", "expires_at"),
        CheckConstraint("received >= 0 AND received <= length", name="received"),
        CheckConstraint("pieces >= 0", name="pieces"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    length: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    pieces: Mapped[int]
    refused: Mapped[bool]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    mac: Mapped[bytes]


UPLOAD_ROW = RowFormat(
    "upload",
    (
        "id",
        "person_id",
        "length",
        "received",
        "pieces",
        "refused",
        "sealed",
        "created_at",
        "expires_at",
    ),
)


class UploadPiece(Base):
    """One sealed blob of an upload: the bytes that follow those of the piece before. `envelope`
    holds its key and length, and is bound to all that this row says."""

    __tablename__ = "upload_piece"
    __table_args__ = (
        UniqueConstraint("upload_id", "position"),
        Index("uq_upload_piece_blob_key", "blob_key", unique=True),
        Index("ix_upload_piece_person_id", "person_id"),
        CheckConstraint("position >= 0", name="position"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    upload_id: Mapped[UUID] = mapped_column(ForeignKey(Upload.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    position: Mapped[int]
    blob_key: Mapped[str]
    envelope: Mapped[bytes]


def address_of(row: Any) -> Address:
    """A piece's row, as the address of a sealed file: its upload stands where a version does."""
    return Address(row.id, UPLOAD, row.upload_id, row.position, row.blob_key, row.envelope)


async def add_upload(connection: AsyncConnection, **values: Any) -> None:
    """Insert an upload's row."""
    await connection.execute(insert(Upload).values(**values))


async def upload(
    connection: AsyncConnection, person_id: UUID, upload_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """One upload of the person, if it has not expired; with `lock`, nobody else changes it before
    the transaction ends."""
    query = select(Upload.__table__).where(
        Upload.person_id == person_id, Upload.id == upload_id, Upload.expires_at > now()
    )
    if lock:
        query = query.with_for_update()
    return (await connection.execute(query)).one_or_none()


async def there(
    connection: AsyncConnection, person_id: UUID, upload_ids: Sequence[UUID]
) -> set[UUID]:
    """Which of these uploads of the person have not expired."""
    if not upload_ids:
        return set()
    result = await connection.execute(
        select(Upload.id).where(
            Upload.person_id == person_id, Upload.id.in_(upload_ids), Upload.expires_at > now()
        )
    )
    return set(result.scalars())


async def empty_uploads(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """The uploads of a person without a byte, newest first: papers that are being added."""
    result = await connection.execute(
        select(Upload.__table__)
        .where(Upload.person_id == person_id, Upload.length == 0, Upload.expires_at > now())
        .order_by(Upload.id.desc())
    )
    return result.all()


async def change_upload(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change an upload's row, which must be one of ours, and its MAC. Raises `RowAltered`."""
    macs.check(UPLOAD_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in UPLOAD_ROW.columns}
    await connection.execute(
        update(Upload)
        .where(Upload.person_id == row.person_id, Upload.id == row.id)
        .values(**values, mac=macs.of(UPLOAD_ROW, changed))
    )


async def open_uploads(connection: AsyncConnection, person_id: UUID) -> tuple[int, int]:
    """How many uploads of a person no document was made of yet, and their announced bytes."""
    result = await connection.execute(
        select(func.count(), func.coalesce(func.sum(Upload.length), 0)).where(
            Upload.person_id == person_id, Upload.expires_at > now()
        )
    )
    count, length = result.one()
    return int(count), int(length)


async def add_pieces(connection: AsyncConnection, pieces: Sequence[dict[str, Any]]) -> None:
    """Insert the rows of pieces whose blobs are already durable."""
    await connection.execute(insert(UploadPiece), pieces)


async def pieces_of(
    connection: AsyncConnection, person_id: UUID, upload_id: UUID
) -> Sequence[Row[Any]]:
    """The pieces of an upload, in order."""
    result = await connection.execute(
        select(UploadPiece.__table__)
        .where(UploadPiece.person_id == person_id, UploadPiece.upload_id == upload_id)
        .order_by(UploadPiece.position)
    )
    return result.all()


async def blob_keys_of(
    connection: AsyncConnection, person_id: UUID, upload_id: UUID | None = None
) -> list[str]:
    """The blob keys of an upload's pieces, or of all those of a vault."""
    query = select(UploadPiece.blob_key).where(UploadPiece.person_id == person_id)
    if upload_id is not None:
        query = query.where(UploadPiece.upload_id == upload_id)
    return list((await connection.execute(query)).scalars())


async def delete_upload(connection: AsyncConnection, person_id: UUID, upload_id: UUID) -> bool:
    """Delete an upload's rows; False if there was none. Its blobs are then unreferenced."""
    deleted = await connection.execute(
        delete(Upload).where(Upload.person_id == person_id, Upload.id == upload_id)
    )
    return deleted.rowcount > 0


_USE = Statement(
    delete(Upload)
    .where(Upload.person_id == bindparam("person"), Upload.id == bindparam("upload"))
    .returning(
        select(func.array_agg(UploadPiece.blob_key))
        .where(UploadPiece.upload_id == Upload.id)
        .scalar_subquery()
        .label("blob_keys")
    )
)


def use_upload(person_id: UUID, upload_id: UUID) -> Bound:
    """Deletes an upload's rows: one row with the `blob_keys` of its pieces, which are then
    unreferenced; none if there was no such upload."""
    return _USE(person=person_id, upload=upload_id)


async def expired_uploads(connection: AsyncConnection, limit: int) -> Sequence[Row[UUID, UUID]]:
    """Uploads whose time is over: `id`, `person_id`."""
    result = await connection.execute(
        select(Upload.id, Upload.person_id)
        .where(Upload.expires_at <= now())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return result.all()


async def known_pieces(connection: AsyncConnection, keys: Sequence[str]) -> set[str]:
    """Which of these blobs a piece of an upload refers to."""
    result = await connection.execute(
        select(UploadPiece.blob_key).where(UploadPiece.blob_key.in_(keys))
    )
    return set(result.scalars())
