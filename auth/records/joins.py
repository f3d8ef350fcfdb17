"""Joins of two vaults of one person: the table and its SQL. A row of a join that was made stays,
and says for good in which vault another one ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records import code_rows
from base.database import SCHEMA, Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs

_PERSON = f"{SCHEMA}.person.id"


class VaultJoin(Base):
    """A code that is shown in the vault of `person_id`, which will end, and typed in that of
    `stays_id`; and, once its person said yes, when they were joined.

    `code_tag`: a keyed tag of the digits while they serve; none once they were typed. Sealed, under
    the service's key: the session that asked; the digits, until then.
    """

    __tablename__ = "vault_join"
    __table_args__ = (
        CheckConstraint("stays_id <> person_id", name="two"),
        CheckConstraint("(answered_at IS NULL) = (stays_id IS NULL)", name="answered"),
        CheckConstraint("answered_at IS NULL OR code_tag IS NULL", name="code"),
        CheckConstraint("joined_at IS NULL OR answered_at IS NOT NULL", name="joined"),
        Index("uq_vault_join_code_tag", "code_tag", unique=True),
        Index("ix_vault_join_person_id", "person_id"),
        Index("ix_vault_join_stays_id", "stays_id"),
        Index("ix_vault_join_created_at", "created_at", postgresql_where="joined_at IS NULL"),
        Index(
            "uq_vault_join_ended",
            "person_id",
            unique=True,
            postgresql_where="joined_at IS NOT NULL",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(_PERSON, ondelete="CASCADE"))
    stays_id: Mapped[UUID | None] = mapped_column(ForeignKey(_PERSON, ondelete="CASCADE"))
    code_tag: Mapped[bytes | None]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    joined_at: Mapped[datetime | None]
    mac: Mapped[bytes]


VAULT_JOIN_ROW = RowFormat(
    "vault_join",
    (
        "id",
        "person_id",
        "stays_id",
        "code_tag",
        "sealed",
        "created_at",
        "answered_at",
        "joined_at",
    ),
)
_JOIN = select(VaultJoin.__table__, now().label("at"))


async def join(connection: AsyncConnection, macs: RowMacs, join_id: UUID) -> Row[Any] | None:
    """A join, and the current time `at`. Raises `RowAltered`."""
    found = await connection.execute(_JOIN.where(VaultJoin.id == join_id))
    return _checked(macs, found.one_or_none())


async def join_to_change(
    connection: AsyncConnection, macs: RowMacs, join_id: UUID
) -> Row[Any] | None:
    """The same, locked: of two yeses at once, the second waits. Raises `RowAltered`."""
    found = await connection.execute(_JOIN.where(VaultJoin.id == join_id).with_for_update())
    return _checked(macs, found.one_or_none())


async def join_of_code(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The join of a code that was not typed yet, living or expired, and the time `at`."""
    query = code_rows.not_typed_yet(_JOIN, VaultJoin, code_tag)
    return (await connection.execute(query)).one_or_none()


async def join_to_answer(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The same, locked. None while somebody else holds it: of two who type the code at once, the
    second does not wait."""
    query = code_rows.to_type(_JOIN, VaultJoin, code_tag)
    return (await connection.execute(query)).one_or_none()


async def ended_in(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> Row[Any] | None:
    """The join by which a vault ended in another one. Raises `RowAltered`."""
    found = await connection.execute(
        _JOIN.where(VaultJoin.person_id == person_id, VaultJoin.joined_at.is_not(None))
    )
    return _checked(macs, found.one_or_none())


async def joins_into(
    connection: AsyncConnection, macs: RowMacs, person_id: UUID
) -> Sequence[Row[Any]]:
    """The joins by which other vaults ended in this one, the last first. Raises `RowAltered`."""
    found = await connection.execute(
        _JOIN.where(VaultJoin.stays_id == person_id, VaultJoin.joined_at.is_not(None)).order_by(
            VaultJoin.joined_at.desc(), VaultJoin.id.desc()
        )
    )
    rows = found.all()
    for row in rows:
        macs.check(VAULT_JOIN_ROW, row)
    return rows


async def add_join(connection: AsyncConnection, macs: RowMacs, **values: Any) -> bool:
    """Insert a join whose code nobody typed; False when the code is another's."""
    row = {"stays_id": None, "answered_at": None, "joined_at": None, **values}
    added = await connection.execute(code_rows.adding(VaultJoin, macs.add(VAULT_JOIN_ROW, row)))
    return added.one_or_none() is not None


async def change_join(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a locked join, which must be one of ours, and its MAC. Raises `RowAltered`."""
    await connection.execute(code_rows.changing(VaultJoin, VAULT_JOIN_ROW, macs, row, values))


async def drop_unmade(connection: AsyncConnection, person_id: UUID) -> bool:
    """Delete what was begun from a vault, and not made; whether there was something."""
    dropped = await connection.execute(
        delete(VaultJoin)
        .where(VaultJoin.person_id == person_id, VaultJoin.joined_at.is_(None))
        .returning(VaultJoin.id)
    )
    return bool(dropped.all())


async def delete_old_joins(connection: AsyncConnection, age: timedelta) -> None:
    """Delete what was begun so long ago, and not made: it is over."""
    await connection.execute(
        delete(VaultJoin).where(VaultJoin.joined_at.is_(None), VaultJoin.created_at < now() - age)
    )


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(VAULT_JOIN_ROW, row)
    return row
