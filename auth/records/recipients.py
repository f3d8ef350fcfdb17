"""Organisations, their workers and their clients. Sealed under the service's key."""

from collections.abc import Sequence
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
from storage.row_macs import RowFormat, RowMacs


class OrganisationRow(Base):
    """An association, a CCAS, an administration. Sealed: name, contact."""

    __tablename__ = "organisation"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class WorkerRow(Base):
    """A professional. Sealed: name, job, e-mail, phone, hours."""

    __tablename__ = "worker"
    __table_args__ = (
        Index("uq_worker_email_tag", "email_tag", unique=True),
        Index("ix_worker_organisation_id", "organisation_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(OrganisationRow.id))
    email_tag: Mapped[bytes]
    active: Mapped[bool]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


WORKER_ROW = RowFormat(
    "worker",
    ("id", "organisation_id", "email_tag", "active", "sealed", "created_at"),
    often=True,
)


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
    mac: Mapped[bytes | None]


CLIENT_ROW = RowFormat(
    "client",
    ("id", "organisation_id", "client_id", "jwks", "scope", "active", "sealed", "created_at"),
)


async def add_organisation(connection: AsyncConnection, **values: Any) -> None:
    """Insert an organisation."""
    await connection.execute(insert(OrganisationRow).values(**values))


async def change_organisation(
    connection: AsyncConnection, organisation_id: UUID, *, sealed: bytes
) -> None:
    """Change what is sealed of an organisation."""
    await connection.execute(
        update(OrganisationRow).where(OrganisationRow.id == organisation_id).values(sealed=sealed)
    )


async def add_worker(
    connection: AsyncConnection, macs: RowMacs, at: datetime, **values: Any
) -> bool:
    """Insert a worker; False when the e-mail belongs to another one."""
    added = await connection.execute(
        upsert(WorkerRow)
        .values(macs.add(WORKER_ROW, {"active": True, "created_at": at, **values}))
        .on_conflict_do_nothing(index_elements=["email_tag"])
        .returning(WorkerRow.id)
    )
    return added.one_or_none() is not None


async def add_client(
    connection: AsyncConnection, macs: RowMacs, at: datetime, **values: Any
) -> bool:
    """Insert a client; False when the identifier belongs to another one."""
    added = await connection.execute(
        upsert(ClientRow)
        .values(macs.add(CLIENT_ROW, {"active": True, "created_at": at, **values}))
        .on_conflict_do_nothing(index_elements=["client_id"])
        .returning(ClientRow.id)
    )
    return added.one_or_none() is not None


async def deactivate_worker(
    connection: AsyncConnection, macs: RowMacs, worker_id: UUID
) -> Row[Any] | None:
    """Bar a worker; their row before, or None when there is no active one. Raises `RowAltered`."""
    found = await connection.execute(
        select(WorkerRow.__table__)
        .where(WorkerRow.id == worker_id, WorkerRow.active)
        .with_for_update()
    )
    return await _deactivate(connection, macs, WORKER_ROW, WorkerRow, found.one_or_none())


async def deactivate_client(
    connection: AsyncConnection, macs: RowMacs, client_id: str
) -> Row[Any] | None:
    """Bar a client; its row before, or None when there is no active one. Raises `RowAltered`."""
    found = await connection.execute(
        select(ClientRow.__table__)
        .where(ClientRow.client_id == client_id, ClientRow.active)
        .with_for_update()
    )
    return await _deactivate(connection, macs, CLIENT_ROW, ClientRow, found.one_or_none())


async def _deactivate(
    connection: AsyncConnection,
    macs: RowMacs,
    row_format: RowFormat,
    table: type[WorkerRow | ClientRow],
    row: Row[Any] | None,
) -> Row[Any] | None:
    if row is None:
        return None
    macs.check(row_format, row)
    barred = {name: getattr(row, name) for name in row_format.columns} | {"active": False}
    await connection.execute(
        update(table)
        .where(table.id == row.id)
        .values(active=False, mac=macs.of(row_format, barred))
    )
    return row


async def organisation(connection: AsyncConnection, organisation_id: UUID) -> Row[Any] | None:
    """One organisation's row."""
    found = await connection.execute(
        select(OrganisationRow.__table__).where(OrganisationRow.id == organisation_id)
    )
    return found.one_or_none()


async def worker(connection: AsyncConnection, macs: RowMacs, worker_id: UUID) -> Row[Any] | None:
    """An active worker, with the organisation's sealed fields as `organisation_sealed`. Raises
    `RowAltered`."""
    found = await connection.execute(_WORKER.where(WorkerRow.id == worker_id))
    return _checked(macs, WORKER_ROW, found.one_or_none())


async def workers_after(
    connection: AsyncConnection, worker_id: UUID, limit: int
) -> Sequence[Row[Any]]:
    """The next active workers, in the order of their ids, after one. The caller checks each MAC."""
    query = _WORKER.where(WorkerRow.id > worker_id).order_by(WorkerRow.id).limit(limit)
    return (await connection.execute(query)).all()


async def worker_by_email(
    connection: AsyncConnection, macs: RowMacs, email_tag: bytes
) -> Row[Any] | None:
    """An active worker by the keyed tag of their work e-mail. Raises `RowAltered`."""
    found = await connection.execute(_WORKER.where(WorkerRow.email_tag == email_tag))
    return _checked(macs, WORKER_ROW, found.one_or_none())


async def client(connection: AsyncConnection, macs: RowMacs, client_id: str) -> Row[Any] | None:
    """An active client by its public identifier, and the database's `instant`. Raises
    `RowAltered`."""
    found = await connection.execute(_CLIENT.where(ClientRow.client_id == client_id))
    return _checked(macs, CLIENT_ROW, found.one_or_none())


async def client_by_id(connection: AsyncConnection, macs: RowMacs, id_: UUID) -> Row[Any] | None:
    """An active client by its row's id. Raises `RowAltered`."""
    found = await connection.execute(_CLIENT.where(ClientRow.id == id_))
    return _checked(macs, CLIENT_ROW, found.one_or_none())


def _checked(macs: RowMacs, row_format: RowFormat, row: Row[Any] | None) -> Row[Any] | None:
    if row is not None:
        macs.check(row_format, row)
    return row


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
