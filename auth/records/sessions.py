"""Sessions: an opaque token's hash, its subject, and its end."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Index,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from auth.records.recipients import OrganisationRow, WorkerRow
from base.database import Base
from base.db_time import now
from base.pipeline import Bound, Statement


class Session(Base):
    """An opaque token, hashed; one row per device."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('person', 'worker')", name="subject_kind"),
        Index("uq_session_token_hash", "token_hash", unique=True),
        Index("ix_session_subject_id", "subject_id"),
        Index("ix_session_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


# A live session and its subject, in one query; bind `token_hash`. No row without an existing person
# or an active worker: erasure and deactivation end every session at once.
_LIVE_SESSION = Statement(
    select(
        Session.id.label("session_id"),
        Session.subject_kind,
        Session.subject_id,
        PersonRow.language,
        (PersonRow.used_at < now() - timedelta(days=1)).label("not_used_today"),
        WorkerRow.organisation_id,
        WorkerRow.sealed.label("worker_sealed"),
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
        Session.token_hash == bindparam("token_hash"),
        Session.revoked_at.is_(None),
        Session.expires_at > now(),
        or_(PersonRow.id.is_not(None), WorkerRow.id.is_not(None)),
    )
)


async def add_session(connection: AsyncConnection, *, life: timedelta, **values: Any) -> datetime:
    """Insert a session; returns the instant at which it expires."""
    inserted = await connection.execute(
        insert(Session).values(expires_at=now() + life, **values).returning(Session.expires_at)
    )
    expires_at: datetime = inserted.scalar_one()
    return expires_at


def live_session(token_hash: bytes) -> Bound:
    """The live session of a token's hash, with its subject: one row or none."""
    return _LIVE_SESSION(token_hash=token_hash)


async def revoke_session(connection: AsyncConnection, session_id: UUID) -> bool:
    """End one session; False when it had ended already."""
    ended = await connection.execute(
        update(Session)
        .where(Session.id == session_id, Session.revoked_at.is_(None))
        .values(revoked_at=now())
        .returning(Session.id)
    )
    return ended.one_or_none() is not None


async def revoke_sessions_of(connection: AsyncConnection, subject_id: UUID) -> int:
    """End every session of a person or a worker; returns how many there were."""
    ended = await connection.execute(
        update(Session)
        .where(Session.subject_id == subject_id, Session.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    return ended.rowcount


async def delete_dead_sessions(connection: AsyncConnection) -> int:
    """Delete the sessions that have ended."""
    deleted = await connection.execute(
        delete(Session).where(or_(Session.expires_at <= now(), Session.revoked_at.is_not(None)))
    )
    return deleted.rowcount
