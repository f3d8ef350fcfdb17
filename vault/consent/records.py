"""SQL of consent: what a grant covers, grants with their history, requests with their answers."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from auth.records.people import PersonRow
from auth.subjects import Party
from base.db_time import now
from base.ids import new_id
from base.pipeline import Bound, Statement
from vault.cursors import Position
from vault.rules import GrantFacts
from vault.tables import (
    ConsentRequest,
    Document,
    DocumentVersion,
    Grant,
    GrantDocument,
    GrantHistory,
    GrantType,
)


def is_picked(grant_id: Any) -> ColumnElement[bool]:
    """The person picked this document for the grant."""
    return exists().where(
        GrantDocument.grant_id == grant_id, GrantDocument.document_id == Document.id
    )


def has_granted_type(grant_id: Any) -> ColumnElement[bool]:
    """The tag of the document's type is among the grant's."""
    return exists().where(GrantType.grant_id == grant_id, GrantType.type_tag == Document.type_tag)


def is_covered(grant_id: Any, given_at: Any, covers_future: Any) -> ColumnElement[bool]:
    """Covered, not deleted, not infected. A type given after the grant counts as added after it."""
    there_before = and_(Document.created_at <= given_at, Document.typed_at <= given_at)
    by_type = and_(has_granted_type(grant_id), or_(covers_future, there_before))
    return and_(
        Document.deleted_at.is_(None),
        DocumentVersion.scan != "infected",
        or_(is_picked(grant_id), by_type),
    )


_GRANT = select(Grant.__table__, now().label("at"))
_FOR_USE = Statement(_GRANT.where(Grant.id == bindparam("grant")).with_for_update(read=True))


def grant_facts(row: Any | None) -> GrantFacts | None:
    """A grant's row as the rules read it; None without a row."""
    if row is None:
        return None
    return GrantFacts(
        at=row.at,
        person_id=row.person_id,
        recipient=Party(row.recipient_kind, row.recipient_id),
        given_at=row.given_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        may_attest=row.may_attest,
        may_read=row.may_read,
        may_deposit=row.may_deposit,
        covers_future=row.covers_future,
    )


def grant_for_use(grant_id: UUID) -> Bound:
    """A grant and `at`, the time of the judgement: one row or none. A revocation waits until the
    act commits."""
    return _FOR_USE(grant=grant_id)


async def grant_to_change(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant, locked to be changed, and the current time `at`."""
    return await _one_or_none(connection, _GRANT.where(Grant.id == grant_id).with_for_update())


async def grant(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant, without lock, and the current time `at`."""
    return await _one_or_none(connection, _GRANT.where(Grant.id == grant_id))


async def add_grant(
    connection: AsyncConnection,
    values: dict[str, Any],
    *,
    type_tags: Iterable[bytes],
    document_ids: Iterable[UUID],
    step: str,
) -> None:
    """Insert a grant with its types, its documents and the first row of its history."""
    await connection.execute(insert(Grant).values(**values))
    grant_id = values["id"]
    types = [{"grant_id": grant_id, "type_tag": tag} for tag in type_tags]
    if types:
        await connection.execute(insert(GrantType), types)
    documents = [{"grant_id": grant_id, "document_id": document_id} for document_id in document_ids]
    if documents:
        await connection.execute(insert(GrantDocument), documents)
    await _add_history(connection, grant_id, step)


async def revoke_grant(connection: AsyncConnection, grant_id: UUID) -> None:
    """Revoke a grant now, for good."""
    await connection.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        # A clock set back must neither undo a revocation nor break the row's check constraint.
        .values(revoked_at=func.greatest(now(), Grant.given_at))
    )
    await _add_history(connection, grant_id, "revoked")


async def grants_of_person(
    connection: AsyncConnection,
    person_id: UUID,
    *,
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A person's grants, newest first."""
    return await _grants_page(connection, Grant.person_id == person_id, state, after, limit)


async def grants_of_recipient(
    connection: AsyncConnection,
    recipient: Party,
    *,
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A recipient's grants, newest first."""
    is_recipient = and_(Grant.recipient_kind == recipient.kind, Grant.recipient_id == recipient.id)
    return await _grants_page(connection, is_recipient, state, after, limit)


async def names_type(connection: AsyncConnection, grant_id: UUID, type_tag: bytes) -> bool:
    """Whether a grant names a type."""
    result = await connection.execute(
        select(exists().where(GrantType.grant_id == grant_id, GrantType.type_tag == type_tag))
    )
    return bool(result.scalar_one())


async def names_types(connection: AsyncConnection, grant_id: UUID) -> bool:
    """Whether a grant names any type."""
    result = await connection.execute(select(exists().where(GrantType.grant_id == grant_id)))
    return bool(result.scalar_one())


async def covered_of_type(
    connection: AsyncConnection, grant: Row[Any], type_tag: bytes
) -> Sequence[Row[Any]]:
    """The documents of one type that a grant covers, each with `picked` and its version's `number`.

    The condition is that of `rules.may_open` in SQL; a test checks that both agree.
    """
    result = await connection.execute(
        select(Document.__table__, DocumentVersion.number, is_picked(grant.id).label("picked"))
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(
            Document.person_id == grant.person_id,
            Document.type_tag == type_tag,
            is_covered(grant.id, grant.given_at, literal(grant.covers_future)),
        )
        .order_by(Document.id)
    )
    return result.all()


async def held_documents(
    connection: AsyncConnection, person_id: UUID, document_ids: Iterable[UUID]
) -> Sequence[Row[UUID, bytes]]:
    """`id` and `type_tag` of those documents that are the person's, locked against deletion."""
    result = await connection.execute(
        select(Document.id, Document.type_tag)
        .where(
            Document.person_id == person_id,
            Document.id.in_(tuple(document_ids)),
            Document.deleted_at.is_(None),
        )
        .order_by(Document.id)
        .with_for_update(read=True, key_share=True)
    )
    return result.all()


async def documents_of_types(
    connection: AsyncConnection, person_id: UUID, type_tags: Iterable[bytes]
) -> Sequence[Row[UUID, bytes]]:
    """`id` and `type_tag` of the person's documents of some types."""
    result = await connection.execute(
        select(Document.id, Document.type_tag)
        .where(
            Document.person_id == person_id,
            Document.type_tag.in_(tuple(type_tags)),
            Document.deleted_at.is_(None),
        )
        .order_by(Document.id)
    )
    return result.all()


async def _one_or_none(connection: AsyncConnection, query: Select[Any]) -> Row[Any] | None:
    row: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return row


async def _grants_page(
    connection: AsyncConnection,
    condition: ColumnElement[bool],
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    query = _GRANT.where(condition).order_by(Grant.id.desc()).limit(limit + 1)
    live = and_(Grant.revoked_at.is_(None), Grant.ends_at > now())
    if state is not None:
        query = query.where(live if state == "live" else ~live)
    if after is not None:
        query = query.where(Grant.id < after[1])
    return (await connection.execute(query)).all()


async def _add_history(connection: AsyncConnection, grant_id: UUID, step: str) -> None:
    await connection.execute(
        insert(GrantHistory).values(id=new_id(), grant_id=grant_id, step=step, by_kind="owner")
    )


_NOT_APPROVED = or_(ConsentRequest.answer.is_(None), ConsentRequest.answer != "approved")
_WAITING = and_(ConsentRequest.answer.is_(None), ConsentRequest.lapses_at > now())
_RANK = case((_WAITING, 1), else_=0)
_REQUEST = select(
    ConsentRequest.__table__, now().label("at"), Grant.id.label("grant_id"), _RANK.label("rank")
).outerjoin(Grant, Grant.request_id == ConsentRequest.id)


async def addressee(connection: AsyncConnection, phone_tag: bytes) -> Row[UUID, str] | None:
    """`id` and `language` of the person with a phone, locked against deletion."""
    result = await connection.execute(
        select(PersonRow.id, PersonRow.language)
        .where(PersonRow.phone_tag == phone_tag)
        .with_for_update(read=True, key_share=True)
    )
    return result.one_or_none()


async def add_request(connection: AsyncConnection, **values: Any) -> None:
    """Insert a request."""
    await connection.execute(insert(ConsentRequest).values(**values))


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


async def answer_request(connection: AsyncConnection, request_id: UUID, answer: str) -> None:
    """Store the answer to a request that `request_to_answer` locked."""
    await connection.execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == request_id, ConsentRequest.answer.is_(None))
        .values(answer=answer, answered_at=now())
    )


async def request_wait(
    connection: AsyncConnection, requester_id: UUID, *, limit: int, within: timedelta
) -> int | None:
    """Seconds to wait before one more request, or None when one is allowed now.

    The caller MUST hold a lock of the requester: without it two concurrent requests may both pass.
    """
    made_at = (
        select(ConsentRequest.created_at)
        .where(ConsentRequest.requester_id == requester_id)
        .order_by(ConsentRequest.id.desc())
        .offset(limit - 1)
        .limit(1)
        .scalar_subquery()
    )
    row = (await connection.execute(select(made_at.label("made_at"), now().label("at")))).one()
    if row.made_at is None or row.made_at + within <= row.at:
        return None
    return int((row.made_at + within - row.at).total_seconds()) + 1


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
    query = (
        _REQUEST.where(
            ConsentRequest.requester_kind == requester.kind,
            ConsentRequest.requester_id == requester.id,
        )
        .order_by(ConsentRequest.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(ConsentRequest.id < after[1])
    return (await connection.execute(query)).all()


async def unassigned_requests(
    connection: AsyncConnection, phone_tag: bytes
) -> Sequence[Row[UUID, bytes]]:
    """Waiting requests to a phone that had no vault, locked."""
    result = await connection.execute(
        select(ConsentRequest.id, ConsentRequest.sealed)
        .where(ConsentRequest.phone_tag == phone_tag, ConsentRequest.person_id.is_(None), _WAITING)
        .order_by(ConsentRequest.id)
        .with_for_update()
    )
    return result.all()


async def assign_request(
    connection: AsyncConnection, request_id: UUID, *, person_id: UUID | None, sealed: bytes
) -> None:
    """Assign a request to a person, or to None; `sealed` under their key, or the service's."""
    await connection.execute(
        update(ConsentRequest)
        .where(ConsentRequest.id == request_id)
        .values(person_id=person_id, sealed=sealed)
    )


async def unapproved_requests(
    connection: AsyncConnection, person_id: UUID
) -> Sequence[Row[UUID, bytes]]:
    """A person's requests that were not approved, locked."""
    result = await connection.execute(
        select(ConsentRequest.id, ConsentRequest.sealed)
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
