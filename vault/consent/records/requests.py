"""SQL of consent requests: asked, answered, moved between a phone and its vault."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, delete, insert, literal_column, or_, select, tuple_, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from auth.records.people import ASLEEP, PERSON_ROW, PersonRow
from auth.subjects import Party
from base.db_time import now
from storage.row_macs import RowMacs
from vault.cursors import Position
from vault.tables import REQUEST_ROW, ConsentRequest, Grant

# The word itself, not a parameter: an index holds these requests only.
_NOT_APPROVED = or_(
    ConsentRequest.answer.is_(None), ConsentRequest.answer != literal_column("'approved'")
)
_WAITING = and_(ConsentRequest.answer.is_(None), ConsentRequest.lapses_at > now())
_RANK = case((_WAITING, 1), else_=0)
_REQUEST = select(
    ConsentRequest.__table__, now().label("at"), Grant.id.label("grant_id"), _RANK.label("rank")
).outerjoin(Grant, Grant.request_id == ConsentRequest.id)


async def addressee(
    connection: AsyncConnection, macs: RowMacs, phone_tags: Sequence[bytes]
) -> tuple[Row[Any] | None, int]:
    """The one person with a phone, locked against deletion, and how many have it: of the first of
    its forms that finds someone. Nobody where two vaults have it: a sender cannot say for whom a
    request is. One that was unused for so long that the number may be another's does not count
    beside one that was used. One query in every case. Raises `RowAltered`."""
    result = await connection.execute(
        select(PersonRow.__table__, ASLEEP)
        .where(PersonRow.phone_tag.in_(phone_tags))
        .with_for_update(read=True, key_share=True)
    )
    rows = sorted(result, key=lambda row: phone_tags.index(row.phone_tag))
    there = [row for row in rows if row.phone_tag == rows[0].phone_tag]
    for row in there:
        macs.check(PERSON_ROW, row)
    counted = [row for row in there if not row.asleep] or there
    return (counted[0] if len(counted) == 1 else None), len(counted)


async def add_request(connection: AsyncConnection, macs: RowMacs, **values: Any) -> None:
    """Insert a request that nobody has answered."""
    unanswered = {"answer": None, "answered_at": None, **values}
    await connection.execute(insert(ConsentRequest).values(macs.add(REQUEST_ROW, unanswered)))


async def request(connection: AsyncConnection, request_id: UUID) -> Row[Any] | None:
    """A request, with its `grant_id` and the current time `at`."""
    result = await connection.execute(_REQUEST.where(ConsentRequest.id == request_id))
    return result.one_or_none()


async def request_to_answer(connection: AsyncConnection, request_id: UUID) -> Row[Any] | None:
    """A locked request and the current time `at`: of two concurrent answers, the second waits."""
    result = await connection.execute(
        select(ConsentRequest.__table__, now().label("at"))
        .where(ConsentRequest.id == request_id)
        .with_for_update()
    )
    return result.one_or_none()


async def answer_request(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], answer: str, at: datetime
) -> None:
    """Store the answer to a request that `request_to_answer` locked."""
    await _change(connection, macs, row, answer=answer, answered_at=at)


async def withdraw_request(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], *, sender_sealed: bytes, at: datetime
) -> None:
    """Store that its sender withdrew a request that `request_to_answer` locked. What was answered
    before stays; the same columns are written in every case."""
    answered = row.answer is not None
    await _change(
        connection,
        macs,
        row,
        answer=row.answer if answered else "withdrawn",
        answered_at=row.answered_at if answered else at,
        sender_sealed=sender_sealed,
    )


async def requests_by_ids(
    connection: AsyncConnection, requester: Party, request_ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """Those of these requests that a worker or a client sent, newest first."""
    query = _REQUEST.where(ConsentRequest.id.in_(request_ids), _sent_by(requester))
    return (await connection.execute(query.order_by(ConsentRequest.id.desc()))).all()


async def unlapsed_requests_to(
    connection: AsyncConnection, requester: Party, phone_tags: Sequence[bytes]
) -> Sequence[Row[Any]]:
    """What a worker or a client asked of the holders of some phones that is neither approved nor
    lapsed, newest first: by the numbers that they wrote, never by whose vault it is."""
    query = _REQUEST.where(
        ConsentRequest.phone_tag.in_(phone_tags),
        _sent_by(requester),
        _NOT_APPROVED,
        ConsentRequest.lapses_at > now(),
    )
    return (await connection.execute(query.order_by(ConsentRequest.id.desc()))).all()


async def requests_of_person(
    connection: AsyncConnection, person_id: UUID, *, after: Position | None, limit: int
) -> Sequence[Row[Any]]:
    """The requests to a person: those that wait first, then newest first."""
    query = (
        _REQUEST.where(ConsentRequest.person_id == person_id)
        .order_by(_RANK.desc(), ConsentRequest.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(tuple_(_RANK, ConsentRequest.id) < tuple_(*after))
    return (await connection.execute(query)).all()


async def requests_of_requester(
    connection: AsyncConnection, requester: Party, *, after: Position | None, limit: int
) -> Sequence[Row[Any]]:
    """The requests of a worker or a client, newest first."""
    query = _REQUEST.where(_sent_by(requester)).order_by(ConsentRequest.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(ConsentRequest.id < after[1])
    return (await connection.execute(query)).all()


async def unassigned_requests(
    connection: AsyncConnection, phone_tags: Sequence[bytes]
) -> Sequence[Row[Any]]:
    """Waiting requests to a phone that had no vault, locked."""
    result = await connection.execute(
        select(ConsentRequest.__table__)
        .where(
            ConsentRequest.phone_tag.in_(phone_tags), ConsentRequest.person_id.is_(None), _WAITING
        )
        .order_by(ConsentRequest.id)
        .with_for_update()
    )
    return result.all()


async def assign_request(
    connection: AsyncConnection,
    macs: RowMacs,
    row: Row[Any],
    *,
    person_id: UUID | None,
    sealed: bytes,
) -> None:
    """Assign a request to a person, or to None; `sealed` under their key, or the service's."""
    await _change(connection, macs, row, person_id=person_id, sealed=sealed)


async def unapproved_requests(connection: AsyncConnection, person_id: UUID) -> Sequence[Row[Any]]:
    """A person's requests that were not approved, locked."""
    result = await connection.execute(
        select(ConsentRequest.__table__)
        .where(ConsentRequest.person_id == person_id, _NOT_APPROVED)
        .order_by(ConsentRequest.id)
        .with_for_update()
    )
    return result.all()


async def delete_unanswered(connection: AsyncConnection, lapsed_for: timedelta) -> None:
    """Delete requests that were not approved, `lapsed_for` after they lapsed.

    Refused, ignored or sent to a phone without a vault: all are deleted at the same age.
    """
    await connection.execute(
        delete(ConsentRequest).where(_NOT_APPROVED, ConsentRequest.lapses_at < now() - lapsed_for)
    )


def _sent_by(requester: Party) -> ColumnElement[bool]:
    return and_(
        ConsentRequest.requester_kind == requester.kind,
        ConsentRequest.requester_id == requester.id,
    )


async def _change(connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any) -> None:
    """Change a locked row, which must be one of ours, and its MAC. Raises `RowAltered`."""
    macs.check(REQUEST_ROW, row)
    changed = {name: values.get(name, getattr(row, name)) for name in REQUEST_ROW.columns}
    await connection.execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == row.id)
        .values(**values, mac=macs.of(REQUEST_ROW, changed))
    )
