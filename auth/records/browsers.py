"""Browsers that signed in before: who with, when last, and the hash of their secret."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, delete, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat


class Browser(Base):
    """A browser that signed in to one account; it has another hash for each account.

    Rows are inserted and deleted, never changed.
    """

    __tablename__ = "browser"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('person', 'worker')", name="subject_kind"),
        Index("uq_browser_secret_hash", "secret_hash", unique=True),
        Index("ix_browser_subject_id", "subject_id"),
        Index("ix_browser_used_at", "used_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    secret_hash: Mapped[bytes]
    used_at: Mapped[datetime]
    mac: Mapped[bytes]


BROWSER_ROW = RowFormat("browser", ("id", "subject_kind", "subject_id", "secret_hash", "used_at"))


async def browser(
    connection: AsyncConnection, secret_hash: bytes, *, used_within: timedelta
) -> Row[Any] | None:
    """The browser of a hash, if it signed in lately."""
    found = await connection.execute(
        select(Browser.__table__).where(
            Browser.secret_hash == secret_hash, Browser.used_at > now() - used_within
        )
    )
    return found.one_or_none()


async def put_browser(connection: AsyncConnection, **values: Any) -> None:
    """Insert a browser, in the place of the row of the same hash."""
    await connection.execute(delete(Browser).where(Browser.secret_hash == values["secret_hash"]))
    await connection.execute(insert(Browser).values(**values))


async def keep_latest(connection: AsyncConnection, subject_id: UUID, limit: int) -> None:
    """Delete all but the browsers that signed in last."""
    latest = (
        select(Browser.id)
        .where(Browser.subject_id == subject_id)
        .order_by(Browser.used_at.desc(), Browser.id.desc())
        .limit(limit)
    )
    await connection.execute(
        delete(Browser).where(Browser.subject_id == subject_id, Browser.id.not_in(latest))
    )


async def delete_browsers_of(connection: AsyncConnection, subject_id: UUID) -> None:
    """Delete every browser of a person or a worker."""
    await connection.execute(delete(Browser).where(Browser.subject_id == subject_id))


async def delete_unused_browsers(connection: AsyncConnection, age: timedelta) -> int:
    """Delete the browsers that have not signed in for that long."""
    deleted = await connection.execute(delete(Browser).where(Browser.used_at < now() - age))
    return deleted.rowcount
