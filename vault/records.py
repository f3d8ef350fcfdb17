"""SQL that all subjects share: answers to an `Idempotency-Key`, counted attempts, and what quotas
count."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.db_time import now
from base.ids import new_id
from vault.tables import Attempt, DepositTotal, Document, DocumentVersion, Idempotency


async def idempotency_answer(connection: AsyncConnection, key_hash: bytes) -> Row[Any] | None:
    """What is stored for a key: `request_hash`, `result_id`."""
    result = await connection.execute(
        select(Idempotency.__table__).where(Idempotency.key_hash == key_hash)
    )
    return result.one_or_none()


async def add_idempotency_answer(connection: AsyncConnection, **values: Any) -> None:
    """Insert an answer."""
    await connection.execute(insert(Idempotency).values(**values))


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


async def vault_use(connection: AsyncConnection, person_id: UUID) -> tuple[int, int]:
    """How many documents a vault holds, and the KiB of their versions, the trash included."""
    documents = select(func.count()).where(Document.person_id == person_id).scalar_subquery()
    size_kib = (
        select(func.coalesce(func.sum(DocumentVersion.size_kib), 0))
        .where(DocumentVersion.person_id == person_id)
        .scalar_subquery()
    )
    row = (await connection.execute(select(documents, size_kib))).one()
    return int(row[0]), int(row[1])


async def deposit_total(connection: AsyncConnection, grant_id: UUID) -> tuple[int, int]:
    """How many documents the recipient of a grant has added, and their KiB."""
    result = await connection.execute(
        select(DepositTotal.documents, DepositTotal.size_kib).where(
            DepositTotal.grant_id == grant_id
        )
    )
    row = result.one_or_none()
    return (0, 0) if row is None else (row.documents, row.size_kib)


async def add_to_deposit_total(
    connection: AsyncConnection, person_id: UUID, grant_id: UUID, *, size_kib: int
) -> None:
    """Count one more document of a grant's recipient."""
    first = insert_or_update(DepositTotal).values(
        grant_id=grant_id, person_id=person_id, documents=1, size_kib=size_kib
    )
    more = {
        "documents": DepositTotal.documents + 1,
        "size_kib": DepositTotal.size_kib + first.excluded.size_kib,
    }
    await connection.execute(first.on_conflict_do_update(index_elements=["grant_id"], set_=more))


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
