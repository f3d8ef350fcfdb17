"""Deletes what has expired and what a crash left. Run as jobs and by command."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from audit.events import Action, Actor, ActorKind
from auth.records.joins import delete_old_joins
from auth.records.representations import delete_old_representations
from base import clock
from base.db_time import instant
from base.locks import BLOBS, try_hold
from storage.blobs import BlobKey
from storage.envelopes import FILES
from vault import records as vault_records
from vault.consent.meeting_rules import OVER_AFTER
from vault.consent.records.labels import delete_old_labels
from vault.consent.records.meetings import delete_old_meetings
from vault.consent.records.requests import delete_unanswered
from vault.decisions import AccessAttempt, record_allowed
from vault.documents import records
from vault.documents.uploads import records as upload_records
from vault.exports import records as export_records
from vault.maintenance import records as maintenance_records
from vault.maintenance.erasure_codes import DAY
from vault.maintenance.joins.join_rules import OVER_AFTER as JOIN_OVER_AFTER
from vault.records import delete_attempts
from vault.recovery import records as recoveries
from vault.recovery.recovery_rules import REMEMBERED
from vault.representation.representation_rules import ENDED_KEPT as REPRESENTATION_KEPT
from vault.representation.representation_rules import OVER_AFTER as REPRESENTATION_OVER_AFTER
from vault.services import Services
from vault.trusted.records import delete_old_namings
from vault.trusted.trusted_rules import ENDED_KEPT
from vault.trusted.trusted_rules import OVER_AFTER as TRUSTED_OVER_AFTER

_log = structlog.get_logger()

SERVICE = Actor(ActorKind.SERVICE)
LAPSED_RETENTION = timedelta(days=30)
_PAGE = 500
_BATCH = 100
MIN_BLOB_AGE = timedelta(hours=2)
"""A younger blob may belong to an upload that has not committed its row: none takes longer."""
_MAX_DISAGREEMENT = timedelta(minutes=1)


async def purge_deleted(services: Services) -> int:
    """Remove for good the documents deleted more than 30 days ago; returns how many.

    Rows and event are one commit; the blobs are then unreferenced. A crash leaves either the
    document, still deleted, or unreferenced blobs, which `sweep_blobs` removes.
    """
    purged = 0
    while True:
        async with services.database.transaction() as tx:
            due = await maintenance_records.due_for_purge(tx, _BATCH)
            at = await instant(tx)
            keys: list[str] = []
            for row in due:
                keys += await records.blob_keys_of(tx, row.person_id, row.id)
                await records.delete_document(tx, row.person_id, row.id)
                attempt = AccessAttempt(
                    action=Action.PURGE, actor=SERVICE, person=row.person_id, documents=(row.id,)
                )
                await record_allowed(services, tx, at, attempt)
        await remove_blobs(services, keys)
        purged += len(due)
        if len(due) < _BATCH:
            return purged


async def remove_blobs(services: Services, keys: Sequence[str]) -> bool:
    """Remove blobs that no row refers to any more; returns whether it was done.

    Not done during a backup, whose snapshot may refer to them. `sweep_blobs` removes them later.
    """
    async with services.database.transaction() as lock:
        if not await try_hold(lock, BLOBS):
            return False
        for key in keys:
            await services.storage.blobs.delete(BlobKey(key))
    return True


async def sweep_blobs(services: Services, older_than: timedelta = MIN_BLOB_AGE) -> int | None:
    """Remove unreferenced blobs that are older than any running upload; returns how many.

    None, without doing anything, during a backup. None are removed while the machine's clock, which
    may have dated them, and the database's disagree: nobody knows then how old one is.
    """
    after: BlobKey | None = None
    async with services.database.transaction() as lock:
        if not await try_hold(lock, BLOBS):
            return None
        now = await instant(lock)
        if abs(clock.machine_now() - now) > _MAX_DISAGREEMENT:
            _log.warning(
                "clocks_disagree", seconds=round((clock.machine_now() - now).total_seconds())
            )
            return 0
        before = now - older_than
        removed = await services.storage.blobs.sweep_temporary(before)
        while page := await services.storage.blobs.page(f"{FILES}/", after, _PAGE):
            after = page[-1].key
            old = [blob.key for blob in page if blob.modified_at < before]
            async with services.database.transaction() as tx:
                known = await records.known_blobs(tx, old)
                known |= await upload_records.known_pieces(tx, old)
                known |= await export_records.known_pieces(tx, old)
            for key in old:
                if key not in known:
                    await services.storage.blobs.delete(key)
                    removed += 1
    return removed


async def sweep_rows(services: Services) -> None:
    """Delete old rows: answers to idempotency keys, attempts, requests that were not approved,
    codes, labels of people who are shown to their worker no more, meetings, joins, namings,
    representations and recoveries that are over.
    """
    async with services.database.transaction() as tx:
        await vault_records.delete_idempotency_answers(tx)
        await delete_attempts(tx, older_than=timedelta(hours=1))
        await delete_unanswered(tx, LAPSED_RETENTION)
        await maintenance_records.delete_old_codes(tx, DAY)
        await delete_old_labels(tx)
        await delete_old_meetings(tx, OVER_AFTER)
        await delete_old_joins(tx, JOIN_OVER_AFTER)
        await delete_old_namings(tx, TRUSTED_OVER_AFTER, ENDED_KEPT)
        await delete_old_representations(tx, REPRESENTATION_OVER_AFTER, REPRESENTATION_KEPT)
        await recoveries.delete_old(tx, REMEMBERED)
