"""SQL of grants: what was given, to whom, over what, and how it ended."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, insert, literal, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from base.database import now
from base.ids import new_id
from vault.cursors import Position
from vault.records.coverage import covers, picked
from vault.records.tables import (
    Document,
    DocumentVersion,
    Grant,
    GrantDocument,
    GrantHistory,
    GrantType,
)
from vault.rules import GrantFacts

_GRANT = select(Grant.__table__, now().label("at"))


def facts(row: Any) -> GrantFacts:
    """A grant's row as the rules read it."""
    return GrantFacts(
        person_id=row.person_id,
        recipient_kind=row.recipient_kind,
        recipient_id=row.recipient_id,
        given_at=row.given_at,
        ends_at=row.ends_at,
        revoked_at=row.revoked_at,
        may_attest=row.may_attest,
        may_read=row.may_read,
        may_deposit=row.may_deposit,
        covers_future=row.covers_future,
    )


async def judged(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant and the instant `at` it is judged; a revocation waits until the act commits."""
    return await _one(connection, _GRANT.where(Grant.id == grant_id).with_for_update(read=True))


async def locked(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant to be changed, and the instant `at`."""
    return await _one(connection, _GRANT.where(Grant.id == grant_id).with_for_update())


async def seen(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant as it stands, and the instant `at`."""
    return await _one(connection, _GRANT.where(Grant.id == grant_id))


async def add_grant(
    connection: AsyncConnection,
    values: dict[str, Any],
    *,
    type_tags: Iterable[bytes],
    document_ids: Iterable[UUID],
    step: str,
) -> None:
    """Keep a grant with its types, its documents and the first line of its history."""
    await connection.execute(insert(Grant).values(**values))
    grant_id = values["id"]
    types = [{"grant_id": grant_id, "type_tag": tag} for tag in type_tags]
    if types:
        await connection.execute(insert(GrantType), types)
    documents = [{"grant_id": grant_id, "document_id": each} for each in document_ids]
    if documents:
        await connection.execute(insert(GrantDocument), documents)
    await _note(connection, grant_id, step)


async def revoke(connection: AsyncConnection, grant_id: UUID) -> None:
    """End a grant now, for good."""
    await connection.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        # A clock set back must not undo a revocation nor break the row's own check.
        .values(revoked_at=func.greatest(now(), Grant.given_at))
    )
    await _note(connection, grant_id, "revoked")


async def of_person(
    connection: AsyncConnection,
    person_id: UUID,
    *,
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A person's grants, newest first."""
    return await _page(connection, Grant.person_id == person_id, state, after, limit)


async def of_recipient(
    connection: AsyncConnection,
    kind: str,
    recipient_id: UUID,
    *,
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A recipient's grants, newest first."""
    theirs = and_(Grant.recipient_kind == kind, Grant.recipient_id == recipient_id)
    return await _page(connection, theirs, state, after, limit)


async def names_type(connection: AsyncConnection, grant_id: UUID, type_tag: bytes) -> bool:
    """Whether a grant names a type."""
    found = await connection.execute(
        select(exists().where(GrantType.grant_id == grant_id, GrantType.type_tag == type_tag))
    )
    return bool(found.scalar_one())


async def names_types(connection: AsyncConnection, grant_id: UUID) -> bool:
    """Whether a grant names any type."""
    found = await connection.execute(select(exists().where(GrantType.grant_id == grant_id)))
    return bool(found.scalar_one())


async def covered_of_type(
    connection: AsyncConnection, grant: Row[Any], type_tag: bytes
) -> Sequence[Row[Any]]:
    """The documents of one type that a grant covers, each with `picked` and its version's `number`.

    The condition is `rules.may_open`'s, told to the database; a test holds them equal.
    """
    found = await connection.execute(
        select(Document.__table__, DocumentVersion.number, picked(grant.id).label("picked"))
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(
            Document.person_id == grant.person_id,
            Document.type_tag == type_tag,
            covers(grant.id, grant.given_at, literal(grant.covers_future)),
        )
        .order_by(Document.id)
    )
    return found.all()


async def held(
    connection: AsyncConnection, person_id: UUID, document_ids: Iterable[UUID]
) -> Sequence[Row[UUID, bytes]]:
    """`id` and `type_tag` of those that are the person's, kept from disappearing meanwhile."""
    found = await connection.execute(
        select(Document.id, Document.type_tag)
        .where(
            Document.person_id == person_id,
            Document.id.in_(tuple(document_ids)),
            Document.deleted_at.is_(None),
        )
        .order_by(Document.id)
        .with_for_update(read=True, key_share=True)
    )
    return found.all()


async def held_of_types(
    connection: AsyncConnection, person_id: UUID, type_tags: Iterable[bytes]
) -> Sequence[Row[UUID, bytes]]:
    """`id` and `type_tag` of the person's documents of some types."""
    found = await connection.execute(
        select(Document.id, Document.type_tag)
        .where(
            Document.person_id == person_id,
            Document.type_tag.in_(tuple(type_tags)),
            Document.deleted_at.is_(None),
        )
        .order_by(Document.id)
    )
    return found.all()


async def _one(connection: AsyncConnection, query: Select[Any]) -> Row[Any] | None:
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


async def _page(
    connection: AsyncConnection,
    theirs: ColumnElement[bool],
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    query = _GRANT.where(theirs).order_by(Grant.id.desc()).limit(limit + 1)
    live = and_(Grant.revoked_at.is_(None), Grant.ends_at > now())
    if state is not None:
        query = query.where(live if state == "live" else ~live)
    if after is not None:
        query = query.where(Grant.id < after[1])
    return (await connection.execute(query)).all()


async def _note(connection: AsyncConnection, grant_id: UUID, step: str) -> None:
    await connection.execute(
        insert(GrantHistory).values(id=new_id(), grant_id=grant_id, step=step, by_kind="owner")
    )
