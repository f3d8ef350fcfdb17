"""Organisations, their workers and their clients. Sealed under the service's key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now


class OrganisationRow(Base):
    """An association, a CCAS, an administration. Sealed: name, contact."""

    __tablename__ = "organisation"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class WorkerRow(Base):
    """A professional. Sealed: name, job, e-mail, phone, hours."""

    __tablename__ = "worker"
    __table_args__ = (Index("uq_worker_email_tag", "email_tag", unique=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(OrganisationRow.id))
    email_tag: Mapped[bytes]
    active: Mapped[bool]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class ClientRow(Base):
    """An administration's system. `jwks` holds public keys only. Sealed: name, contact."""

    __tablename__ = "client"
    __table_args__ = (Index("uq_client_client_id", "client_id", unique=True),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(OrganisationRow.id))
    client_id: Mapped[str]
    jwks: Mapped[dict[str, Any]] = mapped_column(JSONB)
    scope: Mapped[str]
    active: Mapped[bool]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


async def add_organisation(connection: AsyncConnection, **values: Any) -> None:
    """Insert an organisation."""
    await connection.execute(insert(OrganisationRow).values(**values))


async def add_worker(connection: AsyncConnection, **values: Any) -> bool:
    """Insert a worker; False when the e-mail belongs to another one."""
    added = await connection.execute(
        upsert(WorkerRow)
        .values(active=True, **values)
        .on_conflict_do_nothing(index_elements=["email_tag"])
        .returning(WorkerRow.id)
    )
    return added.one_or_none() is not None


async def add_client(connection: AsyncConnection, **values: Any) -> bool:
    """Insert a client; False when the identifier belongs to another one."""
    added = await connection.execute(
        upsert(ClientRow)
        .values(active=True, **values)
        .on_conflict_do_nothing(index_elements=["client_id"])
        .returning(ClientRow.id)
    )
    return added.one_or_none() is not None


async def deactivate_worker(connection: AsyncConnection, worker_id: UUID) -> UUID | None:
    """Bar a worker; the organisation, or None when there is no active one."""
    barred = await connection.execute(
        update(WorkerRow)
        .where(WorkerRow.id == worker_id, WorkerRow.active)
        .values(active=False)
        .returning(WorkerRow.organisation_id)
    )
    return barred.scalar_one_or_none()


async def deactivate_client(connection: AsyncConnection, client_id: str) -> Row[UUID, UUID] | None:
    """Bar a client; `id` and `organisation_id`, or None when there is no active one."""
    barred = await connection.execute(
        update(ClientRow)
        .where(ClientRow.client_id == client_id, ClientRow.active)
        .values(active=False)
        .returning(ClientRow.id, ClientRow.organisation_id)
    )
    return barred.one_or_none()


async def organisation(connection: AsyncConnection, organisation_id: UUID) -> Row[Any] | None:
    """One organisation's row."""
    found = await connection.execute(
        select(OrganisationRow.__table__).where(OrganisationRow.id == organisation_id)
    )
    return found.one_or_none()


async def worker(connection: AsyncConnection, worker_id: UUID) -> Row[Any] | None:
    """An active worker, with the organisation's sealed fields as `organisation_sealed`."""
    found = await connection.execute(_WORKER.where(WorkerRow.id == worker_id))
    return found.one_or_none()


async def worker_by_email(connection: AsyncConnection, email_tag: bytes) -> Row[Any] | None:
    """An active worker by the keyed tag of their work e-mail."""
    found = await connection.execute(_WORKER.where(WorkerRow.email_tag == email_tag))
    return found.one_or_none()


async def client(connection: AsyncConnection, client_id: str) -> Row[Any] | None:
    """An active client by its public identifier, and the database's `instant`."""
    found = await connection.execute(_CLIENT.where(ClientRow.client_id == client_id))
    return found.one_or_none()


_WORKER = (
    select(WorkerRow.__table__, OrganisationRow.sealed.label("organisation_sealed"))
    .join(OrganisationRow, OrganisationRow.id == WorkerRow.organisation_id)
    .where(WorkerRow.active)
)
_CLIENT = (
    select(
        ClientRow.__table__,
        OrganisationRow.sealed.label("organisation_sealed"),
        now().label("instant"),
    )
    .join(OrganisationRow, OrganisationRow.id == ClientRow.organisation_id)
    .where(ClientRow.active)
)
