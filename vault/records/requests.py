"""SQL of consent requests: questions put to the holder of a phone, and their answers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, delete, insert, or_, select, tuple_, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records.people import Person
from base.database import now
from vault.cursors import Position
from vault.records.tables import ConsentRequest, Grant

_NOT_APPROVED = or_(ConsentRequest.answer.is_(None), ConsentRequest.answer != "approved")
_WAITING = and_(ConsentRequest.answer.is_(None), ConsentRequest.lapses_at > now())
_RANK = case((_WAITING, 1), else_=0)
_REQUEST = select(
    ConsentRequest.__table__, now().label("at"), Grant.id.label("grant_id"), _RANK.label("rank")
).outerjoin(Grant, Grant.request_id == ConsentRequest.id)


async def addressee(connection: AsyncConnection, phone_tag: bytes) -> Row[UUID, str] | None:
    """`id` and `language` of the vault of a phone, kept from disappearing meanwhile."""
    found = await connection.execute(
        select(Person.id, Person.language)
        .where(Person.phone_tag == phone_tag)
        .with_for_update(read=True, key_share=True)
    )
    return found.one_or_none()


async def add_request(connection: AsyncConnection, **values: Any) -> None:
    """Keep a request."""
    await connection.execute(insert(ConsentRequest).values(**values))


async def request(connection: AsyncConnection, request_id: UUID) -> Row[Any] | None:
    """A request, with its `grant_id` and the instant `at`."""
    found = await connection.execute(_REQUEST.where(ConsentRequest.id == request_id))
    return found.one_or_none()


async def to_be_answered(connection: AsyncConnection, request_id: UUID) -> Row[Any] | None:
    """A request under lock, and the instant `at`: of two answers at once, one waits and loses."""
    found = await connection.execute(
        select(ConsentRequest.__table__, now().label("at"))
        .where(ConsentRequest.id == request_id)
        .with_for_update()
    )
    return found.one_or_none()


async def answer(connection: AsyncConnection, request_id: UUID, word: str) -> None:
    """Keep the answer to a request held by `to_be_answered`."""
    await connection.execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == request_id, ConsentRequest.answer.is_(None))
        .values(answer=word, answered_at=now())
    )


async def over_the_pace(
    connection: AsyncConnection, requester_id: UUID, *, most: int, within: timedelta
) -> int | None:
    """Seconds to wait before one more request, or None when there is room now.

    Read under a lock of the requester: two at once would both find room.
    """
    made_at = (
        select(ConsentRequest.created_at)
        .where(ConsentRequest.requester_id == requester_id)
        .order_by(ConsentRequest.id.desc())
        .offset(most - 1)
        .limit(1)
        .scalar_subquery()
    )
    row = (await connection.execute(select(made_at.label("made_at"), now().label("at")))).one()
    if row.made_at is None or row.made_at + within <= row.at:
        return None
    return int((row.made_at + within - row.at).total_seconds()) + 1


async def of_person(
    connection: AsyncConnection, person_id: UUID, *, after: Position | None, limit: int
) -> Sequence[Row[Any]]:
    """What a person was asked: what waits first, then the newest."""
    query = (
        _REQUEST.where(ConsentRequest.person_id == person_id)
        .order_by(_RANK.desc(), ConsentRequest.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(tuple_(_RANK, ConsentRequest.id) < tuple_(*after))
    return (await connection.execute(query)).all()


async def of_requester(
    connection: AsyncConnection,
    kind: str,
    requester_id: UUID,
    *,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """What a worker or a client asked, newest first."""
    query = (
        _REQUEST.where(
            ConsentRequest.requester_kind == kind, ConsentRequest.requester_id == requester_id
        )
        .order_by(ConsentRequest.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(ConsentRequest.id < after[1])
    return (await connection.execute(query)).all()


async def unclaimed(connection: AsyncConnection, phone_tag: bytes) -> Sequence[Row[UUID, bytes]]:
    """Waiting requests to a phone that had no vault, under lock."""
    found = await connection.execute(
        select(ConsentRequest.id, ConsentRequest.sealed)
        .where(ConsentRequest.phone_tag == phone_tag, ConsentRequest.person_id.is_(None), _WAITING)
        .order_by(ConsentRequest.id)
        .with_for_update()
    )
    return found.all()


async def claim(
    connection: AsyncConnection, request_id: UUID, *, person_id: UUID | None, sealed: bytes
) -> None:
    """Give a request to the person it was meant for, sealed under their own key; or to nobody."""
    await connection.execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == request_id)
        .values(person_id=person_id, sealed=sealed)
    )


async def fruitless(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[UUID, bytes]]:
    """A person's requests that were not approved, under lock."""
    found = await connection.execute(
        select(ConsentRequest.id, ConsentRequest.sealed)
        .where(ConsentRequest.person_id == person_id, _NOT_APPROVED)
        .order_by(ConsentRequest.id)
        .with_for_update()
    )
    return found.all()


async def forget_unanswered(connection: AsyncConnection, lapsed_for: timedelta) -> None:
    """Drop requests that came to nothing, long after they lapsed (the sweep).

    Refused, ignored, or sent to a phone without a vault: all at the same age.
    """
    await connection.execute(
        delete(ConsentRequest).where(_NOT_APPROVED, ConsentRequest.lapses_at < now() - lapsed_for)
    )
