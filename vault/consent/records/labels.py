"""What workers call the people who gave them grants: the table and its SQL. A label is its worker's
alone: every query takes the worker."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, delete, exists, insert, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from auth.records.recipients import WorkerRow
from base.database import Base
from storage.row_macs import RowFormat
from vault.consent.records.grants import is_shown
from vault.tables import Grant


class PersonLabel(Base):
    """What a worker calls a person who gave them a grant. Sealed: the label. A changed label is
    another row: its id says which state was seen."""

    __tablename__ = "person_label"
    __table_args__ = (
        UniqueConstraint("worker_id", "person_id"),
        Index("ix_person_label_person_id", "person_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    worker_id: Mapped[UUID] = mapped_column(ForeignKey(WorkerRow.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    sealed: Mapped[bytes]
    mac: Mapped[bytes]


PERSON_LABEL_ROW = RowFormat("person_label", ("id", "worker_id", "person_id", "sealed"))


async def labels_of(connection: AsyncConnection, worker_id: UUID) -> Sequence[Row[Any]]:
    """Every label of a worker: some hundreds at most (`person_labels.MAX_LABELS`)."""
    result = await connection.execute(
        select(PersonLabel.__table__).where(PersonLabel.worker_id == worker_id)
    )
    return result.all()


async def add_label(connection: AsyncConnection, **values: Any) -> None:
    """Insert a label, with its MAC."""
    await connection.execute(insert(PersonLabel).values(**values))


async def delete_label(connection: AsyncConnection, worker_id: UUID, person_id: UUID) -> None:
    """Delete what a worker called a person."""
    await connection.execute(
        delete(PersonLabel).where(
            PersonLabel.worker_id == worker_id, PersonLabel.person_id == person_id
        )
    )


async def delete_old_labels(connection: AsyncConnection) -> None:
    """Delete the labels of people who are shown to their worker no more, and those of workers who
    were barred."""
    shown = exists().where(
        Grant.recipient_kind == "worker",
        Grant.recipient_id == PersonLabel.worker_id,
        Grant.person_id == PersonLabel.person_id,
        is_shown(),
    )
    active = exists().where(WorkerRow.id == PersonLabel.worker_id, WorkerRow.active)
    await connection.execute(delete(PersonLabel).where(or_(~shown, ~active)))
