"""Recoveries: the table and its SQL. A row ties the vault that was opened at the desk to the one
that is to be opened again, if one was found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, and_, delete, exists, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Exists

from auth.records import code_rows
from base.database import SCHEMA, Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs
from vault.recovery.recovery_rules import OPEN_WITHIN


class Recovery(Base):
    """`former_id`: the vault that was found, or none; no key refers to it, so that the row says the
    same once that vault is erased. `code_tag`: of the code by which another agent goes on;
    `stop_tag`: of the digits that stop it. `earliest_at`: what its agents are told; `opens_at`:
    from when on its person may open it.

    Sealed, under the service's key: its agents, what each read and found, the means shown. Neither
    a name of the person nor their birth date.
    """

    __tablename__ = "recovery"
    __table_args__ = (
        CheckConstraint("former_id <> waiting_id", name="two"),
        CheckConstraint("(complete_at IS NULL) = (earliest_at IS NULL)", name="complete"),
        CheckConstraint("opens_at IS NULL OR complete_at IS NOT NULL", name="opens"),
        CheckConstraint(
            "opened_at IS NULL"
            " OR (opens_at IS NOT NULL AND opened_at >= opens_at AND ended_at IS NULL)",
            name="opened",
        ),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        CheckConstraint(
            "ended_by IN ('holder', 'session', 'phone', 'trusted', 'worker', 'waiting', 'lapse')",
            name="ended_by",
        ),
        Index("uq_recovery_waiting_id", "waiting_id", unique=True),
        Index("uq_recovery_code_tag", "code_tag", unique=True),
        Index("uq_recovery_stop_tag", "stop_tag", unique=True),
        Index(
            "ix_recovery_opens_at",
            "opens_at",
            postgresql_where="ended_at IS NULL AND opened_at IS NULL",
        ),
        Index("ix_recovery_began_at", "began_at", postgresql_where="opened_at IS NULL"),
        Index("ix_recovery_former_id", "former_id", postgresql_where="former_id IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    waiting_id: Mapped[UUID] = mapped_column(ForeignKey(f"{SCHEMA}.person.id", ondelete="CASCADE"))
    former_id: Mapped[UUID | None]
    code_tag: Mapped[bytes | None]
    stop_tag: Mapped[bytes | None]
    began_at: Mapped[datetime]
    complete_at: Mapped[datetime | None]
    earliest_at: Mapped[datetime | None]
    opens_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    reminded_at: Mapped[datetime | None]
    sealed: Mapped[bytes]
    mac: Mapped[bytes]


RECOVERY_ROW = RowFormat(
    "recovery",
    (
        "id",
        "waiting_id",
        "former_id",
        "code_tag",
        "stop_tag",
        "began_at",
        "complete_at",
        "earliest_at",
        "opens_at",
        "opened_at",
        "ended_at",
        "ended_by",
        "reminded_at",
        "sealed",
    ),
)
_EMPTY = dict.fromkeys(RECOVERY_ROW.columns)
_NOBODY = UUID(int=0)
REMINDED_BEFORE = timedelta(days=1)
_UNDER_WAY = and_(Recovery.ended_at.is_(None), Recovery.opened_at.is_(None))
_RECOVERY = select(Recovery.__table__, now().label("at"))


def is_waited_for(person_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> Exists:
    """Whether what a vault holds may still be opened by a recovery: it is neither erased nor purged
    meanwhile. One that is not enough as it stands holds nothing back."""
    lives = Recovery.opens_at > now() - OPEN_WITHIN
    return exists().where(Recovery.former_id == person_id, _UNDER_WAY, lives)


async def of_code(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The recovery of a code, and the current time `at`; not believed before it is locked."""
    found = await connection.execute(_RECOVERY.where(Recovery.code_tag == code_tag))
    return found.one_or_none()


async def of_code_to_change(
    connection: AsyncConnection, macs: RowMacs, code_tag: bytes
) -> Row[Any] | None:
    """The same, locked: of two second agents at once, the other waits. Raises `RowAltered`."""
    query = _RECOVERY.where(Recovery.code_tag == code_tag).with_for_update()
    return _checked(macs, (await connection.execute(query)).one_or_none())


async def recovery_to_change(
    connection: AsyncConnection, macs: RowMacs, recovery_id: UUID
) -> Row[Any] | None:
    """One recovery, locked, and the current time `at`. Raises `RowAltered`."""
    query = _RECOVERY.where(Recovery.id == recovery_id).with_for_update()
    return _checked(macs, (await connection.execute(query)).one_or_none())


async def of_stop(connection: AsyncConnection, stop_tag: bytes) -> Row[Any] | None:
    """The recovery that these digits stop; not believed before it is locked."""
    found = await connection.execute(_RECOVERY.where(Recovery.stop_tag == stop_tag))
    return found.one_or_none()


async def due_for_reminder(
    connection: AsyncConnection, limit: int
) -> Sequence[Row[UUID, UUID, UUID | None]]:
    """Those that may be opened within a day, and of which nobody was reminded: `id`, `waiting_id`,
    `former_id`. Not believed before they are locked."""
    found = await connection.execute(
        select(Recovery.id, Recovery.waiting_id, Recovery.former_id)
        .where(
            _UNDER_WAY,
            Recovery.opens_at > now(),
            Recovery.opens_at <= now() + REMINDED_BEFORE,
            Recovery.reminded_at.is_(None),
            Recovery.former_id.is_not(None),
        )
        .order_by(Recovery.opens_at)
        .limit(limit)
    )
    return found.all()


async def delete_old(connection: AsyncConnection, age: timedelta) -> None:
    """Delete those that began so long ago, and opened nothing."""
    old = Recovery.began_at < now() - age
    await connection.execute(delete(Recovery).where(Recovery.opened_at.is_(None), old))


async def of_former(
    connection: AsyncConnection, macs: RowMacs, former_id: UUID, within: timedelta
) -> Sequence[Row[Any]]:
    """Those of one vault that began lately, whatever became of them. Raises `RowAltered`."""
    found = await connection.execute(
        _RECOVERY.where(Recovery.former_id == former_id, Recovery.began_at > now() - within)
    )
    rows = found.all()
    for row in rows:
        macs.check(RECOVERY_ROW, row)
    return rows


async def of_waiting(
    connection: AsyncConnection, macs: RowMacs, waiting_id: UUID
) -> Row[Any] | None:
    """The recovery of a vault that waits, and the current time `at`. Raises `RowAltered`."""
    found = await connection.execute(_RECOVERY.where(Recovery.waiting_id == waiting_id))
    return _checked(macs, found.one_or_none())


async def of_waiting_to_change(
    connection: AsyncConnection, macs: RowMacs, waiting_id: UUID
) -> Row[Any] | None:
    """The same, locked: of two openings at once, the other waits. Raises `RowAltered`."""
    query = _RECOVERY.where(Recovery.waiting_id == waiting_id).with_for_update()
    return _checked(macs, (await connection.execute(query)).one_or_none())


async def opened_of(
    connection: AsyncConnection, macs: RowMacs, former_id: UUID, recovery_id: UUID | None = None
) -> Row[Any] | None:
    """The recovery by which a vault was opened again: the last one, where none is named. Raises
    `RowAltered`."""
    query = _RECOVERY.where(Recovery.former_id == former_id, Recovery.opened_at.is_not(None))
    if recovery_id is not None:
        query = query.where(Recovery.id == recovery_id)
    query = query.order_by(Recovery.opened_at.desc(), Recovery.id.desc()).limit(1)
    found = await connection.execute(query)
    return _checked(macs, found.one_or_none())


async def add(connection: AsyncConnection, macs: RowMacs, **values: Any) -> bool:
    """Insert a recovery; False when its code is another's."""
    row = macs.add(RECOVERY_ROW, _EMPTY | values)
    added = await connection.execute(code_rows.adding(Recovery, row))
    return added.one_or_none() is not None


async def change(connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any) -> None:
    """Change a locked recovery, which must be one of ours, and its MAC. Raises `RowAltered`."""
    await connection.execute(code_rows.changing(Recovery, RECOVERY_ROW, macs, row, values))


async def change_none(connection: AsyncConnection) -> None:
    """As costly as a change: of digits that stop nothing."""
    nobody = Recovery.id == _NOBODY
    values = dict.fromkeys(("ended_at", "ended_by"))
    await connection.execute(update(Recovery).where(nobody).values(**values, mac=b""))


async def leave(connection: AsyncConnection, macs: RowMacs, person_id: UUID) -> None:
    """A vault that is erased is nobody's former one any more; a row of nobody's bars no erasure."""
    query = _RECOVERY.where(Recovery.former_id == person_id).with_for_update()
    for row in (await connection.execute(query)).all():
        if macs.holds(RECOVERY_ROW, row):
            await change(connection, macs, row, former_id=None)


def _checked(macs: RowMacs, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(RECOVERY_ROW, row)
    return row
