"""SQL of purges and of erasure: what it ends, who asked for one, and the codes that confirm it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from audit.records import AuditKey
from base.database import Base
from base.db_time import now
from storage.row_macs import RowFormat, RowMacs
from vault.recovery.records import is_waited_for
from vault.tables import ConsentRequest, Document, ErasureCode, Grant, PendingErasure

ERASURE_CODE_ROW = RowFormat(
    "erasure_code", ("id", "person_id", "session_id", "code_tag", "created_at", "expires_at")
)
PENDING_ERASURE_ROW = RowFormat(
    "pending_erasure", ("person_id", "asked_at", "erases_at", "reminded_at")
)


class ErasedVault(Base):
    """A vault that was erased, by a mark that only its id gives (`erasure_notes.mark`)."""

    __tablename__ = "erased_vault"
    mark: Mapped[bytes] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
    mac: Mapped[bytes]


ERASED_VAULT_ROW = RowFormat("erased_vault", ("mark", "erased_at"))


async def live_grants(connection: AsyncConnection, person_id: UUID) -> Sequence[UUID]:
    """The grants on a vault that are not revoked, whose downloads may be running."""
    result = await connection.execute(
        select(Grant.id).where(Grant.person_id == person_id, Grant.revoked_at.is_(None))
    )
    return result.scalars().all()


async def due_for_purge(connection: AsyncConnection, limit: int) -> Sequence[Row[UUID, UUID]]:
    """Documents deleted more than 30 days ago, by the database's clock: `id`, `person_id`. None of
    a vault that may soon be opened again: its person could not take one back."""
    result = await connection.execute(
        select(Document.id, Document.person_id)
        .where(
            Document.deleted_at < now() - text("interval '30 days'"),
            ~is_waited_for(Document.person_id),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return result.all()


async def delete_audit_keys(connection: AsyncConnection, person_id: UUID) -> None:
    """Destroy the keys that open a person's part of the log."""
    await connection.execute(delete(AuditKey).where(AuditKey.owner_id == person_id))


async def count_contents(connection: AsyncConnection, person_id: UUID) -> tuple[int, int, int]:
    """How many documents, live grants and waiting requests a vault has."""
    documents = select(func.count()).where(
        Document.person_id == person_id, Document.deleted_at.is_(None)
    )
    grants = select(func.count()).where(
        Grant.person_id == person_id, Grant.revoked_at.is_(None), Grant.ends_at > now()
    )
    requests = select(func.count()).where(
        ConsentRequest.person_id == person_id,
        ConsentRequest.answer.is_(None),
        ConsentRequest.lapses_at > now(),
    )
    found = await connection.execute(
        select(documents.scalar_subquery(), grants.scalar_subquery(), requests.scalar_subquery())
    )
    held, given, waiting = found.one()
    return held, given, waiting


async def live_code(
    connection: AsyncConnection, person_id: UUID, session_id: UUID, max_tries: int
) -> Row[Any] | None:
    """The last code sent to a person, if this session asked for it and it still serves."""
    last = (
        select(ErasureCode.__table__)
        .where(ErasureCode.person_id == person_id)
        .order_by(ErasureCode.id.desc())
        .limit(1)
        .subquery()
    )
    found = await connection.execute(
        select(last).where(
            last.c.session_id == session_id,
            last.c.used_at.is_(None),
            last.c.attempts < max_tries,
            last.c.expires_at > now(),
        )
    )
    return found.one_or_none()


async def nth_last_code(
    connection: AsyncConnection, person_id: UUID, nth: int, *, within: timedelta
) -> datetime | None:
    """When the `nth` last code of a person was sent, if `within` that time."""
    found = await connection.execute(
        select(ErasureCode.created_at)
        .where(ErasureCode.person_id == person_id, ErasureCode.created_at > now() - within)
        .order_by(ErasureCode.id.desc())
        .offset(nth - 1)
        .limit(1)
    )
    return found.scalar_one_or_none()


async def add_code(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert a code."""
    await connection.execute(insert(ErasureCode).values(attempts=0, **values))


async def count_try(connection: AsyncConnection, code_id: UUID) -> None:
    """Count one try of a code."""
    await connection.execute(
        update(ErasureCode)
        .where(ErasureCode.id == code_id)
        .values(attempts=ErasureCode.attempts + 1)
    )


async def use_code(connection: AsyncConnection, code_id: UUID) -> None:
    """Mark a code as used: it serves once."""
    await connection.execute(
        update(ErasureCode).where(ErasureCode.id == code_id).values(used_at=now())
    )


async def delete_old_codes(connection: AsyncConnection, age: timedelta) -> None:
    """Delete the codes that no count reads any more."""
    await connection.execute(delete(ErasureCode).where(ErasureCode.created_at < now() - age))


async def pending(connection: AsyncConnection, person_id: UUID) -> Row[Any] | None:
    """The erasure that a person asked for."""
    found = await connection.execute(
        select(PendingErasure.__table__).where(PendingErasure.person_id == person_id)
    )
    return found.one_or_none()


async def add_pending(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Insert an erasure that waits."""
    await connection.execute(insert(PendingErasure).values(values))


async def note_reminder(connection: AsyncConnection, values: dict[str, Any]) -> None:
    """Write when the person was reminded, with the row's new `mac`."""
    await connection.execute(
        update(PendingErasure)
        .where(PendingErasure.person_id == values["person_id"])
        .values(reminded_at=values["reminded_at"], mac=values["mac"])
    )


async def delete_pending(connection: AsyncConnection, person_id: UUID) -> bool:
    """Cancel an erasure; False when there was none."""
    deleted = await connection.execute(
        delete(PendingErasure).where(PendingErasure.person_id == person_id)
    )
    return deleted.rowcount > 0


async def pending_to_remind(connection: AsyncConnection, before: timedelta) -> Sequence[UUID]:
    """Who was not reminded yet of an erasure that is due within that time."""
    found = await connection.execute(
        select(PendingErasure.person_id).where(
            PendingErasure.erases_at <= now() + before, PendingErasure.reminded_at.is_(None)
        )
    )
    return found.scalars().all()


async def due_erasures(
    connection: AsyncConnection, notice: timedelta, person_id: UUID | None = None
) -> Sequence[UUID]:
    """Whose vault is to be erased now, reminded at least that long ago; of one person if given. Not
    one that may soon be opened again: who asked for it to be erased may not be its person."""
    due = select(PendingErasure.person_id).where(
        PendingErasure.erases_at <= now(),
        PendingErasure.reminded_at <= now() - notice,
        ~is_waited_for(PendingErasure.person_id),
    )
    if person_id is not None:
        due = due.where(PendingErasure.person_id == person_id)
    return (await connection.execute(due)).scalars().all()


async def note_erased(
    connection: AsyncConnection, macs: RowMacs, mark: bytes, erased_at: datetime
) -> None:
    """Keep the mark of an erased vault, once."""
    row = macs.add(ERASED_VAULT_ROW, {"mark": mark, "erased_at": erased_at})
    await connection.execute(upsert(ErasedVault).values(row).on_conflict_do_nothing())


async def erased_marks(connection: AsyncConnection, macs: RowMacs) -> list[bytes]:
    """The marks of all vaults that were erased. Raises `RowAltered`."""
    rows = (await connection.execute(select(ErasedVault.__table__))).all()
    for row in rows:
        macs.check(ERASED_VAULT_ROW, row)
    return [row.mark for row in rows]
