"""A person's or a worker's own sessions, as they see them: since when, on what, from where."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import session_devices
from auth.records import sessions
from auth.services import CoreServices
from auth.session_devices import SessionDevice
from auth.subjects import Person, Worker
from auth.visitor import Visitor
from base.db_time import instant

Where = Literal["here", "same_network", "elsewhere"]


@dataclass(frozen=True, slots=True)
class SessionView:
    """One live session. `device`: a word of `auth.visitor.DEVICES`. `where`: compared with the
    request that asks; `here` is its own session. `shared`: its holder said that others use it."""

    id: UUID
    opened_at: datetime
    expires_at: datetime
    device: str
    where: Where
    shared: bool = False


@dataclass(frozen=True, slots=True)
class SessionList:
    """Someone's sessions, as they were `at` the time of the database."""

    at: datetime
    items: list[SessionView]


async def list_sessions(
    services: CoreServices, subject: Person | Worker, visitor: Visitor
) -> SessionList:
    """The subject's live sessions, the newest first. Rows that open nothing are left out; to a
    representative, all but theirs."""
    kind = subject.party.kind
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await sessions.live_sessions_of(tx, kind, subject.id)
        owner = session_devices.owner_of(kind, subject.id)
        writer = await services.field_encryption.writer(owner, tx)
        network = session_devices.network_tag(writer, subject.id, visitor)
        items = [
            await _view(services, tx, row, subject.session_id, network)
            for row in rows
            if macs.holds(sessions.SESSION_ROW, row) and _is_shown(subject, row.id)
        ]
        return SessionList(await instant(tx), items)


async def see_ended(
    services: CoreServices, subject: Person | Worker, session_id: UUID, visitor: Visitor
) -> SessionView | None:
    """One of the subject's own that was ended, to say which; None for any other, and once it is
    forgotten."""
    kind = subject.party.kind
    async with services.database.transaction() as tx:
        row = await sessions.ended_session_of(tx, kind, subject.id, session_id)
        if row is None:
            return None
        writer = await services.field_encryption.writer(
            session_devices.owner_of(kind, subject.id), tx
        )
        network = session_devices.network_tag(writer, subject.id, visitor)
        return await _view(services, tx, row, subject.session_id, network)


async def count_sessions(tx: AsyncConnection, subject: Person | Worker) -> int:
    """How many live sessions the subject has, in the caller's transaction."""
    return await sessions.count_live(tx, subject.party.kind, subject.id)


async def count_others(services: CoreServices, subject: Person | Worker) -> int:
    """How many live sessions the subject has beside this one; none told beside a worker, who reads
    this screen: one's own phone is one of them; nor to a representative."""
    if isinstance(subject, Person) and (subject.beside or subject.represented_by):
        return 0
    async with services.database.transaction() as tx:
        return await count_sessions(tx, subject) - 1


def _is_shown(subject: Person | Worker, session_id: UUID) -> bool:
    represented = isinstance(subject, Person) and subject.represented_by is not None
    return not represented or session_id == subject.session_id


async def _view(
    services: CoreServices,
    tx: AsyncConnection,
    row: Any,
    here: UUID | None,
    network: bytes,
) -> SessionView:
    device = await session_devices.open_device(services, tx, row)
    where = _where(device, row.id == here, network)
    return SessionView(row.id, row.created_at, row.expires_at, device.word, where, device.shared)


def _where(device: SessionDevice, here: bool, network: bytes) -> Where:
    if here:
        return "here"
    return "same_network" if device.shares_network(network) else "elsewhere"
