"""Tables and SQL of storage: wrapped keys and root versions. An owner is an opaque id."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.elements import ColumnElement

from base.database import Base
from base.db_time import now
from base.pipeline import Bound, Statement

SERVICE = "service"
OWNER = "owner"


class WrappedKey(Base):
    """A 32-byte secret, wrapped by a root version. Without its row, all it sealed is unreadable."""

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


_OWNER_KEY = Statement(
    select(WrappedKey.__table__).where(WrappedKey.owner_id == bindparam("owner"))
)


def owner_key(owner_id: UUID) -> Bound:
    """The wrapped secret of an owner: one row, or none when it was destroyed."""
    return _OWNER_KEY(owner=owner_id)


async def service_key(connection: AsyncConnection, use: str) -> Row[Any] | None:
    """The wrapped secret of one use of the service."""
    result = await connection.execute(select(WrappedKey.__table__).where(WrappedKey.use == use))
    return result.one_or_none()


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
    """Insert a new wrapped secret; a service key that another process just created is kept."""
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
    connection: AsyncConnection, active: str, limit: int, excluded: Collection[UUID] = ()
) -> Sequence[Row[Any]]:
    """A batch of secrets not yet re-wrapped, locked for this transaction; rows locked by another
    transaction are left out, as are the ids in `excluded`."""
    result = await connection.execute(
        select(WrappedKey.__table__)
        .where(_under_another(active), WrappedKey.id.not_in(excluded))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return result.all()


async def count_under_other_roots(connection: AsyncConnection, active: str) -> int:
    """How many secrets are not yet re-wrapped."""
    result = await connection.execute(
        select(func.count()).select_from(WrappedKey).where(_under_another(active))
    )
    return result.scalar_one()


def _under_another(active: str) -> ColumnElement[bool]:
    """`!=` as two ranges: these use the index, so that re-wrapped rows are not read again."""
    return or_(WrappedKey.root_version < active, WrappedKey.root_version > active)


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
    """The version that wraps new secrets."""
    result = await connection.execute(select(RootVersion.id).where(RootVersion.active))
    return result.scalar_one_or_none()


async def add_root(
    connection: AsyncConnection, version: str, provider: str, retention: timedelta = timedelta()
) -> None:
    """Make `version` the active one; the previous one is kept for `retention`."""
    await connection.execute(
        update(RootVersion)
        .where(RootVersion.active)
        .values(active=False, retire_at=now() + literal(retention))
    )
    await connection.execute(insert(RootVersion).values(id=version, provider=provider, active=True))


async def root_ids(connection: AsyncConnection) -> list[str]:
    """Every version that ever existed, the oldest first."""
    result = await connection.execute(select(RootVersion.id).order_by(RootVersion.created_at))
    return list(result.scalars())


async def retiring_roots(connection: AsyncConnection) -> list[tuple[str, datetime]]:
    """The former versions that still exist, each with its end date, the first to end first."""
    result = await connection.execute(
        select(RootVersion.id, RootVersion.retire_at)
        .where(RootVersion.destroyed_at.is_(None), RootVersion.retire_at.is_not(None))
        .order_by(RootVersion.retire_at, RootVersion.id)
    )
    return [(row.id, row.retire_at) for row in result]


async def due_roots(connection: AsyncConnection) -> list[str]:
    """The versions whose end date is past and which wrap nothing any more, locked."""
    # `==` as a range: this uses the index, where `==` is planned as a join that reads every key.
    used = exists().where(WrappedKey.root_version.between(RootVersion.id, RootVersion.id))
    result = await connection.execute(
        select(RootVersion.id)
        .where(RootVersion.destroyed_at.is_(None), RootVersion.retire_at <= now(), ~used)
        .order_by(RootVersion.retire_at)
        .with_for_update(skip_locked=True)
    )
    return list(result.scalars())


async def mark_destroyed(connection: AsyncConnection, version: str) -> None:
    """Record that a version no longer exists."""
    await connection.execute(
        update(RootVersion).where(RootVersion.id == version).values(destroyed_at=now())
    )


async def snapshot(connection: AsyncConnection) -> str:
    """Fix what this transaction sees; returns the snapshot's name for another connection."""
    await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    named = await connection.execute(text("SELECT pg_export_snapshot()"))
    return str(named.scalar_one())


async def roots_in_use(connection: AsyncConnection) -> list[str]:
    """The versions that wrap at least one secret."""
    result = await connection.execute(select(WrappedKey.root_version).distinct())
    return sorted(result.scalars())


async def state(connection: AsyncConnection) -> Row[Any]:
    """`at`: the database's time; `schema`: its migration; `server`: PostgreSQL's version number."""
    result = await connection.execute(
        text(
            "SELECT unefois.now() AS at, current_setting('server_version_num')::int AS server,"
            " (SELECT version_num FROM unefois.alembic_version) AS schema"
        )
    )
    return result.one()


async def is_empty(connection: AsyncConnection) -> bool:
    """Whether the database has no table."""
    result = await connection.execute(
        text(
            "SELECT NOT EXISTS (SELECT FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))"
        )
    )
    return bool(result.scalar_one())


async def has_role(connection: AsyncConnection, role: str) -> bool:
    """Whether the server has a role."""
    result = await connection.execute(
        text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"), {"role": role}
    )
    return bool(result.scalar_one())


async def sealed_files(connection: AsyncConnection) -> AsyncIterator[Row[Any]]:
    """Every sealed file (its columns but `created_at`) in the order of its blob's key.

    The table belongs to a layer above, so it is named in SQL only.
    """
    rows = await connection.stream(
        text(
            "SELECT id, person_id, role, version_id, position, blob_key, envelope"
            " FROM unefois.sealed_file"
            ' ORDER BY blob_key COLLATE "C"'
        )
    )
    async for row in rows:
        yield row
