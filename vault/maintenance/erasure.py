"""Erasure: destroying a person's key makes all that it sealed unreadable (invariant 8)."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import sessions
from auth.records import joins, people
from auth.subjects import Person
from base.database import notify
from base.db_time import instant
from base.locks import hold_vault
from vault.consent.meeting_erasure import leave_meetings
from vault.consent.request_transfer import release_requests
from vault.decisions import AccessAttempt, record_allowed
from vault.documents import records as documents_records
from vault.documents.uploads import records as upload_records
from vault.exports import records as export_records
from vault.maintenance import erasure_notes, records
from vault.maintenance.cleanup import remove_blobs
from vault.recovery import records as recoveries
from vault.representation.representation_ends import leave_representations
from vault.revocations import CHANNEL
from vault.services import Services
from vault.trusted.trusted_ends import leave_trusted


async def erase(
    services: Services,
    person: Person,
    *,
    only_if: Callable[[AsyncConnection], Awaitable[bool]] | None = None,
    restored: bool = False,
) -> bool:
    """Erase a vault: key, rows, sessions, grants in one commit; then the blobs, unreadable already.
    Those that ended in it go with it.

    The log keeps commitments that reveal nothing. A crash after the commit leaves blobs that
    nobody can open and no row refers to: `sweep_blobs` removes them. `only_if` is asked under the
    vault's lock; False when it says no, and for a vault that ended in another: it goes with that.
    `restored`: it was erased before, and came back with a backup.
    """
    keys: list[str] = []
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        if await people.has_ended(tx, person.id):
            return False
        if only_if is not None and not await only_if(tx):
            return False
        erased = [person.id, *await _ended_in(services, tx, person.id)]
        for one in erased:
            keys += await _erase_one(services, tx, one, restored)
    for one in erased:
        services.audit_log.forget(one)
    await remove_blobs(services, keys)
    return True


async def _ended_in(services: Services, tx: AsyncConnection, person_id: UUID) -> list[UUID]:
    """The vaults that ended in this one: their logs are read in it, and go with it."""
    macs = await services.field_encryption.row_macs()
    found = [row.person_id for row in await joins.joins_into(tx, macs, person_id)]
    for one in found:
        await hold_vault(tx, one)
    return found


async def _erase_one(
    services: Services, tx: AsyncConnection, person_id: UUID, restored: bool
) -> list[str]:
    """Erase one vault; the keys of its blobs. The caller MUST hold it."""
    keys = await documents_records.blob_keys_of(tx, person_id)
    keys += await upload_records.blob_keys_of(tx, person_id)
    keys += await export_records.blob_keys_of(tx, person_id)
    for grant_id in await records.live_grants(tx, person_id):
        await notify(tx, CHANNEL, str(grant_id))
    # Under the service's key, without the person: only that a vault was erased, and when.
    at = await instant(tx)
    details: dict[str, str | int] = {"marked": 1, **({"restored": 1} if restored else {})}
    attempt = AccessAttempt(
        action=Action.VAULT_ERASED, actor=Actor(ActorKind.OWNER), details=details
    )
    await record_allowed(services, tx, at, attempt)
    # For a backup from before: it brings the rows back, with this id.
    macs = await services.field_encryption.row_macs()
    await records.note_erased(tx, macs, erasure_notes.mark(person_id), at)
    await release_requests(services, tx, person_id)
    await leave_meetings(services, tx, person_id)
    await recoveries.leave(tx, await services.field_encryption.row_macs(), person_id)
    await leave_trusted(services, tx, Person(person_id), erased=True)
    await leave_representations(services, tx, Person(person_id), stays=None)
    await records.delete_audit_keys(tx, person_id)
    await sessions.end_with_account(tx, "person", person_id)
    await people.delete_person(tx, person_id)
    await services.storage.keys.destroy_owner(tx, person_id)
    return keys
