"""Sign-ins under way: a code that was sent or only seems so, and how often it was tried."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, case, delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class SignIn(Base):
    """A code that was sent or only seems so: the row is the same whether or not an account exists.

    Sealed under the service's key: the address. `used_at` is set when the right code is given.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'worker')", name="kind"),
        Index("ix_sign_in_address_tag_created_at", "address_tag", "created_at"),
        Index("ix_sign_in_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    address_tag: Mapped[bytes]
    sealed: Mapped[bytes]
    code_tag: Mapped[bytes]
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


async def recent(
    connection: AsyncConnection,
    address_tag: bytes,
    *,
    sent_within: timedelta,
    tried_within: timedelta,
) -> Row[int, datetime | None, int]:
    """Recent counts of an address: `sent` codes, the `oldest` of them, and `wrong` codes typed."""
    in_window = SignIn.created_at > now() - sent_within
    wrong = SignIn.attempts - case((SignIn.used_at.is_(None), 0), else_=1)
    result = await connection.execute(
        select(
            func.count().filter(in_window).label("sent"),
            func.min(SignIn.created_at).filter(in_window).label("oldest"),
            func.coalesce(func.sum(wrong), 0).label("wrong"),
        ).where(SignIn.address_tag == address_tag, SignIn.created_at > now() - tried_within)
    )
    return result.one()


async def add_sign_in(connection: AsyncConnection, **values: Any) -> None:
    """Insert a sign-in."""
    await connection.execute(insert(SignIn).values(attempts=0, **values))


async def sign_in(connection: AsyncConnection, sign_in_id: UUID) -> Row[Any] | None:
    """One sign-in, whatever its state."""
    found = await connection.execute(select(SignIn.__table__).where(SignIn.id == sign_in_id))
    return found.one_or_none()


async def count_attempt(connection: AsyncConnection, sign_in_id: UUID, limit: int) -> bool:
    """Count one attempt; False when the sign-in is exhausted, expired or used.

    The row stays locked until the transaction ends: of two right codes at once, one counts.
    """
    counted = await connection.execute(
        update(SignIn)
        .where(
            SignIn.id == sign_in_id,
            SignIn.attempts < limit,
            SignIn.used_at.is_(None),
            SignIn.expires_at > now(),
        )
        .values(attempts=SignIn.attempts + 1)
        .returning(SignIn.id)
    )
    return counted.one_or_none() is not None


async def use_sign_in(connection: AsyncConnection, sign_in_id: UUID) -> None:
    """Mark the code as used: it serves once."""
    await connection.execute(update(SignIn).where(SignIn.id == sign_in_id).values(used_at=now()))


async def delete_old_sign_ins(connection: AsyncConnection, age: timedelta) -> int:
    """Delete the sign-ins that no count reads any more."""
    deleted = await connection.execute(delete(SignIn).where(SignIn.created_at < now() - age))
    return deleted.rowcount
