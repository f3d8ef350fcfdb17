"""Giving the rows of release 0.1 their MACs, once: `unefois bind-rows`.

Before, whoever wrote the database was believed. What is in it that day is taken as it is; from then
on a row without the service's MAC is refused. The secret that authenticates rows is made in the
same commit: where it exists, rows are bound already, and nothing is ever bound again.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Uuid, bindparam, select, text
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from audit.records import (
    AUDIT_KEY_ROW,
    EVENT_ROW,
    OUTCOME_ROW,
    AccessEvent,
    AccessOutcome,
    AuditKey,
)
from auth.records.people import PERSON_ROW, PersonRow
from auth.records.recipients import CLIENT_ROW, WORKER_ROW, ClientRow, WorkerRow
from auth.records.sessions import SESSION_ROW, Session, delete_dead_sessions
from base.database import Base, Database
from base.db_time import instant
from base.key_names import CONSENT_REQUEST, ROW_MACS, SENT_REQUEST
from storage.envelopes import Address, InvalidEnvelope, bound_envelope, is_bound
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError
from storage.row_macs import RowFormat, RowMacs
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services
from vault.tables import (
    DOCUMENT_ROW,
    GRANT_ROW,
    IDEMPOTENCY_ROW,
    REQUEST_ROW,
    VERSION_ROW,
    ConsentRequest,
    Document,
    DocumentVersion,
    Grant,
    Idempotency,
    SealedFile,
)

BATCH = 1000
_NOT_OF_BEFORE = (
    "files are bound already, so these rows are not of release 0.1: the row `row-macs` of"
    " unefois.wrapped_key was removed; put it back from a backup, and see who writes the database"
)
Progress = Callable[[int, int], None]

BOUND_TABLES: tuple[tuple[type[Base], RowFormat, str], ...] = (
    (AuditKey, AUDIT_KEY_ROW, "id"),
    (PersonRow, PERSON_ROW, "id"),
    (WorkerRow, WORKER_ROW, "id"),
    (ClientRow, CLIENT_ROW, "id"),
    (Session, SESSION_ROW, "id"),
    (Document, DOCUMENT_ROW, "id"),
    (DocumentVersion, VERSION_ROW, "id"),
    (ConsentRequest, REQUEST_ROW, "id"),
    (Grant, GRANT_ROW, "id"),
    (Idempotency, IDEMPOTENCY_ROW, "key_hash"),
    (AccessOutcome, OUTCOME_ROW, "event_id"),
    (AccessEvent, EVENT_ROW, "id"),
)
"""Every table whose rows carry a MAC, its format, and its primary key."""


class RowsBound(ValueError):
    """Rows are bound already, or carry the MACs of a secret that is gone."""


@dataclass(slots=True)
class Binding:
    """How many rows got a MAC, and how many sealed values did not open and stay as they are."""

    rows: int = 0
    files: int = 0
    broken: int = 0


async def bind_rows(services: Services, owner: Database, progress: Progress) -> Binding:
    """Bind every row, as the tables' owner: the service itself may not change most of them.

    The service MUST be stopped. All in one commit: a crash before it leaves every row as it was.
    Raises `RowsBound`.
    """
    done = Binding()
    async with owner.transaction() as tx:
        if not await services.storage.keys.create_once(tx, ROW_MACS):
            raise RowsBound("the rows are bound already: there is nothing to do")
        await services.storage.keys.recall(tx, ROW_MACS)
        macs = await services.field_encryption.row_macs()
        await _check_unbound(tx)
        # With a MAC, one that ended would open again if its end were taken back.
        await delete_dead_sessions(tx)
        await tx.execute(text("ALTER TABLE unefois.access_event DISABLE TRIGGER only_grows"))
        await tx.execute(text("ALTER TABLE unefois.access_outcome DISABLE TRIGGER only_grows"))
        await _seal_for_senders(services, tx, done)
        await _bind_files(services, tx, done)
        for at, (table, row_format, key) in enumerate(BOUND_TABLES):
            progress(at, len(BOUND_TABLES))
            done.rows += await _bind_table(tx, macs, table, row_format, key)
        await tx.execute(text("ALTER TABLE unefois.access_event ENABLE TRIGGER only_grows"))
        await tx.execute(text("ALTER TABLE unefois.access_outcome ENABLE TRIGGER only_grows"))
        attempt = AccessAttempt(
            action=Action.ROWS_BOUND,
            actor=Actor(ActorKind.OPERATOR),
            details={"rows": done.rows, "files": done.files, "broken": done.broken},
        )
        # By now the cache may have dropped it, and no other connection reads it before the commit.
        await services.storage.keys.recall(tx, ROW_MACS)
        await record_allowed(services, tx, await instant(tx), attempt)
    progress(len(BOUND_TABLES), len(BOUND_TABLES))
    return done


async def _check_unbound(tx: AsyncConnection) -> None:
    for table, row_format, _ in BOUND_TABLES:
        found = await tx.execute(
            select(table.__table__.c.mac).where(table.__table__.c.mac.is_not(None)).limit(1)
        )
        if found.first() is not None:
            raise RowsBound(
                f"rows of {row_format.table} carry a MAC already, whose secret is gone: put the"
                " row `row-macs` of unefois.wrapped_key back from a backup"
            )


async def _bind_table(
    tx: AsyncConnection, macs: RowMacs, table: type[Base], row_format: RowFormat, key: str
) -> int:
    bound = 0
    async for rows in _pages(tx, table, key):
        values = [macs.of(row_format, row._asdict()) for row in rows]
        await _set(tx, table, key, "mac", [getattr(row, key) for row in rows], values)
        bound += len(rows)
    return bound


async def _seal_for_senders(services: Services, tx: AsyncConnection, done: Binding) -> None:
    """What a sender reads back is sealed under the service's key, for requests of before too."""
    writer = await services.field_encryption.writer(None)
    async for rows in _pages(tx, ConsentRequest, "id"):
        sealed: dict[UUID, bytes] = {}
        for row in rows:
            try:
                reader = await services.field_encryption.reader(row.person_id, tx)
                values = reader.open(CONSENT_REQUEST, row.id, row.sealed)
            except (DecryptionError, KeyDestroyed):
                done.broken += 1
                continue
            sealed[row.id] = writer.seal(SENT_REQUEST, row.id, values)
        await _set(tx, ConsentRequest, "id", "sender_sealed", [*sealed], [*sealed.values()])


async def _bind_files(services: Services, tx: AsyncConnection, done: Binding) -> None:
    """Envelopes become bound to all that their rows say."""
    async for rows in _pages(tx, SealedFile, "id"):
        sealed: dict[UUID, bytes] = {}
        for row in rows:
            address = Address(
                row.id, row.role, row.version_id, row.position, row.blob_key, row.envelope
            )
            try:
                secret = await services.storage.keys.owner(row.person_id, tx)
                sealed[row.id] = bound_envelope(secret, address)
            except KeyDestroyed:
                done.broken += 1
            except InvalidEnvelope:
                if is_bound(secret, address):
                    raise RowsBound(_NOT_OF_BEFORE) from None
                done.broken += 1
        await _set(tx, SealedFile, "id", "envelope", [*sealed], [*sealed.values()])
        done.files += len(sealed)


async def _pages(tx: AsyncConnection, table: type[Base], key: str) -> AsyncIterator[list[Row[Any]]]:
    """Every row, in the order of its primary key."""
    column = table.__table__.c[key]
    query = select(table.__table__).order_by(column).limit(BATCH)
    rows = list(await tx.execute(query))
    while rows:
        yield rows
        rows = list(await tx.execute(query.where(column > getattr(rows[-1], key))))


async def _set(
    tx: AsyncConnection,
    table: type[Base],
    key: str,
    name: str,
    keys: list[Any],
    values: list[bytes],
) -> None:
    """Set one column of many rows."""
    if not keys:
        return
    kind = "bytea" if key == "key_hash" else "uuid"
    statement = text(
        f'UPDATE unefois."{table.__tablename__}" AS t SET {name} = new.value'  # noqa: S608  (our names)
        f" FROM unnest(CAST(:keys AS {kind}[]), CAST(:values AS bytea[])) AS new(key, value)"
        f" WHERE t.{key} = new.key"
    ).bindparams(
        bindparam("keys", type_=ARRAY(LargeBinary() if kind == "bytea" else Uuid())),
        bindparam("values", type_=ARRAY(LargeBinary())),
    )
    await tx.execute(statement, {"keys": keys, "values": values})
