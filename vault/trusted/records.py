"""Trusted people: the table and its SQL. A row of one that ended stays for a month: whoever was
removed is still told of a recovery for some days."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, or_, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records import code_rows
from auth.records.people import PersonRow
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs


class TrustedPerson(Base):
    """Digits that `person_id` shows and `trusted_id` types; their yes; and its end.

    `code_tag`: a keyed tag of the digits of the naming until they are typed; once it is accepted,
    of those that vouch, while they serve. Sealed, under the service's key: what each calls the
    other, the digits, and the session that asked for them.
    """

    __tablename__ = "trusted_person"
    __table_args__ = (
        CheckConstraint("trusted_id <> person_id", name="two"),
        CheckConstraint("(answered_at IS NULL) = (trusted_id IS NULL)", name="answered"),
        CheckConstraint("accepted_at IS NULL OR answered_at IS NOT NULL", name="accepted"),
        CheckConstraint(
            "code_tag IS NULL OR ended_at IS NULL"
            " AND (answered_at IS NULL OR accepted_at IS NOT NULL)",
            name="code",
        ),
        Index("uq_trusted_person_code_tag", "code_tag", unique=True),
        Index("ix_trusted_person_person_id", "person_id"),
        Index("ix_trusted_person_trusted_id", "trusted_id"),
        Index("ix_trusted_person_created_at", "created_at", postgresql_where="accepted_at IS NULL"),
        Index("ix_trusted_person_ended_at", "ended_at", postgresql_where="ended_at IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    trusted_id: Mapped[UUID | None] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    code_tag: Mapped[bytes | None]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    mac: Mapped[bytes]


TRUSTED_PERSON_ROW = RowFormat(
    "trusted_person",
    (
        "id",
        "person_id",
        "trusted_id",
        "code_tag",
        "sealed",
        "created_at",
        "answered_at",
        "accepted_at",
        "ended_at",
    ),
)
_NAMING = select(TrustedPerson.__table__, now().label("at"))
_NOBODY = UUID(int=0)


async def naming(connection: AsyncConnection, macs: RowMacs, naming_id: UUID) -> Row[Any] | None:
    """A naming, and the current time `at`. Raises `RowAltered`."""
    found = await connection.execute(_NAMING.where(TrustedPerson.id == naming_id))
    return _checked(macs, found.one_or_none())


async def naming_to_change(
    connection: AsyncConnection, macs: RowMacs, naming_id: UUID
) -> Row[Any] | None:
    """The same, locked: of two changes at once, the second waits. Raises `RowAltered`."""
    query = _NAMING.where(TrustedPerson.id == naming_id).with_for_update()
    return _checked(macs, (await connection.execute(query)).one_or_none())


async def naming_of_code(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The naming whose digits these are, living or expired, and the time `at`."""
    query = code_rows.not_typed_yet(_NAMING, TrustedPerson, code_tag)
    return (await connection.execute(query)).one_or_none()


async def naming_to_answer(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The same, locked. None while somebody else holds it: of two who type the digits at once, the
    second does not wait."""
    query = code_rows.to_type(_NAMING, TrustedPerson, code_tag)
    return (await connection.execute(query)).one_or_none()


async def trusted_by(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Sequence[Row[Any]]:
    """Whom a person named, the last first, and the time `at`. Raises `RowAltered`."""
    query = _NAMING.where(TrustedPerson.person_id == person_id).order_by(TrustedPerson.id.desc())
    return _all_checked(macs, (await connection.execute(query)).all())


async def trusting(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Sequence[Row[Any]]:
    """By whom somebody was named, the last first, and the time `at`. Raises `RowAltered`."""
    query = _NAMING.where(TrustedPerson.trusted_id == person_id).order_by(TrustedPerson.id.desc())
    return _all_checked(macs, (await connection.execute(query)).all())


async def living_of(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """Those that did not end, of either side, locked. Their MACs are the caller's to check."""
    either = or_(TrustedPerson.person_id == person_id, TrustedPerson.trusted_id == person_id)
    query = _NAMING.where(either, TrustedPerson.ended_at.is_(None)).order_by(TrustedPerson.id)
    return (await connection.execute(query.with_for_update())).all()


async def add_naming(connection: AsyncConnection, macs: RowMacs, **values: Any) -> bool:
    """Insert a naming whose digits nobody typed; False when the digits are another's."""
    none = dict.fromkeys(("trusted_id", "answered_at", "accepted_at", "ended_at"))
    row = macs.add(TRUSTED_PERSON_ROW, {**none, **values})
    added = await connection.execute(code_rows.adding(TrustedPerson, row))
    return added.one_or_none() is not None


async def change_naming(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a locked naming, which must be one of ours, and its MAC. Raises `RowAltered`."""
    change = code_rows.changing(TrustedPerson, TRUSTED_PERSON_ROW, macs, row, values)
    await connection.execute(change)


async def change_none(connection: AsyncConnection) -> None:
    """As costly as a change: of digits that do not serve."""
    nobody = TrustedPerson.id == _NOBODY
    await connection.execute(update(TrustedPerson).where(nobody).values(code_tag=None))


async def drop_unaccepted(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete what a person began, and nobody accepted."""
    mine = TrustedPerson.person_id == person_id
    unended = TrustedPerson.ended_at.is_(None)
    await connection.execute(
        delete(TrustedPerson).where(mine, TrustedPerson.accepted_at.is_(None), unended)
    )


async def delete_old_namings(
    connection: AsyncConnection, unaccepted: timedelta, ended: timedelta
) -> None:
    """Delete what was begun so long ago and not accepted, and what ended so long ago."""
    begun = TrustedPerson.created_at < now() - unaccepted
    over = TrustedPerson.ended_at < now() - ended
    await connection.execute(
        delete(TrustedPerson).where(TrustedPerson.accepted_at.is_(None), begun)
    )
    await connection.execute(delete(TrustedPerson).where(TrustedPerson.ended_at.is_not(None), over))


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(TRUSTED_PERSON_ROW, row)
    return row


def _all_checked(macs: RowMacs, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    for row in rows:
        macs.check(TRUSTED_PERSON_ROW, row)
    return rows
