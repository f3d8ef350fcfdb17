"""The vaults that ended in another one: their logs, which their person still reads there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.events import Action
from auth.assistance import check_self
from auth.records import joins as records
from auth.subjects import Person
from vault.access_log.entries import EntryView, list_for_person
from vault.cursors import Page
from vault.maintenance.joins.join_codes import unknown
from vault.services import Services


@dataclass(frozen=True, slots=True)
class JoinedVault:
    """A vault that ended in the caller's. `id`: of the join."""

    id: UUID
    joined_at: datetime


async def list_joined(services: Services, person: Person) -> list[JoinedVault]:
    """The vaults that ended in the caller's, the last first."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.joins_into(tx, macs, person.id)
    return [JoinedVault(row.id, row.joined_at) for row in rows]


async def log_of_joined(
    services: Services, person: Person, join_id: UUID, *, cursor: str | None, limit: int
) -> Page[EntryView]:
    """What happened on a vault until it ended in the caller's, newest first; beside a worker, as
    `list_for_person`. Raises `ServiceError` `not_found`, REFUSED `not_when_represented`,
    recorded."""
    await check_self(services, person, Action.LOG_READ)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.join(tx, macs, join_id)
    if row is None or row.joined_at is None or row.stays_id != person.id:
        raise await unknown(services, person, Action.LOG_READ)
    owner = Person(row.person_id, beside=person.beside)
    return await list_for_person(services, owner, cursor=cursor, limit=limit)
