"""Forms of the desk that opened a vault: a keyed tag of each, while it can be sent again."""

from datetime import datetime, timedelta

from sqlalchemy import Index, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class DeskForm(Base):
    """That a vault was opened by it: not which one, by whom, nor with which card."""

    __tablename__ = "desk_form"
    __table_args__ = (Index("ix_desk_form_sent_at", "sent_at"),)
    form_tag: Mapped[bytes] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime]


async def was_sent(connection: AsyncConnection, form_tag: bytes) -> bool:
    """Whether a form opened a vault already."""
    found = await connection.execute(select(DeskForm.form_tag).where(DeskForm.form_tag == form_tag))
    return found.first() is not None


async def note_sent(connection: AsyncConnection, form_tag: bytes, at: datetime) -> None:
    """Remember that a form opened a vault."""
    await connection.execute(insert(DeskForm).values(form_tag=form_tag, sent_at=at))


async def delete_old_forms(connection: AsyncConnection, kept: timedelta) -> int:
    """Delete those that nobody can send again."""
    deleted = await connection.execute(delete(DeskForm).where(DeskForm.sent_at < now() - kept))
    return deleted.rowcount
