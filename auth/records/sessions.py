"""Sessions: an opaque token's hash, its subject, and its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, aliased, mapped_column

from auth.records.people import PersonRow
from auth.records.recipients import WORKER_ROW, OrganisationRow, WorkerRow
from base.database import Base
from base.db_time import now
from base.statements import Bound, Statement
from storage.row_macs import RowFormat


class Session(Base):
    """An opaque token, hashed; one row per device.

    Sealed under the person's key, or the service's for a worker: the device's word and a tag of its
    network; None in rows of before. A session that ended has no `mac`: taking back its end alone
    does not bring it back.

    `worker_session_id`: of an assisted session, that of the worker, which is locked meanwhile; of a
    representative's in the vault of somebody else, their own. Its token names it as well, and what
    is sealed: where they differ, nothing opens, nor is locked.
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('person', 'worker')", name="subject_kind"),
        Index("uq_session_token_hash", "token_hash", unique=True),
        Index("ix_session_subject_id", "subject_id"),
        Index("ix_session_expires_at", "expires_at"),
        Index("ix_session_revoked_at", "revoked_at", postgresql_where="revoked_at IS NOT NULL"),
        Index(
            "ix_session_worker_session_id",
            "worker_session_id",
            postgresql_where="worker_session_id IS NOT NULL",
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    sealed: Mapped[bytes | None]
    mac: Mapped[bytes | None]
    worker_session_id: Mapped[UUID | None]


_MACED = ("id", "token_hash", "subject_kind", "subject_id", "created_at", "expires_at", "sealed")
SESSION_ROW = RowFormat("session", _MACED, often=True)
LIVE_SESSION_ROW = SESSION_ROW.prefixed("session_")
LIVE_WORKER_ROW = WORKER_ROW.prefixed("worker_")
"""For the rows of `live_session`."""

_WORKER = (*WORKER_ROW.columns, "mac")
_ENDED = {"revoked_at": now(), "mac": null()}

_Assisted = aliased(Session)
_LOCKED = exists().where(
    _Assisted.worker_session_id == Session.id,
    _Assisted.revoked_at.is_(None),
    _Assisted.expires_at > now(),
)
"""Whether a row says that an assisted session lives that was opened from this one; whether it does
is for `auth/session_locks.py` to say."""

# A live session and its subject, in one query. No row without an existing person or an active
# worker: erasure and deactivation end every session at once.
_LIVE = (
    select(
        *(getattr(Session, name).label(f"session_{name}") for name in (*_MACED, "mac")),
        Session.worker_session_id,
        _LOCKED.label("locked"),
        PersonRow.language,
        (PersonRow.used_at < now() - timedelta(days=1)).label("not_used_today"),
        *(
            getattr(WorkerRow, name).label(f"worker_{name}")
            for name in (*WORKER_ROW.columns, "mac")
        ),
        OrganisationRow.sealed.label("organisation_sealed"),
    )
    .outerjoin(
        PersonRow, and_(Session.subject_kind == "person", PersonRow.id == Session.subject_id)
    )
    .outerjoin(
        WorkerRow,
        and_(
            Session.subject_kind == "worker", WorkerRow.id == Session.subject_id, WorkerRow.active
        ),
    )
    .outerjoin(OrganisationRow, OrganisationRow.id == WorkerRow.organisation_id)
    .where(
        Session.revoked_at.is_(None),
        Session.expires_at > now(),
        or_(PersonRow.id.is_not(None), WorkerRow.id.is_not(None)),
    )
)
_LIVE_SESSION = Statement(_LIVE.where(Session.token_hash == bindparam("token_hash")))
_LIVE_BY_ID = Statement(_LIVE.where(Session.id == bindparam("session_id")))


async def add_session(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a session, with its `mac`."""
    await connection.execute(insert(Session).values(values))


def live_session(token_hash: bytes) -> Bound:
    """The live session of a token's hash, with its subject: one row or none."""
    return _LIVE_SESSION(token_hash=token_hash)


def live_session_by_id(session_id: UUID) -> Bound:
    """The same, of a session that another one names."""
    return _LIVE_BY_ID(session_id=session_id)


async def hold_session(connection: AsyncConnection, session_id: UUID) -> None:
    """Lock a session until the transaction ends: of two that begin something from it, one waits."""
    await connection.execute(select(Session.id).where(Session.id == session_id).with_for_update())


async def assisted_from(connection: AsyncConnection, worker_session_id: UUID) -> Sequence[Row[Any]]:
    """The rows of live sessions of people that say that they were opened from one of a worker. The
    caller MUST check that they were (`auth/session_locks.py`)."""
    found = await connection.execute(
        select(Session.__table__).where(
            Session.worker_session_id == worker_session_id,
            Session.subject_kind == "person",
            Session.revoked_at.is_(None),
            Session.expires_at > now(),
        )
    )
    return found.all()


async def live_sessions_of(
    connection: AsyncConnection, kind: str, subject_id: UUID
) -> Sequence[Row[Any]]:
    """The live sessions of a person or a worker, the newest first."""
    found = await connection.execute(
        select(Session.__table__).where(*_live_of(kind, subject_id)).order_by(Session.id.desc())
    )
    return found.all()


async def ended_session_of(
    connection: AsyncConnection, kind: str, subject_id: UUID, session_id: UUID
) -> Row[Any] | None:
    """One session of its subject that was ended before its time; None once it is swept. It has no
    `mac`: what its row says is to be told, and decides nothing."""
    found = await connection.execute(
        select(Session.__table__).where(
            Session.id == session_id,
            Session.subject_kind == kind,
            Session.subject_id == subject_id,
            Session.revoked_at.is_not(None),
        )
    )
    return found.one_or_none()


async def count_live(connection: AsyncConnection, kind: str, subject_id: UUID) -> int:
    """How many live sessions someone has."""
    counted = select(func.count()).where(*_live_of(kind, subject_id))
    return int((await connection.execute(counted)).scalar_one())


async def revoke_session(
    connection: AsyncConnection, kind: str, subject_id: UUID, session_id: UUID
) -> Row[Any] | None:
    """End one live session of its subject: the row that it was. None when there is none."""
    found = await connection.execute(
        select(Session.__table__)
        .where(*_live_of(kind, subject_id), Session.id == session_id)
        .with_for_update()
    )
    row = found.one_or_none()
    if row is not None:
        await connection.execute(update(Session).where(Session.id == session_id).values(_ENDED))
    return row


async def revoke_sessions_of(
    connection: AsyncConnection, kind: str, subject_id: UUID, *, but: UUID | None = None
) -> Sequence[UUID]:
    """End every live session of a person or a worker, `but` one; returns their ids, in order."""
    chosen = [*_live_of(kind, subject_id)]
    if but is not None:
        chosen.append(Session.id != but)
    ended = await connection.execute(
        update(Session).where(*chosen).values(_ENDED).returning(Session.id)
    )
    return sorted(ended.scalars())


def _live_of(kind: str, subject_id: UUID) -> tuple[Any, ...]:
    return (
        Session.subject_id == subject_id,
        Session.subject_kind == kind,
        Session.revoked_at.is_(None),
        Session.expires_at > now(),
    )


async def move_end(
    connection: AsyncConnection, session_id: UUID, expires_at: datetime, mac: bytes
) -> None:
    """Give a live session another end, with the `mac` of its row."""
    await connection.execute(
        update(Session)
        .where(Session.id == session_id, Session.revoked_at.is_(None))
        .values(expires_at=expires_at, mac=mac)
    )


async def delete_dead_sessions(connection: AsyncConnection) -> int:
    """Delete the sessions that have ended."""
    deleted = await connection.execute(
        delete(Session).where(or_(Session.expires_at <= now(), Session.revoked_at.is_not(None)))
    )
    return deleted.rowcount
