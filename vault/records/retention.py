"""Tables and SQL of the log's retention: who was warned, and the keys whose time has come."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, delete, exists, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from audit.records import AuditKey
from auth.records.people import Person
from base.database import Base, now


class LogWarning(Base):
    """That a person was told that a year of their log will say nothing any more."""

    __tablename__ = "log_warning"
    owner_id: Mapped[UUID] = mapped_column(
        ForeignKey(Person.id, ondelete="CASCADE"), primary_key=True
    )
    year: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=now())


async def to_warn(
    connection: AsyncConnection, year: int, limit: int
) -> Sequence[Row[UUID | None, int]]:
    """Keys of people, of that year or before, of which nobody was warned: `owner_id`, `year`."""
    found = await connection.execute(
        select(AuditKey.owner_id, AuditKey.year)
        .join(Person, Person.id == AuditKey.owner_id)
        .where(AuditKey.year <= year, ~_warned())
        .order_by(AuditKey.owner_id, AuditKey.year)
        .limit(limit)
    )
    return found.all()


async def add_warning(connection: AsyncConnection, owner_id: UUID, year: int) -> bool:
    """Note that a person is warned of a year; False when another process just did."""
    added = await connection.execute(
        upsert(LogWarning)
        .values(owner_id=owner_id, year=year)
        .on_conflict_do_nothing()
        .returning(LogWarning.year)
    )
    return added.one_or_none() is not None


async def destroy_keys(
    connection: AsyncConnection, year: int, notice: timedelta, limit: int
) -> Sequence[Row[UUID | None, int]]:
    """Destroy keys of that year or before: the service's, and those of people who were warned
    `notice` ago; `owner_id` and `year` of each."""
    due = (
        select(AuditKey.id)
        .where(
            AuditKey.year <= year,
            or_(AuditKey.owner_id.is_(None), _warned(LogWarning.at <= now() - notice)),
        )
        .limit(limit)
    )
    destroyed = await connection.execute(
        delete(AuditKey).where(AuditKey.id.in_(due)).returning(AuditKey.owner_id, AuditKey.year)
    )
    return destroyed.all()


async def forget_warning(connection: AsyncConnection, owner_id: UUID, year: int) -> None:
    """The year is gone: nobody need be told any more."""
    await connection.execute(
        delete(LogWarning).where(LogWarning.owner_id == owner_id, LogWarning.year == year)
    )


def _warned(*when: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        LogWarning.owner_id == AuditKey.owner_id, LogWarning.year == AuditKey.year, *when
    )
