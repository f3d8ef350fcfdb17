"""Representatives of people under tutelle: the table and its SQL. Sessions are judged by it, so it
stands here and not in the folder of its subject."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records import code_rows
from auth.records.people import PersonRow
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs


class Representation(Base):
    """Whoever represents `person_id`, from their own vault `representative_id`.

    Begun by the person, whose digits the other one types; or by the representative, before there is
    a vault: then `person_id` is of the vault that a desk opens. A worker reads the judgement, which
    says until when (`ends_at`, the end of its last day). `code_tag`: a keyed tag of the digits of
    either step while they serve. Sealed, under the service's key: what each calls the other, the
    judgement, the digits, and the session that asked for them.
    """

    __tablename__ = "representation"
    __table_args__ = (
        CheckConstraint("person_id IS NOT NULL OR representative_id IS NOT NULL", name="somebody"),
        CheckConstraint("representative_id <> person_id", name="two"),
        CheckConstraint("(answered_at IS NULL) = (representative_id IS NULL)", name="answered"),
        CheckConstraint("(began_at IS NULL) = (ends_at IS NULL)", name="judgement"),
        CheckConstraint(
            "began_at IS NULL OR person_id IS NOT NULL AND answered_at IS NOT NULL", name="began"
        ),
        CheckConstraint("code_tag IS NULL OR ended_at IS NULL", name="code"),
        Index("uq_representation_code_tag", "code_tag", unique=True),
        Index("ix_representation_person_id", "person_id"),
        Index("ix_representation_representative_id", "representative_id"),
        Index("ix_representation_created_at", "created_at", postgresql_where="began_at IS NULL"),
        Index("ix_representation_ended_at", "ended_at", postgresql_where="ended_at IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    representative_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(PersonRow.id, ondelete="CASCADE")
    )
    code_tag: Mapped[bytes | None]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    began_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    mac: Mapped[bytes]


REPRESENTATION_ROW = RowFormat(
    "representation",
    (
        "id",
        "person_id",
        "representative_id",
        "code_tag",
        "sealed",
        "created_at",
        "answered_at",
        "began_at",
        "ends_at",
        "ended_at",
    ),
)
_REPRESENTATION = select(Representation.__table__, now().label("at"))


async def representation(
    connection: AsyncConnection, macs: RowMacs, representation_id: UUID
) -> Row[Any] | None:
    """One, and the current time `at`. Raises `RowAltered`."""
    found = await connection.execute(_REPRESENTATION.where(Representation.id == representation_id))
    return _checked(macs, found.one_or_none())


async def representation_to_change(
    connection: AsyncConnection, macs: RowMacs, representation_id: UUID
) -> Row[Any] | None:
    """The same, locked: of two changes at once, the second waits. Raises `RowAltered`."""
    query = _REPRESENTATION.where(Representation.id == representation_id).with_for_update()
    return _checked(macs, (await connection.execute(query)).one_or_none())


async def between(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID, representative_id: UUID
) -> Sequence[Row[Any]]:
    """Those that began between two vaults and were not ended, the last first, and the time `at`.
    Raises `RowAltered`."""
    query = _REPRESENTATION.where(
        Representation.person_id == person_id,
        Representation.representative_id == representative_id,
        Representation.began_at.is_not(None),
        Representation.ended_at.is_(None),
    ).order_by(Representation.began_at.desc())
    return _all_checked(macs, (await connection.execute(query)).all())


async def representation_of_code(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The one whose digits these are, living or expired, and the time `at`."""
    query = code_rows.not_typed_yet(_REPRESENTATION, Representation, code_tag)
    return (await connection.execute(query)).one_or_none()


async def representation_to_answer(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The same, locked. None while somebody else holds it: of two who type the digits at once, the
    second does not wait."""
    query = code_rows.to_type(_REPRESENTATION, Representation, code_tag)
    return (await connection.execute(query)).one_or_none()


async def representing(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Sequence[Row[Any]]:
    """By whom a person is represented, or named, the last first, and the time `at`. Raises
    `RowAltered`."""
    query = _REPRESENTATION.where(Representation.person_id == person_id)
    rows = (await connection.execute(query.order_by(Representation.id.desc()))).all()
    return _all_checked(macs, rows)


async def represented_by(
    connection: AsyncConnection, macs: RowMacs, representative_id: UUID
) -> Sequence[Row[Any]]:
    """Whom somebody represents, or is asked to, the last first, and the time `at`. Raises
    `RowAltered`."""
    query = _REPRESENTATION.where(Representation.representative_id == representative_id)
    rows = (await connection.execute(query.order_by(Representation.id.desc()))).all()
    return _all_checked(macs, rows)


async def unended_of(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """Those that were not ended, of either side, locked. Their MACs are the caller's to check."""
    either = or_(
        Representation.person_id == person_id, Representation.representative_id == person_id
    )
    query = _REPRESENTATION.where(either, Representation.ended_at.is_(None))
    found = await connection.execute(query.order_by(Representation.id).with_for_update())
    return found.all()


async def add_representation(connection: AsyncConnection, macs: RowMacs, **values: Any) -> bool:
    """Insert one that no judgement was read for; False when the digits are another's."""
    none = dict.fromkeys(
        ("person_id", "representative_id", "answered_at", "began_at", "ends_at", "ended_at")
    )
    row = macs.add(REPRESENTATION_ROW, {**none, **values})
    added = await connection.execute(code_rows.adding(Representation, row))
    return added.one_or_none() is not None


async def change_representation(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a locked one, which must be one of ours, and its MAC. Raises `RowAltered`."""
    change = code_rows.changing(Representation, REPRESENTATION_ROW, macs, row, values)
    await connection.execute(change)


async def drop_unanswered(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete what a person began, and nobody typed the digits of."""
    mine = Representation.person_id == person_id
    await connection.execute(
        delete(Representation).where(mine, Representation.answered_at.is_(None))
    )


async def delete_old_representations(
    connection: AsyncConnection, unbegun: timedelta, ended: timedelta
) -> None:
    """Delete what was begun so long ago without a judgement, and what was ended so long ago."""
    begun = Representation.created_at < now() - unbegun
    over = Representation.ended_at < now() - ended
    await connection.execute(delete(Representation).where(Representation.began_at.is_(None), begun))
    await connection.execute(
        delete(Representation).where(Representation.ended_at.is_not(None), over)
    )


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(REPRESENTATION_ROW, row)
    return row


def _all_checked(macs: RowMacs, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    for row in rows:
        macs.check(REPRESENTATION_ROW, row)
    return rows
