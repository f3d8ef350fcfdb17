"""Tables and SQL of the log. The service's role can insert and read here, nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now
from base.pipeline import Bound, Statement
from storage.row_macs import RowFormat, RowMacs


class AuditKey(Base):
    """One key pair per person and year: the public half seals events, the private half is sealed
    under the person's key. `owner_id` is null for the service's own events."""

    __tablename__ = "audit_key"
    __table_args__ = (
        Index(
            "uq_audit_key_owner_year",
            "owner_id",
            "year",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID | None]
    year: Mapped[int]
    public_key: Mapped[bytes]
    sealed_private_key: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


# The public half above all: events sealed to another one could be read by whoever put it there.
AUDIT_KEY_ROW = RowFormat("audit_key", ("id", "owner_id", "year", "public_key"))


class AccessEvent(Base):
    """One event of the log. Append-only, by role privileges and triggers (invariant 6)."""

    __tablename__ = "access_event"
    __table_args__ = (
        CheckConstraint("octet_length(commitment) = 32", name="commitment"),
        Index("ix_access_event_person_tag_at_id", "person_tag", "at", "id"),
        Index("ix_access_event_actor_tag_at_id", "actor_tag", "at", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    key_id: Mapped[UUID]
    person_tag: Mapped[bytes | None]
    actor_tag: Mapped[bytes | None]
    sealed: Mapped[bytes]
    commitment: Mapped[bytes]
    mac: Mapped[bytes | None]


# Sealing needs a public key only: the MAC is what tells the service's events from anyone's.
EVENT_ROW = RowFormat(
    "access_event", ("id", "at", "key_id", "person_tag", "actor_tag", "sealed", "commitment")
)


class AccessOutcome(Base):
    """Whether an allowed download was sent completely. A missing row means "not confirmed"."""

    __tablename__ = "access_outcome"
    __table_args__ = (CheckConstraint("state IN ('completed', 'interrupted')", name="state"),)
    event_id: Mapped[UUID] = mapped_column(ForeignKey(AccessEvent.id), primary_key=True)
    state: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


OUTCOME_ROW = RowFormat("access_outcome", ("event_id", "state"))

OUTCOME_COLUMNS = (AccessOutcome.state, AccessOutcome.mac.label("outcome_mac"))
"""What a query of events joins of their outcomes."""

_INSERT_EVENT = Statement(insert(AccessEvent), must_write=True)


# Two statements, not IS NOT DISTINCT FROM, which no index serves.
_AUDIT_KEY = select(AuditKey.__table__).where(AuditKey.year == bindparam("year", type_=Integer()))
_OWNERS_KEY = Statement(_AUDIT_KEY.where(AuditKey.owner_id == bindparam("owner")))
_SERVICES_KEY = Statement(_AUDIT_KEY.where(AuditKey.owner_id.is_(None)))


def audit_key(owner_id: UUID | None, year: int) -> Bound:
    """The key pair of an owner (or the service) and a year, one row or none; the caller checks its
    MAC."""
    if owner_id is None:
        return _SERVICES_KEY(year=year)
    return _OWNERS_KEY(owner=owner_id, year=year)


async def add_audit_key(connection: AsyncConnection, **values: Any) -> None:
    """Insert a new key pair; one that another process has just inserted stays."""
    await connection.execute(
        upsert(AuditKey)
        .values(**values)
        .on_conflict_do_nothing(index_elements=["owner_id", "year"])
    )


async def private_key(connection: AsyncConnection, key_id: UUID) -> Row[Any] | None:
    """A key pair by its id; the caller checks its MAC."""
    found = await connection.execute(select(AuditKey.__table__).where(AuditKey.id == key_id))
    return found.one_or_none()


def insert_event(**values: Any) -> Bound:
    """Append one event."""
    return _INSERT_EVENT(**values)


# Only of events that are there: one unknown id would stop the others of its batch for ever.
_ENDED = (
    func.unnest(
        bindparam("events", type_=ARRAY(Uuid())), bindparam("macs", type_=ARRAY(LargeBinary()))
    )
    .table_valued(column("event", Uuid()), column("mac", LargeBinary()))
    .render_derived()
)
_OUTCOMES = Statement(
    upsert(AccessOutcome)
    .from_select(
        ["event_id", "state", "mac"],
        select(AccessEvent.id, bindparam("state", type_=Text()), _ENDED.c.mac).join(
            _ENDED, _ENDED.c.event == AccessEvent.id
        ),
    )
    .on_conflict_do_nothing()
)


def outcomes(macs: RowMacs, events: Sequence[UUID], state: str) -> Bound:
    """Append outcomes that are all `completed` or all `interrupted`; a row already there stays, and
    an id that is no event's is left out."""
    row_macs = [macs.of(OUTCOME_ROW, {"event_id": event, "state": state}) for event in events]
    return _OUTCOMES(events=list(events), state=state, macs=row_macs)


async def events_of(
    connection: AsyncConnection,
    *,
    person_tag: bytes | None = None,
    actor_tag: bytes | None = None,
    before: UUID | None = None,
    event_id: UUID | None = None,
    limit: int = 50,
) -> Sequence[Row[Any]]:
    """Events of one person, or of one actor, newest first, each with its outcome's `state`.

    Newest by `at`, which is the database's clock. `before`: the last one already seen; an id that
    is not among them has none after it.
    """
    of = [
        (name, tag)
        for name, tag in (("person_tag", person_tag), ("actor_tag", actor_tag))
        if tag is not None
    ]
    query = (
        select(AccessEvent.__table__, *OUTCOME_COLUMNS)
        .outerjoin(AccessOutcome, AccessOutcome.event_id == AccessEvent.id)
        .where(*(getattr(AccessEvent, name) == tag for name, tag in of))
        .order_by(AccessEvent.at.desc(), AccessEvent.id.desc())
        .limit(limit)
    )
    if before is not None:
        seen = AccessEvent.__table__.alias("seen")
        theirs = (seen.c[name] == tag for name, tag in of)
        at = select(seen.c.at).where(seen.c.id == before, *theirs).scalar_subquery()
        query = query.where(tuple_(AccessEvent.at, AccessEvent.id) < tuple_(at, before))
    if event_id is not None:
        query = query.where(AccessEvent.id == event_id)
    return (await connection.execute(query)).all()
