"""SQL of grants: what one covers, how it is read to be used, given and revoked."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, any_, bindparam, exists, false, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from auth.subjects import Party
from base.db_time import now
from base.ids import new_id
from base.statements import Bound, Statement
from storage.row_macs import RowMacs
from vault import catalogue
from vault.cursors import Position
from vault.rules import GrantAction, GrantFacts
from vault.tables import (
    GRANT_ROW,
    VERSION_COLUMNS,
    Document,
    DocumentVersion,
    Grant,
    GrantHistory,
)

is_picked: ColumnElement[bool] = Document.id == any_(Grant.document_ids)
"""The person picked this document for the grant."""

has_granted_type: ColumnElement[bool] = Document.type_tag == any_(Grant.type_tags)
"""The tag of the document's type is among the grant's."""


def is_covered() -> ColumnElement[bool]:
    """Covered by the joined grant, not deleted, not infected. A type given after the grant counts
    as added after it."""
    there_before = and_(Document.created_at <= Grant.given_at, Document.typed_at <= Grant.given_at)
    by_type = and_(has_granted_type, or_(Grant.covers_future, there_before))
    return and_(
        Document.person_id == Grant.person_id,
        Document.deleted_at.is_(None),
        DocumentVersion.scan != "infected",
        or_(is_picked, by_type),
    )


# A revocation stands in the history too, which only grows: taking it back in the row changes
# nothing.
_REVOKED_AT = func.coalesce(
    Grant.revoked_at,
    select(func.max(GrantHistory.at))
    .where(GrantHistory.grant_id == Grant.id, GrantHistory.step == "revoked")
    .scalar_subquery(),
)
GRANT_COLUMNS = (
    *(column for column in Grant.__table__.c if column.name != "revoked_at"),
    _REVOKED_AT.label("revoked_at"),
    now().label("at"),
)
_LIVE = and_(_REVOKED_AT.is_(None), Grant.ends_at > now())
_ALLOWS: dict[GrantAction, ColumnElement[bool]] = {
    GrantAction.ATTEST: Grant.may_attest.is_(True),
    GrantAction.READ: Grant.may_read.is_(True),
    GrantAction.DEPOSIT: Grant.may_deposit.is_(True),
}
# Who ended it before its end: the kind of actor of its history. Not read where a grant is used.
_ENDED_BY = (
    select(GrantHistory.by_kind)
    .where(GrantHistory.grant_id == Grant.id, GrantHistory.step == "revoked")
    .order_by(GrantHistory.id)
    .limit(1)
    .scalar_subquery()
)
_GRANT: Any = select(*GRANT_COLUMNS, _ENDED_BY.label("ended_by"))
_FOR_USE = Statement(
    select(*GRANT_COLUMNS)
    .where(Grant.id == bindparam("grant"))
    .with_for_update(read=True, of=Grant)
)


def grant_facts(macs: RowMacs, row: Any | None) -> GrantFacts | None:
    """A grant's row as the rules read it; None without a row. Raises `RowAltered` for one that the
    service did not write."""
    if row is None:
        return None
    macs.check(GRANT_ROW, row)
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
        outdated=row.catalogue_edition < catalogue.EDITION,
    )


def grant_for_use(grant_id: UUID) -> Bound:
    """A grant and `at`, the time of the judgement: one row or none. A revocation waits until the
    act commits."""
    return _FOR_USE(grant=grant_id)


async def grant_to_change(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant, locked to be changed, and the current time `at`."""
    return await _one_or_none(
        connection, _GRANT.where(Grant.id == grant_id).with_for_update(of=Grant)
    )


async def grant(connection: AsyncConnection, grant_id: UUID) -> Row[Any] | None:
    """A grant, without lock, and the current time `at`."""
    return await _one_or_none(connection, _GRANT.where(Grant.id == grant_id))


async def given_since(connection: AsyncConnection, person_id: UUID, since: datetime) -> bool:
    """Whether the person gave a grant at that time or later."""
    query = select(exists().where(Grant.person_id == person_id, Grant.given_at >= since))
    return bool((await connection.execute(query)).scalar_one())


async def add_grant(connection: AsyncConnection, values: dict[str, Any], *, step: str) -> None:
    """Insert a grant, with its MAC, and the first row of its history."""
    await connection.execute(insert(Grant).values(**values))
    await _add_history(connection, values["id"], step)


async def revoke_grant(connection: AsyncConnection, grant_id: UUID, *, by: str = "owner") -> None:
    """Revoke a grant now, for good."""
    await connection.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        # A clock set back must neither undo a revocation nor break the row's check constraint.
        .values(revoked_at=func.greatest(now(), Grant.given_at))
    )
    await _add_history(connection, grant_id, "revoked", by=by)


SHOWN_AFTER_END = timedelta(days=183)
"""For six months after its end a grant still says to its worker whom it came from."""
SOON = timedelta(days=14)
"""A grant that ends within that time ends soon."""
_ended_at = func.least(Grant.ends_at, _REVOKED_AT)


def is_shown() -> ColumnElement[bool]:
    """A grant that is live, or ended less than six months ago."""
    return _ended_at > now() - SHOWN_AFTER_END


def _shown_to(worker_id: UUID) -> ColumnElement[bool]:
    return and_(Grant.recipient_kind == "worker", Grant.recipient_id == worker_id, is_shown())


async def people_of_worker(
    connection: AsyncConnection,
    worker_id: UUID,
    *,
    among: Sequence[UUID] | None = None,
    ends_soon: bool = False,
    after: Position | None = None,
    limit: int | None = None,
) -> Sequence[Row[UUID, UUID]]:
    """Who gave a worker grants that are shown: `person_id`, and `id`, of the newest of them, by
    which they are ordered. `ends_soon`: only those of whom a live grant ends soon."""
    newest = (
        select(Grant.person_id, Grant.id)
        .where(_shown_to(worker_id))
        .ext(distinct_on(Grant.person_id))
        .order_by(Grant.person_id, Grant.id.desc())
        .subquery()
    )
    query = select(newest).order_by(newest.c.id.desc()).limit(limit)
    if among is not None:
        query = query.where(newest.c.person_id.in_(among))
    if ends_soon:
        ending = select(Grant.person_id).where(
            _shown_to(worker_id), _LIVE, Grant.ends_at < now() + SOON
        )
        query = query.where(newest.c.person_id.in_(ending))
    if after is not None:
        query = query.where(newest.c.id < after[1])
    return (await connection.execute(query)).all()


async def grants_from(
    connection: AsyncConnection, worker_id: UUID, people: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """The grants that these people gave a worker and that are shown, newest first."""
    query = _GRANT.where(_shown_to(worker_id), Grant.person_id.in_(people))
    return (await connection.execute(query.order_by(Grant.id.desc()))).all()


async def people_with_outdated_grants(
    connection: AsyncConnection, edition: int, *, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The people with living grants of an edition before this one, in the order of their ids."""
    # Each former edition by its number: then the index finds its living grants, however many ended.
    former = Grant.catalogue_edition.in_(range(1, edition))
    query = select(Grant.person_id).where(_LIVE, former).distinct()
    if after is not None:
        query = query.where(Grant.person_id > after)
    return (await connection.execute(query.order_by(Grant.person_id).limit(limit))).scalars().all()


async def outdated_grants_of(
    connection: AsyncConnection, edition: int, person_id: UUID
) -> Sequence[Row[Any]]:
    """A person's living grants of an edition before this one, locked to be changed.

    Not one whose history knows a later edition than its row: that row was put back, and narrowed
    again it would cover what was added since. It opens nothing.
    """
    put_back = exists().where(
        GrantHistory.grant_id == Grant.id, GrantHistory.edition > Grant.catalogue_edition
    )
    result = await connection.execute(
        _GRANT.where(
            _LIVE, Grant.person_id == person_id, Grant.catalogue_edition < edition, ~put_back
        )
        .order_by(Grant.id)
        .with_for_update(of=Grant)
    )
    return result.all()


async def change_grant(
    connection: AsyncConnection, macs: RowMacs, row: Row[Any], **values: Any
) -> None:
    """Change a grant that is locked and whose MAC was checked, and its MAC."""
    changed = {name: values.get(name, getattr(row, name)) for name in GRANT_ROW.columns}
    await connection.execute(
        update(Grant).where(Grant.id == row.id).values(**values, mac=macs.of(GRANT_ROW, changed))
    )


async def note_narrowing(connection: AsyncConnection, grant_id: UUID, edition: int) -> None:
    """Add to a grant's history that the service narrowed it to an edition of the catalogue."""
    await _add_history(connection, grant_id, "narrowed", by="service", edition=edition)


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


async def grants_of_later(
    connection: AsyncConnection, person_id: UUID, *, limit: int
) -> Sequence[Row[Any]]:
    """A person's living grants that show papers which are added later, newest first."""
    shown = and_(
        Grant.person_id == person_id,
        Grant.covers_future,
        or_(Grant.may_read, Grant.may_attest),
    )
    return await _grants_page(connection, shown, "live", None, limit)


async def grants_of_recipient(
    connection: AsyncConnection,
    recipient: Party,
    actions: frozenset[GrantAction] | None,
    *,
    state: str | None,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """A recipient's grants that allow one of `actions` (None: all), newest first."""
    shown = and_(Grant.recipient_kind == recipient.kind, Grant.recipient_id == recipient.id)
    if actions is not None:
        allowed = [_ALLOWS[action] for action in GrantAction if action in actions]
        shown = and_(shown, or_(false(), *allowed))
    return await _grants_page(connection, shown, state, after, limit)


async def grants_covering(
    connection: AsyncConnection, person_id: UUID, document_id: UUID, *, limit: int
) -> Sequence[Row[Any]]:
    """A person's living grants that show a document of theirs, or that it exists, newest first.
    Same condition as `rules.may_open`."""
    result = await connection.execute(
        select(*GRANT_COLUMNS)
        .select_from(Document)
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .join(Grant, Grant.person_id == Document.person_id)
        .where(
            Document.id == document_id,
            Document.person_id == person_id,
            _LIVE,
            or_(_ALLOWS[GrantAction.READ], _ALLOWS[GrantAction.ATTEST]),
            is_covered(),
        )
        .order_by(Grant.id.desc())
        .limit(limit)
    )
    return result.all()


async def covered_of_type(
    connection: AsyncConnection, grant_id: UUID, type_tags: Iterable[bytes]
) -> Sequence[Row[Any]]:
    """The documents with some tags that a grant covers, each with `picked` and its version.

    The condition is that of `rules.may_open` in SQL; a test checks that both agree.
    """
    result = await connection.execute(
        select(Document.__table__, *VERSION_COLUMNS, is_picked.label("picked"))
        .select_from(Grant)
        .join(Document, Document.type_tag.in_(tuple(type_tags)))
        .join(DocumentVersion, DocumentVersion.id == Document.version_id)
        .where(Grant.id == grant_id, is_covered())
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
    """`id` and `type_tag` of the person's documents with some tags."""
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
    if state is not None:
        query = query.where(_LIVE if state == "live" else ~_LIVE)
    if after is not None:
        query = query.where(Grant.id < after[1])
    return (await connection.execute(query)).all()


async def _add_history(
    connection: AsyncConnection,
    grant_id: UUID,
    step: str,
    *,
    by: str = "owner",
    edition: int | None = None,
) -> None:
    await connection.execute(
        insert(GrantHistory).values(
            id=new_id(), grant_id=grant_id, step=step, by_kind=by, edition=edition
        )
    )
