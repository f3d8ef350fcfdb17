"""Counts that all processes share: of each bucket, when it is full again."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    Interval,
    bindparam,
    case,
    cast,
    delete,
    extract,
    func,
    literal,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base
from base.db_time import now
from base.statements import Bound, Statement


class RateBucket(Base):
    """What was taken of a rate: a bucket without a row is full, and so is one that is full by now.

    `key`: a keyed tag of whose it is. `granted`: what the last statement got. UNLOGGED: a commit
    waits for no disk; after a crash of PostgreSQL every bucket is full.
    """

    __tablename__ = "rate_bucket"
    __table_args__ = (Index("ix_rate_bucket_full_at", "full_at"), {"prefixes": ["UNLOGGED"]})
    key: Mapped[bytes] = mapped_column(primary_key=True)
    full_at: Mapped[datetime]
    granted: Mapped[int]


_WANTED = bindparam("wanted", type_=Integer)
_AT_ONCE = bindparam("at_once", type_=Integer)
_EVERY = bindparam("every", type_=Interval)
_LONGEST_WAIT = literal(timedelta(minutes=1), Interval)
"""Longer than a statement may wait for the row that another one holds."""


def _times(many: ColumnElement[Any]) -> ColumnElement[timedelta]:
    """The time after which there are so many more."""
    return _EVERY.op("*", return_type=Interval())(many)


def _taking() -> Statement:
    """Takes what there is, up to what is wanted: one statement, so that of two at once the second
    sees what the first left.

    A bucket that is emptier than empty, by more than a statement waits for a row, was written by a
    clock since put back, or under a setting since lowered: it counts as full, and bars nobody. By
    less, it was emptied by a statement that began later and came first: it is empty.
    """
    empty_at = now() + _times(_AT_ONCE)
    full_at = case(
        (RateBucket.full_at > empty_at + _LONGEST_WAIT, now()),
        else_=func.least(func.greatest(RateBucket.full_at, now()), empty_at),
    )
    spent = extract("epoch", full_at - now()) / extract("epoch", _EVERY)
    granted = func.least(_WANTED, _AT_ONCE - cast(func.ceil(spent), Integer))
    of_a_full_one = func.least(_WANTED, _AT_ONCE)
    return Statement(
        insert(RateBucket)
        .values(key=bindparam("key"), full_at=now() + _times(of_a_full_one), granted=of_a_full_one)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"full_at": full_at + _times(granted), "granted": granted},
        )
        .returning(RateBucket.granted, _seconds(RateBucket.full_at - now()).label("full_in"))
    )


def _seconds(interval: ColumnElement[Any]) -> ColumnElement[float]:
    return func.date_part("epoch", interval)


_TAKE = _taking()
_GIVE_BACK = Statement(
    update(RateBucket)
    .where(RateBucket.key == bindparam("of"), RateBucket.full_at > now())
    .values(full_at=RateBucket.full_at - _times(_WANTED))
)


def take(key: bytes, *, wanted: int, at_once: int, every: timedelta) -> Bound:
    """Takes up to `wanted` of a bucket that holds `at_once` and gets one back `every` so often. One
    row: how many were `granted`, and `full_in`, the seconds until the bucket is full.

    A crash after the commit loses what was taken; the bucket fills again by itself.
    """
    return _TAKE(key=key, wanted=wanted, at_once=at_once, every=every)


def give_back(key: bytes, *, many: int, every: timedelta) -> Bound:
    """Puts back what was taken and not spent."""
    return _GIVE_BACK(of=key, wanted=many, every=every)


async def delete_full_buckets(connection: AsyncConnection) -> int:
    """Delete the buckets that are full: a bucket without a row is."""
    deleted = await connection.execute(delete(RateBucket).where(RateBucket.full_at <= now()))
    return deleted.rowcount
