"""Tables and SQL of floor 1: wrapped keys. An owner is an opaque id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base, now

SERVICE = "service"
OWNER = "owner"


class WrappedKey(Base):
    """One 32-byte secret, wrapped by a root version. Its row destroyed, all it sealed is noise."""

    __tablename__ = "wrapped_key"
    __table_args__ = (
        CheckConstraint("kind IN ('owner', 'service')", name="kind"),
        CheckConstraint("(kind = 'owner') = (owner_id IS NOT NULL)", name="owner"),
        CheckConstraint("(kind = 'service') = (use IS NOT NULL)", name="use"),
        Index("uq_wrapped_key_owner", "owner_id", unique=True),
        Index("uq_wrapped_key_use", "use", unique=True),
        Index("ix_wrapped_key_root_version", "root_version"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    owner_id: Mapped[UUID | None]
    use: Mapped[str | None]
    version: Mapped[int]
    root_version: Mapped[str]
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class RootVersion(Base):
    """A version of the root key: one active, the others kept until their date, then destroyed."""

    __tablename__ = "root_version"
    __table_args__ = (
        Index("uq_root_version_active", "active", unique=True, postgresql_where="active"),
        CheckConstraint("NOT (active AND retire_at IS NOT NULL)", name="active_lives"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    active: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    retire_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]


async def owner_key(connection: AsyncConnection, owner_id: UUID) -> Row[Any] | None:
    """The wrapped secret of an owner, or None when it was destroyed."""
    found = await connection.execute(
        select(WrappedKey.__table__).where(WrappedKey.owner_id == owner_id)
    )
    return found.one_or_none()


async def service_key(connection: AsyncConnection, use: str) -> Row[Any] | None:
    """The wrapped secret of one use of the service."""
    found = await connection.execute(select(WrappedKey.__table__).where(WrappedKey.use == use))
    return found.one_or_none()


async def add_key(  # one row, whole
    connection: AsyncConnection,
    *,
    key_id: UUID,
    kind: str,
    owner_id: UUID | None,
    use: str | None,
    root_version: str,
    wrapped: bytes,
) -> None:
    """Keep a new wrapped secret; a service key that another process just made wins."""
    statement = upsert(WrappedKey).values(
        id=key_id,
        kind=kind,
        owner_id=owner_id,
        use=use,
        version=1,
        root_version=root_version,
        wrapped=wrapped,
    )
    if kind == SERVICE:
        statement = statement.on_conflict_do_nothing(index_elements=["use"])
    await connection.execute(statement)


async def destroy_owner_key(connection: AsyncConnection, owner_id: UUID) -> None:
    """Destroy an owner's secret (invariant 8)."""
    await connection.execute(delete(WrappedKey).where(WrappedKey.owner_id == owner_id))


async def keys_under_other_roots(
    connection: AsyncConnection, active: str, limit: int
) -> Sequence[Row[Any]]:
    """A batch of secrets not yet re-wrapped, locked for this transaction."""
    found = await connection.execute(
        select(WrappedKey.__table__)
        .where(WrappedKey.root_version != active)
        .order_by(WrappedKey.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def rewrap(
    connection: AsyncConnection, key_id: UUID, root_version: str, wrapped: bytes
) -> None:
    """Put the same secret under another root version."""
    await connection.execute(
        update(WrappedKey)
        .where(WrappedKey.id == key_id)
        .values(root_version=root_version, wrapped=wrapped)
    )


async def active_root(connection: AsyncConnection) -> str | None:
    """The version that wraps today."""
    found = await connection.execute(select(RootVersion.id).where(RootVersion.active))
    return found.scalar_one_or_none()


async def add_root(
    connection: AsyncConnection, version: str, provider: str, retire_at: datetime | None = None
) -> None:
    """Make `version` the active one; the one before lives until `retire_at`."""
    await connection.execute(
        update(RootVersion).where(RootVersion.active).values(active=False, retire_at=retire_at)
    )
    await connection.execute(insert(RootVersion).values(id=version, provider=provider, active=True))
