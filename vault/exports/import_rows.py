"""The row of an import: how far it is, what is sealed of it, its changes one after the other."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.db_time import instant
from base.errors import ServiceError
from base.ids import new_id
from base.key_names import ARCHIVE
from base.pipeline import Transaction, fetch_one, write
from vault import jobs
from vault.exports import records
from vault.exports.archives import Superseded
from vault.services import Services

LIFE = timedelta(days=7)
"""After the last thing that happened to it."""
State = Literal["receiving", "checking", "asked", "coming", "done", "refused"]
"""`checking`: all of it is there, and a job looks; `asked`: its person is; `coming`: paper after
paper."""
Values = dict[str, Any]


async def add(
    services: Services, tx: AsyncConnection, person: Person, *, announced: int
) -> Mapping[str, Any]:
    """The row of an import that begins, of so many bytes; -1 where nobody said. The vault is
    locked."""
    at, import_id = await instant(tx), new_id()
    sealed = {"state": "receiving", "announced": announced, "language": person.language}
    writer = await services.field_encryption.writer(person.id, tx)
    values = {
        "id": import_id,
        "person_id": person.id,
        "kind": records.IMPORT,
        "attempt": 0,
        "length": 0,
        "pieces": 0,
        "asked_at": at,
        "ready_at": None,
        "done_at": None,
        "expires_at": at + LIFE,
        "sealed": writer.seal(ARCHIVE, import_id, sealed),
    }
    macs = await services.field_encryption.row_macs()
    await records.add_archive(tx, **macs.add(records.ARCHIVE_ROW, values))
    return values


async def hold(services: Services, tx: Transaction, person_id: UUID, import_id: UUID) -> Any:
    """The row of an import, which nobody else changes meanwhile. Raises `Superseded` for one that
    is gone."""
    row = await fetch_one(tx, records.hold_archive(person_id, import_id))
    if row is None or row.kind != records.IMPORT:
        raise Superseded
    (await services.field_encryption.row_macs()).check(records.ARCHIVE_ROW, row)
    return row


async def hold_living(
    services: Services, tx: AsyncConnection, person_id: UUID, import_id: UUID
) -> Any:
    """The same, of a vault that is still there: it is locked first."""
    try:
        await hold_living_vault(tx, person_id)
    except ServiceError:
        raise Superseded from None
    return await hold(services, tx, person_id, import_id)


async def opened(services: Services, row: Any) -> Values:
    """What is sealed of it."""
    reader = await services.field_encryption.reader(row.person_id)
    return reader.open(ARCHIVE, row.id, row.sealed)


async def change(
    services: Services,
    tx: Transaction,
    row: Any,
    at: datetime,
    values: Values | None = None,
    **columns: Any,
) -> None:
    """Change a row that is held: what is sealed, where `values` are given, and columns. It lives on
    from now."""
    changed = {"expires_at": at + LIFE, **columns}
    if values is not None:
        writer = await services.field_encryption.writer(row.person_id)
        changed["sealed"] = writer.seal(ARCHIVE, row.id, values)
    macs = await services.field_encryption.row_macs()
    await write(tx, records.change_held(macs, row, changed))


async def end_receiving(
    services: Services, tx: AsyncConnection, row: Any, at: datetime, values: Values, **columns: Any
) -> None:
    """All of it is there: a job looks at it. One commit."""
    checking = {**values, "state": "checking"}
    await change(services, tx, row, at, checking, ready_at=at, **columns)
    await write(tx, jobs.import_job(row.person_id, row.id))
