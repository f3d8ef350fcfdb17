"""The closing of the service that its operator announced, and what was done of it for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.joins import VaultJoin
from auth.records.people import PersonRow
from auth.records.recipients import WorkerRow
from base.database import Base
from base.db_time import now
from base.statements import Bound, Statement
from storage.row_macs import RowFormat, RowMacs

EXPORTED = "exported"
"""The step of who took their papers away; the others are notices."""


class ClosingRow(Base):
    """`ends_at`: when the last day of the service is over. One at a time is not cancelled; none is
    ever deleted."""

    __tablename__ = "closing"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    announced_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    mac: Mapped[bytes]


class ClosingStep(Base):
    """What was done for a person or a worker, once: a notice, or their export.

    `way`: by what. `done_at`: when they were told; None while they were not, as far as is known:
    those without a phone, or whose number nobody used for six months, until their next visit.
    """

    __tablename__ = "closing_step"
    __table_args__ = (
        CheckConstraint("num_nonnulls(person_id, worker_id) = 1", name="subject"),
        CheckConstraint("way IN ('sms', 'email', 'page')", name="way"),
        Index("uq_closing_step_person", "person_id", "closing_id", "step", unique=True),
        Index("uq_closing_step_worker", "worker_id", "closing_id", "step", unique=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    closing_id: Mapped[UUID]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey(WorkerRow.id))
    step: Mapped[str]
    way: Mapped[str]
    done_at: Mapped[datetime | None]
    mac: Mapped[bytes]


CLOSING_ROW = RowFormat("closing", ("id", "ends_at", "announced_at", "cancelled_at"))
CLOSING_STEP_ROW = RowFormat(
    "closing_step", ("id", "closing_id", "person_id", "worker_id", "step", "way", "done_at")
)
_AT = now().label("at")
_ANNOUNCED = Statement(
    select(ClosingRow.__table__, _AT)
    .where(ClosingRow.cancelled_at.is_(None))
    .order_by(ClosingRow.id.desc())
    .limit(1)
)


def announced_closing() -> Bound:
    """The closing that was announced last and not cancelled, with the time `at`; or none. The
    caller checks its MAC."""
    return _ANNOUNCED()


async def last_closing(connection: AsyncConnection, macs: RowMacs) -> Row[Any] | None:
    """The closing that was announced last, cancelled or not, with the time `at`. Raises
    `RowAltered`."""
    found = await connection.execute(
        select(ClosingRow.__table__, _AT).order_by(ClosingRow.id.desc()).limit(1)
    )
    row = found.one_or_none()
    if row is not None:
        macs.check(CLOSING_ROW, row)
    return row


async def add_closing(connection: AsyncConnection, macs: RowMacs, **values: Any) -> None:
    """Insert a closing."""
    row = {"cancelled_at": None, **values}
    await connection.execute(insert(ClosingRow).values(macs.add(CLOSING_ROW, row)))


async def cancel_closing(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], cancelled_at: datetime
) -> None:
    """Cancel one that was announced."""
    changed = {name: getattr(row, name) for name in CLOSING_ROW.columns}
    changed["cancelled_at"] = cancelled_at
    await connection.execute(
        update(ClosingRow)
        .where(ClosingRow.id == row.id)
        .values(cancelled_at=cancelled_at, mac=macs.of(CLOSING_ROW, changed))
    )


async def steps_of_people(
    connection: AsyncConnection, closing_id: UUID, person_ids: Sequence[UUID]
) -> Sequence[Any]:
    """What was done for some people: `person_id` and `step`. A row that is not the service's keeps
    a notice back, which reconciling names."""
    found = await connection.execute(
        select(ClosingStep.person_id, ClosingStep.step).where(
            ClosingStep.person_id.in_(person_ids), ClosingStep.closing_id == closing_id
        )
    )
    return found.all()


async def steps_of_workers(
    connection: AsyncConnection, closing_id: UUID, worker_ids: Sequence[UUID]
) -> Sequence[Any]:
    """The same for some workers: `worker_id` and `step`."""
    found = await connection.execute(
        select(ClosingStep.worker_id, ClosingStep.step).where(
            ClosingStep.worker_id.in_(worker_ids), ClosingStep.closing_id == closing_id
        )
    )
    return found.all()


async def add_step(connection: AsyncConnection, macs: RowMacs, **values: Any) -> bool:
    """Note what is done for a person or a worker; False when it was done before. The caller MUST
    do it in the same transaction, and only then."""
    row = {"person_id": None, "worker_id": None, **values}
    added = await connection.execute(
        upsert(ClosingStep)
        .values(macs.add(CLOSING_STEP_ROW, row))
        .on_conflict_do_nothing()
        .returning(ClosingStep.id)
    )
    return added.one_or_none() is not None


async def unseen_steps(
    connection: AsyncConnection, closing_id: UUID, person_id: UUID
) -> Sequence[Row[Any]]:
    """The notices of a closing that a person did not see, as far as is known."""
    found = await connection.execute(
        select(ClosingStep.__table__).where(
            ClosingStep.person_id == person_id,
            ClosingStep.closing_id == closing_id,
            ClosingStep.done_at.is_(None),
        )
    )
    return found.all()


async def note_done(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], way: str, done_at: datetime
) -> None:
    """Note that somebody saw a notice, and by what."""
    changed = {name: getattr(row, name) for name in CLOSING_STEP_ROW.columns}
    changed |= {"way": way, "done_at": done_at}
    await connection.execute(
        update(ClosingStep)
        .where(ClosingStep.id == row.id, ClosingStep.done_at.is_(None))
        .values(way=way, done_at=done_at, mac=macs.of(CLOSING_STEP_ROW, changed))
    )


_ENDED = select(VaultJoin.person_id).where(VaultJoin.joined_at.is_not(None))
_ACTIVE = select(WorkerRow.id).where(WorkerRow.active)


async def count_told(connection: AsyncConnection, closing_id: UUID) -> Sequence[Row[Any]]:
    """How many of those who are still there were told of a closing, by what they were told first:
    `is_worker`, `way`, `told`."""
    is_worker = func.num_nonnulls(ClosingStep.worker_id).label("is_worker")
    subject = func.coalesce(ClosingStep.person_id, ClosingStep.worker_id)
    first = (
        select(is_worker, ClosingStep.way)
        .where(
            ClosingStep.closing_id == closing_id,
            ClosingStep.step != EXPORTED,
            ClosingStep.done_at.is_not(None),
            or_(ClosingStep.person_id.not_in(_ENDED), ClosingStep.worker_id.in_(_ACTIVE)),
        )
        .ext(distinct_on(subject))
        .order_by(subject, ClosingStep.done_at)
        .subquery()
    )
    counted = select(first.c.is_worker, first.c.way, func.count().label("told"))
    found = await connection.execute(counted.group_by(first.c.is_worker, first.c.way))
    return found.all()


async def count_exported(connection: AsyncConnection, closing_id: UUID) -> int:
    """How many people took their papers away since a closing was announced."""
    found = await connection.execute(
        select(func.count())
        .select_from(ClosingStep)
        .where(
            ClosingStep.closing_id == closing_id,
            ClosingStep.step == EXPORTED,
            ClosingStep.person_id.not_in(_ENDED),
        )
    )
    return int(found.scalar_one())


async def count_there(connection: AsyncConnection) -> Any:
    """How many vaults did not end in another, and how many workers are not barred: `people`,
    `workers`."""
    people = select(func.count()).select_from(PersonRow).where(PersonRow.id.not_in(_ENDED))
    workers = select(func.count()).select_from(WorkerRow).where(WorkerRow.active)
    found = await connection.execute(
        select(people.scalar_subquery().label("people"), workers.scalar_subquery().label("workers"))
    )
    return found.one()
