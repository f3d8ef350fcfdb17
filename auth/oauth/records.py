"""Tables and SQL for access tokens: our sealed signing keys, and the assertions already used."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, case, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class SigningKeyRow(Base):
    """A private key that signs access tokens, sealed under the service's key.

    By `retired_at` its last token has certainly expired; it verifies until then.
    """

    __tablename__ = "signing_key"
    __table_args__ = (Index("uq_signing_key_kid", "kid", unique=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kid: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    retired_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """A client assertion's `jti`, hashed, kept until the assertion expires: it serves once."""

    __tablename__ = "used_assertion"
    __table_args__ = (Index("ix_used_assertion_expires_at", "expires_at"),)
    jti_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


async def signing_keys(connection: AsyncConnection, pause: timedelta) -> Sequence[Row[Any]]:
    """The keys that verify; the first one signs.

    The newest key older than `pause` signs, since every process has read it by then; while all are
    younger, the oldest.
    """
    known = SigningKeyRow.created_at <= now() - pause
    newest_known = case((known, SigningKeyRow.created_at))
    result = await connection.execute(
        select(SigningKeyRow.__table__)
        .where(or_(SigningKeyRow.retired_at.is_(None), SigningKeyRow.retired_at > now()))
        .order_by(newest_known.desc().nulls_last(), SigningKeyRow.created_at, SigningKeyRow.id)
    )
    return result.all()


async def add_signing_key(connection: AsyncConnection, **values: Any) -> None:
    """Insert a new signing key."""
    await connection.execute(insert(SigningKeyRow).values(**values))


async def retire_signing_keys(connection: AsyncConnection, after: timedelta) -> None:
    """Let every key in use verify for `after` longer, then no more."""
    await connection.execute(
        update(SigningKeyRow)
        .where(SigningKeyRow.retired_at.is_(None))
        .values(retired_at=now() + after)
    )


async def delete_retired_signing_keys(connection: AsyncConnection) -> int:
    """Delete the keys that no longer verify anything."""
    deleted = await connection.execute(
        delete(SigningKeyRow).where(SigningKeyRow.retired_at <= now())
    )
    return deleted.rowcount


async def use_assertion(connection: AsyncConnection, jti_hash: bytes, expires_at: datetime) -> bool:
    """Record an assertion; False when it is already there. Of two at once, one waits."""
    inserted = await connection.execute(
        upsert(UsedAssertion)
        .values(jti_hash=jti_hash, expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(UsedAssertion.expires_at)
    )
    return inserted.one_or_none() is not None


async def delete_expired_assertions(connection: AsyncConnection) -> int:
    """Delete the assertions that have expired."""
    deleted = await connection.execute(
        delete(UsedAssertion).where(UsedAssertion.expires_at <= now())
    )
    return deleted.rowcount
