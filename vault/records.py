"""SQL that all subjects share: answers to an `Idempotency-Key`, counted attempts, and what quotas
count."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, cast, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import now
from base.ids import new_id
from base.statements import Bound, Statement
from vault.tables import Attempt, DepositTotal, Document, DocumentVersion, Idempotency

_ANSWER = Statement(
    select(Idempotency.__table__).where(Idempotency.key_hash == bindparam("key_hash"))
)
_ADD_ANSWER = Statement(
    insert(Idempotency).values(
        {name: bindparam(name) for name in ("key_hash", "request_hash", "result_id", "mac")}
    ),
    must_write=True,
)


def idempotency_answer(key_hash: bytes) -> Bound:
    """What is stored for a key, one row or none: `request_hash`, `result_id`."""
    return _ANSWER(key_hash=key_hash)


def add_idempotency_answer(**values: Any) -> Bound:
    """Insert an answer."""
    return _ADD_ANSWER(**values)


async def delete_idempotency_answers(connection: AsyncConnection) -> None:
    """Delete the answers older than a day."""
    old = Idempotency.created_at < now() - text("interval '1 day'")
    await connection.execute(delete(Idempotency).where(old))


async def attempts(
    connection: AsyncConnection, subject_id: UUID, kind: str, *, limit: int, within: timedelta
) -> tuple[int, int]:
    """How many attempts count, up to the limit, and the seconds until the oldest of them does not,
    or until one made now would not.

    The caller MUST hold a lock of the subject to add one: without it two at once may both pass.
    """
    counted = (
        select(Attempt.created_at)
        .where(
            Attempt.subject_id == subject_id,
            Attempt.kind == kind,
            Attempt.created_at > now() - within,
            Attempt.created_at <= now(),  # not those of a clock that was since put back
        )
        .order_by(Attempt.id.desc())
        .limit(limit)
        .subquery()
    )
    oldest = func.coalesce(func.min(counted.c.created_at), now())
    query = select(func.count().label("made"), (oldest + within - now()).label("more_in"))
    row = (await connection.execute(query.select_from(counted))).one()
    return row.made, ceil(row.more_in.total_seconds())


async def add_attempt(connection: AsyncConnection, subject_id: UUID, kind: str) -> None:
    """Count one attempt."""
    await connection.execute(insert(Attempt).values(id=new_id(), subject_id=subject_id, kind=kind))


async def delete_attempts(connection: AsyncConnection, older_than: timedelta) -> None:
    """Delete the attempts that no longer count."""
    await connection.execute(delete(Attempt).where(Attempt.created_at < now() - older_than))


_VAULT_USE = Statement(
    select(
        select(func.count())
        .where(Document.person_id == bindparam("person"))
        .scalar_subquery()
        .label("documents"),
        select(cast(func.coalesce(func.sum(DocumentVersion.size_kib), 0), BigInteger))
        .where(DocumentVersion.person_id == bindparam("person"))
        .scalar_subquery()
        .label("size_kib"),
    )
)
_DEPOSIT_TOTAL = Statement(
    select(DepositTotal.documents, DepositTotal.size_kib).where(
        DepositTotal.grant_id == bindparam("grant")
    )
)


def vault_use(person_id: UUID) -> Bound:
    """One row: how many `documents` a vault holds, and the `size_kib` of their versions, the trash
    included."""
    return _VAULT_USE(person=person_id)


def deposit_total(grant_id: UUID) -> Bound:
    """How many `documents` the recipient of a grant has added, and their `size_kib`: one row, or
    none."""
    return _DEPOSIT_TOTAL(grant=grant_id)


def _added_to_total() -> Any:
    first = insert_or_update(DepositTotal).values(
        {name: bindparam(name) for name in ("grant_id", "person_id", "documents", "size_kib")}
    )
    more = {
        "documents": DepositTotal.documents + first.excluded.documents,
        "size_kib": DepositTotal.size_kib + first.excluded.size_kib,
    }
    return first.on_conflict_do_update(index_elements=["grant_id"], set_=more)


_ADD_TO_TOTAL = Statement(_added_to_total(), must_write=True)


def add_to_deposit_total(person_id: UUID, grant_id: UUID, *, size_kib: int) -> Bound:
    """Count one more document of a grant's recipient."""
    return _ADD_TO_TOTAL(person_id=person_id, grant_id=grant_id, documents=1, size_kib=size_kib)


async def unmeasured_versions(
    connection: AsyncConnection, *, after: UUID, limit: int
) -> Sequence[Row[UUID, UUID, bytes]]:
    """Versions whose size is not known yet, by id: `id`, `person_id`, `sealed`."""
    result = await connection.execute(
        select(DocumentVersion.id, DocumentVersion.person_id, DocumentVersion.sealed)
        .where(DocumentVersion.size_kib.is_(None), DocumentVersion.id > after)
        .order_by(DocumentVersion.id)
        .limit(limit)
    )
    return result.all()


async def set_version_size(connection: AsyncConnection, version_id: UUID, *, size_kib: int) -> None:
    """Store the size of a version of an earlier release."""
    await connection.execute(
        update(DocumentVersion).where(DocumentVersion.id == version_id).values(size_kib=size_kib)
    )
