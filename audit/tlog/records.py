"""Tables and SQL of the transparency log: leaves, checkpoints, its key, the sequencer's sleep.

The sequencer uses psycopg on the one connection that holds its lock, where each statement is a
transaction; all other code uses the engine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import BigInteger, CheckConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from audit.tlog.merkle import HASH, CompactRange
from base import clock, locks
from base.database import Base
from base.db_time import now

CHANNEL = "unefois_event"
"""Notified by the trigger on `access_event` while the sequencer sleeps."""

Connection = psycopg.AsyncConnection[Any]


class LogLeaf(Base):
    """One leaf: its index, its event, its entry. Insert-only; one leaf per event and per index."""

    __tablename__ = "log_leaf"
    __table_args__ = (
        CheckConstraint("index >= 0", name="index"),
        CheckConstraint("octet_length(entry) = 64", name="entry"),
    )
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(unique=True)
    entry: Mapped[bytes]


class LogCheckpoint(Base):
    """One signed checkpoint, public or not. Insert-only; the root of a size never changes."""

    __tablename__ = "log_checkpoint"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size"),
        CheckConstraint("octet_length(root) = 32", name="root"),
    )
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    frontier: Mapped[bytes]
    note: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(server_default=now())


class LogKey(Base):
    """The log's name and key: one row that never changes. The private half is sealed."""

    __tablename__ = "log_key"
    __table_args__ = (
        CheckConstraint("one", name="one"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
    )
    one: Mapped[bool] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    origin: Mapped[str]
    public_key: Mapped[bytes]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class LogWatch(Base):
    """Whether the sequencer sleeps and must be woken."""

    __tablename__ = "log_watch"
    __table_args__ = (CheckConstraint("one", name="one"),)
    one: Mapped[bool] = mapped_column(primary_key=True)
    asleep: Mapped[bool]


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as stored."""

    size: int
    root: bytes
    frontier: bytes = field(repr=False)
    note: bytes = field(repr=False)

    @property
    def range(self) -> CompactRange:
        """The right edge, from `frontier`. Raises `ValueError` when it is not one."""
        starts = range(0, len(self.frontier), HASH)
        return CompactRange(self.size, [self.frontier[at : at + HASH] for at in starts])


# For the sequencer, on its connection

# `l.event_id > after` is redundant, but lets the planner read only that part of the index.
_FIND = """
    SELECT e.id FROM unefois.access_event e
    WHERE e.id > %(after)s AND e.id <= %(upto)s AND NOT EXISTS (
        SELECT FROM unefois.log_leaf l
        WHERE l.event_id = e.id AND l.event_id > %(after)s AND l.event_id <= %(upto)s)
    ORDER BY e.id LIMIT %(limit)s
"""
_RANGE_END = """
    SELECT id FROM unefois.access_event WHERE id > %(after)s ORDER BY id OFFSET %(length)s LIMIT 1
"""
_INTEGRATE = """
    INSERT INTO unefois.log_leaf (index, event_id, entry)
    SELECT %(first)s + row_number() OVER (ORDER BY id) - 1, id, commitment || sha256(sealed)
    FROM unefois.access_event WHERE id = ANY(%(ids)s)
    RETURNING index, entry
"""
_ENTRIES = """
    SELECT entry FROM unefois.log_leaf WHERE index >= %s AND index < %s ORDER BY index
"""
_NEWEST = "SELECT size, root, frontier, note FROM unefois.log_checkpoint ORDER BY size DESC LIMIT 1"
_ADD = """
    INSERT INTO unefois.log_checkpoint (size, root, frontier, note)
    VALUES (%(size)s, %(root)s, %(frontier)s, %(note)s)
"""
_SLEEP = "UPDATE unefois.log_watch SET asleep = %(asleep)s WHERE asleep <> %(asleep)s"


async def take_lock(connection: Connection) -> bool:
    """Take the sequencer's lock for the life of this connection; False while another holds it."""
    rows = await _rows(connection, "SELECT pg_try_advisory_lock(%(lock)s)", lock=locks.SEQUENCER)
    return bool(rows[0][0])


async def now_of(connection: Connection) -> datetime:
    """The database's clock."""
    sent = clock.monotonic()
    instant: datetime = (await _rows(connection, "SELECT unefois.now()"))[0][0]
    clock.learn(instant, sent, clock.monotonic())
    return instant


async def find_pending(connection: Connection, after: UUID, upto: UUID, limit: int) -> list[UUID]:
    """The first `limit` events in `(after, upto]` that have no leaf, in order of id."""
    rows = await _rows(connection, _FIND, after=after, upto=upto, limit=limit)
    return [row[0] for row in rows]


async def range_end(connection: Connection, after: UUID, length: int) -> UUID | None:
    """The id of the event `length` places after the first one after `after`; None past the last."""
    rows = await _rows(connection, _RANGE_END, after=after, length=length)
    return rows[0][0] if rows else None


async def integrate(connection: Connection, first: int, ids: Sequence[UUID]) -> list[bytes]:
    """Insert leaves for these events, in order of id, indexes from `first` on; returns the entries.

    One statement, a transaction of its own, committed on return. Raises
    `psycopg.errors.UniqueViolation` when another sequencer was faster: then nothing is inserted.
    """
    rows = await _rows(connection, _INTEGRATE, first=first, ids=list(ids))
    rows.sort()
    return [bytes(entry) for _, entry in rows]


async def entries_between(connection: Connection, first: int, end: int) -> list[bytes]:
    """The entries of the leaves `[first, end)` that exist, in order."""
    cursor = connection.cursor(binary=True)
    await cursor.execute(_ENTRIES, (first, end))
    return [bytes(row[0]) for row in await cursor.fetchall()]


async def leaf_count(connection: Connection) -> int:
    """How many leaves there are: indexes have no gap."""
    rows = await _rows(connection, "SELECT coalesce(max(index) + 1, 0) FROM unefois.log_leaf")
    return int(rows[0][0])


async def newest_signed(connection: Connection) -> Signed | None:
    """The newest checkpoint."""
    rows = await _rows(connection, _NEWEST)
    return Signed(*rows[0]) if rows else None


async def add_signed(connection: Connection, signed: Signed) -> None:
    """Store a checkpoint, committed on return. `UniqueViolation` when that size already has one."""
    values = {"size": signed.size, "root": signed.root}
    await connection.execute(_ADD, {**values, "frontier": signed.frontier, "note": signed.note})


async def set_asleep(connection: Connection, asleep: bool) -> None:
    """Set whether commits of events must notify the sequencer."""
    await connection.execute(_SLEEP, {"asleep": asleep})


async def _rows(connection: Connection, query: str, **values: object) -> list[tuple[Any, ...]]:
    cursor = connection.cursor(binary=True)
    await cursor.execute(query.encode(), values)
    return await cursor.fetchall()


# For all other code, through the engine

_CHECKPOINTS = select(
    LogCheckpoint.size, LogCheckpoint.root, LogCheckpoint.frontier, LogCheckpoint.note
)


async def log_key(connection: AsyncConnection) -> Row[Any] | None:
    """The log's name and key: `id`, `origin`, `public_key`, `sealed`."""
    return (await connection.execute(select(LogKey.__table__))).one_or_none()


async def add_log_key(connection: AsyncConnection, **values: Any) -> None:
    """Insert it; one that another process has just inserted stays."""
    await connection.execute(upsert(LogKey).values(one=True, **values).on_conflict_do_nothing())


async def leaf_of(connection: AsyncConnection, event_id: UUID) -> tuple[int, bytes] | None:
    """The leaf of an event: its index and its entry."""
    result = await connection.execute(
        select(LogLeaf.index, LogLeaf.entry).where(LogLeaf.event_id == event_id)
    )
    row = result.one_or_none()
    return None if row is None else (row[0], row[1])


async def newest_checkpoint(connection: AsyncConnection) -> Signed | None:
    """The newest checkpoint, public or not."""
    row = (
        await connection.execute(_CHECKPOINTS.order_by(LogCheckpoint.size.desc()).limit(1))
    ).one_or_none()
    return None if row is None else Signed(*row)


async def first_checkpoint_over(connection: AsyncConnection, index: int) -> Signed | None:
    """The smallest checkpoint whose tree has this leaf. It only changes when a smaller one is kept,
    of a size that was drawn."""
    row = (
        await connection.execute(
            _CHECKPOINTS.where(LogCheckpoint.size > index).order_by(LogCheckpoint.size).limit(1)
        )
    ).one_or_none()
    return None if row is None else Signed(*row)


async def keep_signed(connection: AsyncConnection, signed: Signed) -> None:
    """Keep a checkpoint smaller than the newest; one that is there already is the same."""
    await connection.execute(
        upsert(LogCheckpoint)
        .values(size=signed.size, root=signed.root, frontier=signed.frontier, note=signed.note)
        .on_conflict_do_nothing()
    )


async def clear_asleep(connection: AsyncConnection) -> None:
    """For a sequencer that stops: commits need not notify until another one sleeps."""
    await connection.execute(update(LogWatch).values(asleep=False).where(LogWatch.asleep))


async def hold_publishing(connection: AsyncConnection) -> None:
    """One process at a time replaces the published checkpoint."""
    await locks.hold(connection, locks.PUBLISHER)


# What has no leaf. A backlog: the first event after the last id that has one. One left behind:
# among the last that were made. Ids of the future, made where a clock was ahead, must hide neither:
# they are left out there, and asked for by themselves.
_LAG = text("""
    WITH upto AS (SELECT (lpad(to_hex((extract(epoch FROM unefois.now()) * 1000)::bigint), 12, '0')
        || repeat('f', 20))::uuid AS id)
    SELECT unefois.now() - min(waiting.at) AS lag FROM (
        (SELECT at FROM unefois.access_event
            WHERE id <= (SELECT id FROM upto) AND id > coalesce((SELECT event_id
                FROM unefois.log_leaf WHERE event_id <= (SELECT id FROM upto)
                ORDER BY event_id DESC LIMIT 1), '00000000-0000-0000-0000-000000000000')
            ORDER BY id LIMIT 1)
        UNION ALL
        SELECT at FROM (SELECT id, at FROM unefois.access_event
            WHERE id <= (SELECT id FROM upto) ORDER BY id DESC LIMIT :last) AS made
            WHERE NOT EXISTS (SELECT FROM unefois.log_leaf WHERE event_id = made.id)
        UNION ALL
        SELECT at FROM (SELECT id, at FROM unefois.access_event
            WHERE id > (SELECT id FROM upto) ORDER BY id DESC LIMIT :last) AS ahead
            WHERE NOT EXISTS (SELECT FROM unefois.log_leaf WHERE event_id = ahead.id)
    ) AS waiting
""")
_LAST_MADE = 256


async def lag(connection: AsyncConnection) -> timedelta:
    """How long an event without a leaf has been waiting; zero when none is. One that committed
    after many others is not counted: the sequencer's own scans find it."""
    row = await connection.execute(_LAG, {"last": _LAST_MADE})
    waiting: timedelta | None = row.scalar_one_or_none()
    return max(timedelta(), waiting or timedelta())
