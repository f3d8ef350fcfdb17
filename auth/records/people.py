"""People: a phone's keyed tag and sealed fields; nothing in clear to join on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, insert, select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class PersonRow(Base):
    """The owner of a vault. Sealed under their own key: phone, e-mail, name."""

    __tablename__ = "person"
    __table_args__ = (
        Index("uq_person_phone_tag", "phone_tag", unique=True),
        Index("uq_person_email_tag", "email_tag", unique=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_tag: Mapped[bytes | None]
    email_tag: Mapped[bytes | None]
    language: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    used_at: Mapped[datetime] = mapped_column(server_default=now())


async def person_by_phone(connection: AsyncConnection, phone_tag: bytes) -> Row[Any] | None:
    """The person of a phone, and `asleep`: unused for so long that the number may be another's."""
    asleep = (PersonRow.used_at < now() - text("interval '6 months'")).label("asleep")
    found = await connection.execute(
        select(PersonRow.__table__, asleep).where(PersonRow.phone_tag == phone_tag)
    )
    return found.one_or_none()


async def person(connection: AsyncConnection, person_id: UUID) -> Row[Any] | None:
    """One person's row."""
    found = await connection.execute(select(PersonRow.__table__).where(PersonRow.id == person_id))
    return found.one_or_none()


async def add_person(connection: AsyncConnection, **values: Any) -> None:
    """Open an empty vault."""
    await connection.execute(insert(PersonRow).values(**values))


async def touch_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Mark the vault as used: an unused one cannot be opened by a recycled number."""
    await connection.execute(
        update(PersonRow).where(PersonRow.id == person_id).values(used_at=now())
    )


async def delete_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Delete the row, and with it the rows that refer to it."""
    await connection.execute(delete(PersonRow).where(PersonRow.id == person_id))
