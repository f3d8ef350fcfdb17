"""Meetings of a person and a worker who stand face to face: the table and its SQL."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records import code_rows
from auth.records.people import PersonRow
from auth.records.recipients import WorkerRow
from auth.subjects import Party
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs

_BOTH = "person_id IS NOT NULL AND worker_id IS NOT NULL"
_AGREED = "person_agreed_at IS NOT NULL AND worker_agreed_at IS NOT NULL"


class Meeting(Base):
    """A code that one side shows and the other types, and what becomes of it.

    `code_tag`: a keyed tag of the six digits while they serve; none once they were typed. The side
    that did not open it is empty until then. Sealed, under the service's key: the secret that the
    common word is drawn from, who the worker is, and what the person wants to be called. After the
    erasure of its person it is over, without them and without any of these.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        CheckConstraint("opened_by IN ('person', 'worker')", name="opened_by"),
        CheckConstraint(
            "CASE opened_by WHEN 'person' THEN person_id ELSE worker_id END IS NOT NULL"
            " OR ended_at IS NOT NULL",
            name="opener",
        ),
        CheckConstraint(
            f"answered_at IS NULL OR (code_tag IS NULL AND (({_BOTH}) OR ended_at IS NOT NULL))",
            name="answered",
        ),
        CheckConstraint(f"used_at IS NULL OR ({_AGREED})", name="used"),
        Index("uq_meeting_code_tag", "code_tag", unique=True),
        Index("ix_meeting_person_id", "person_id"),
        Index("ix_meeting_worker_id", "worker_id"),
        Index("ix_meeting_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    opened_by: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    worker_id: Mapped[UUID | None] = mapped_column(ForeignKey(WorkerRow.id, ondelete="CASCADE"))
    code_tag: Mapped[bytes | None]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    person_agreed_at: Mapped[datetime | None]
    worker_agreed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    mac: Mapped[bytes]


MEETING_ROW = RowFormat(
    "meeting",
    (
        "id",
        "opened_by",
        "person_id",
        "worker_id",
        "code_tag",
        "sealed",
        "created_at",
        "answered_at",
        "person_agreed_at",
        "worker_agreed_at",
        "ended_at",
        "used_at",
    ),
)
_MEETING = select(Meeting.__table__, now().label("at"))


async def meeting(connection: AsyncConnection, meeting_id: UUID) -> Row[Any] | None:
    """A meeting, and the current time `at`."""
    found = await connection.execute(_MEETING.where(Meeting.id == meeting_id))
    return found.one_or_none()


async def meeting_to_change(connection: AsyncConnection, meeting_id: UUID) -> Row[Any] | None:
    """A locked meeting, and the current time `at`: of two changes at once, the second waits."""
    found = await connection.execute(_MEETING.where(Meeting.id == meeting_id).with_for_update())
    return found.one_or_none()


async def meeting_of_code(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The meeting of a code that was not typed yet, living or expired, and the time `at`."""
    found = await connection.execute(code_rows.not_typed_yet(_MEETING, Meeting, code_tag))
    return found.one_or_none()


async def meeting_to_answer(connection: AsyncConnection, code_tag: bytes) -> Row[Any] | None:
    """The same, locked. None while somebody else holds it: of two who type the code at once, the
    second does not wait."""
    found = await connection.execute(code_rows.to_type(_MEETING, Meeting, code_tag))
    return found.one_or_none()


async def unanswered_meetings(connection: AsyncConnection, opener: Party) -> list[Row[Any]]:
    """The meetings of one account whose code was not typed, locked."""
    side = Meeting.person_id if opener.kind == "person" else Meeting.worker_id
    found = await connection.execute(
        _MEETING.where(
            side == opener.id, Meeting.opened_by == opener.kind, Meeting.code_tag.is_not(None)
        ).with_for_update()
    )
    return list(found)


async def met_workers(connection: AsyncConnection, person_id: UUID) -> list[Row[Any]]:
    """The meetings of a person that a worker is in too, locked."""
    found = await connection.execute(
        _MEETING.where(
            Meeting.person_id == person_id, Meeting.worker_id.is_not(None)
        ).with_for_update()
    )
    return list(found)


async def delete_unmet(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete the meetings of a person that no worker is in: nobody types their codes any more."""
    await connection.execute(
        delete(Meeting).where(Meeting.person_id == person_id, Meeting.worker_id.is_(None))
    )


async def agreed_meetings(
    connection: AsyncConnection, person_id: UUID, worker_id: UUID
) -> list[Row[Any]]:
    """The meetings of two to which both said yes, and the time `at`."""
    found = await connection.execute(
        _MEETING.where(
            Meeting.person_id == person_id,
            Meeting.worker_id == worker_id,
            Meeting.person_agreed_at.is_not(None),
            Meeting.worker_agreed_at.is_not(None),
        )
    )
    return list(found)


async def add_meeting(connection: AsyncConnection, **values: Any) -> bool:
    """Insert a meeting, with its MAC; False when its code is another's."""
    added = await connection.execute(code_rows.adding(Meeting, values))
    return added.one_or_none() is not None


async def change_meeting(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a locked meeting, which must be one of ours, and its MAC. Raises `RowAltered`."""
    await connection.execute(code_rows.changing(Meeting, MEETING_ROW, macs, row, values))


async def delete_old_meetings(connection: AsyncConnection, age: timedelta) -> None:
    """Delete the meetings that began so long ago: they are over."""
    await connection.execute(delete(Meeting).where(Meeting.created_at < now() - age))
