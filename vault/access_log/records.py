"""SQL of the access log: reports, statistics, exports, and the retention of each year's keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    and_,
    delete,
    exists,
    insert,
    literal,
    null,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from audit.events import ActorKind
from audit.records import OUTCOME_COLUMNS, AccessEvent, AccessOutcome, AuditKey
from audit.tlog.records import LogLeaf
from auth.records.people import PersonRow
from auth.records.recipients import ClientRow, WorkerRow
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs


async def accounts_of(
    connection: AsyncConnection, organisation_id: UUID
) -> Sequence[Row[str, UUID]]:
    """The accounts that an organisation has or had: `kind`, `id`."""
    result = await connection.execute(
        union_all(
            *(
                select(literal(kind.value).label("kind"), table.id).where(
                    table.organisation_id == organisation_id
                )
                for kind, table in ((ActorKind.WORKER, WorkerRow), (ActorKind.CLIENT, ClientRow))
            )
        )
    )
    return result.all()


async def actions_between(
    connection: AsyncConnection,
    actor_tags: Sequence[bytes],
    start: datetime,
    end: datetime,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Events of these actors on people's vaults, in `[start, end)`, ordered by time and id.

    `after`: the time and the id of the last one already read.
    """
    query = (
        select(AccessEvent.__table__, null().label("state"), null().label("outcome_mac"))
        .where(
            AccessEvent.actor_tag.in_(actor_tags),
            AccessEvent.person_tag.is_not(None),
            AccessEvent.at >= start,
            AccessEvent.at < end,
        )
        .order_by(AccessEvent.at, AccessEvent.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(AccessEvent.at, AccessEvent.id) > tuple_(*after))
    return (await connection.execute(query)).all()


async def integrated_events(
    connection: AsyncConnection, *, after: int, since: datetime | None, limit: int
) -> Sequence[Row[Any]]:
    """Events with a leaf index above `after`, ordered by it, each with its `leaf_index`."""
    query = (
        select(AccessEvent.__table__, *OUTCOME_COLUMNS, LogLeaf.index.label("leaf_index"))
        .join(LogLeaf, LogLeaf.event_id == AccessEvent.id)
        .outerjoin(AccessOutcome, AccessOutcome.event_id == AccessEvent.id)
        .where(LogLeaf.index > after)
        .order_by(LogLeaf.index)
        .limit(limit)
    )
    if since is not None:
        query = query.where(AccessEvent.at >= since)
    return (await connection.execute(query)).all()


class Report(Base):
    """A person says that an entry of their log is not normal. Sealed under their key: their words,
    the entry's date, action and actor, who was told, the answer. The MAC covers every column."""

    __tablename__ = "report"
    __table_args__ = (
        Index("uq_report_event_id", "event_id", unique=True),
        Index("ix_report_person_id", "person_id"),
        Index("ix_report_waiting", "id", postgresql_where="answered_at IS NULL"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    event_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    mac: Mapped[bytes]


REPORT_ROW = RowFormat(
    "report",
    ("id", "person_id", "event_id", "organisation_id", "sealed", "created_at", "answered_at"),
)


async def add_report(connection: AsyncConnection, **values: Any) -> None:
    """Insert a report."""
    await connection.execute(insert(Report).values(**values))


async def reports_on(
    connection: AsyncConnection, person_id: UUID, event_ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """The reports that a person made on these entries of their log."""
    result = await connection.execute(
        select(Report.__table__).where(
            Report.person_id == person_id, Report.event_id.in_(event_ids)
        )
    )
    return result.all()


async def reports(connection: AsyncConnection, *, waiting: bool, limit: int) -> Sequence[Row[Any]]:
    """For the operator: reports of everyone, oldest first; those without an answer, or the last
    that were made."""
    query = select(Report.__table__).limit(limit)
    if waiting:
        query = query.where(Report.answered_at.is_(None)).order_by(Report.id)
        return (await connection.execute(query)).all()
    rows = (await connection.execute(query.order_by(Report.id.desc()))).all()
    return rows[::-1]


async def report(connection: AsyncConnection, report_id: UUID) -> Row[Any] | None:
    """For the operator: one report, locked until the transaction ends."""
    result = await connection.execute(
        select(Report.__table__).where(Report.id == report_id).with_for_update()
    )
    return result.one_or_none()


async def answer_report(
    connection: AsyncConnection, report_id: UUID, *, sealed: bytes, at: datetime, mac: bytes
) -> None:
    """Write the answer of a report."""
    await connection.execute(
        update(Report).where(Report.id == report_id).values(sealed=sealed, answered_at=at, mac=mac)
    )


class LogWarning(Base):
    """A person was warned that a year of their log will become unreadable."""

    __tablename__ = "log_warning"
    owner_id: Mapped[UUID] = mapped_column(
        ForeignKey(PersonRow.id, ondelete="CASCADE"), primary_key=True
    )
    year: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


LOG_WARNING_ROW = RowFormat("log_warning", ("owner_id", "year", "at"))


async def unwarned_keys(
    connection: AsyncConnection, year: int, limit: int
) -> Sequence[Row[UUID | None, int]]:
    """People's keys of that year or before, without a warning so far: `owner_id`, `year`."""
    result = await connection.execute(
        select(AuditKey.owner_id, AuditKey.year)
        .join(PersonRow, PersonRow.id == AuditKey.owner_id)
        .where(AuditKey.year <= year, ~_warned())
        .order_by(AuditKey.owner_id, AuditKey.year)
        .limit(limit)
    )
    return result.all()


async def add_warning(
    connection: AsyncConnection, macs: RowMacs, owner_id: UUID, year: int, at: datetime
) -> bool:
    """Insert the warning of a person about a year; False when another process just did."""
    values = {"owner_id": owner_id, "year": year, "at": at}
    result = await connection.execute(
        upsert(LogWarning)
        .values(macs.add(LOG_WARNING_ROW, values))
        .on_conflict_do_nothing()
        .returning(LogWarning.year)
    )
    return result.one_or_none() is not None


async def due_keys(
    connection: AsyncConnection, year: int, notice: timedelta, *, after: UUID, limit: int
) -> Sequence[Any]:
    """Keys of that year or before: the service's, and those of people warned at least `notice` ago,
    with their warning, whose MAC the caller checks; in the order of their ids."""
    found = await connection.execute(
        select(AuditKey.id, AuditKey.owner_id, AuditKey.year, LogWarning.at, LogWarning.mac)
        .outerjoin(
            LogWarning,
            and_(LogWarning.owner_id == AuditKey.owner_id, LogWarning.year == AuditKey.year),
        )
        .where(
            AuditKey.year <= year,
            AuditKey.id > after,
            or_(AuditKey.owner_id.is_(None), LogWarning.at <= now() - notice),
        )
        .order_by(AuditKey.id)
        .limit(limit)
    )
    return found.all()


async def destroy_keys(
    connection: AsyncConnection, ids: Sequence[UUID]
) -> Sequence[Row[UUID | None, int]]:
    """Destroy these keys; returns `owner_id` and `year` of those that were still there."""
    result = await connection.execute(
        delete(AuditKey).where(AuditKey.id.in_(ids)).returning(AuditKey.owner_id, AuditKey.year)
    )
    return result.all()


async def delete_warning(connection: AsyncConnection, owner_id: UUID, year: int) -> None:
    """Delete the warning about a year whose key is destroyed."""
    await connection.execute(
        delete(LogWarning).where(LogWarning.owner_id == owner_id, LogWarning.year == year)
    )


def _warned(*when: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        LogWarning.owner_id == AuditKey.owner_id, LogWarning.year == AuditKey.year, *when
    )
