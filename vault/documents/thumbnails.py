"""Thumbnails of the owner's papers, in the owner's own lists.

A list that shows them says so in its line, which names each paper; a thumbnail leaves under that
line for ten minutes, so that fifty of them are one line. Without such a line it is recorded as a
preview that was seen. Nobody else has thumbnails: to a worker a picture of a paper is a reading.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from audit.events import Action
from auth.subjects import Person
from base import clock
from base.db_time import instant
from base.key_names import THUMBNAIL
from base.locks import hold_vault
from base.pipeline import write
from vault import jobs
from vault.decisions import AccessAttempt, Denial, record_denial
from vault.documents import records
from vault.documents.recorded_lines import covering_line, record_once
from vault.documents.retrieval import Download, RecordedLine, download_of
from vault.revocations import Watched
from vault.rules import Reason
from vault.services import Services

SHOWN: dict[str, str | int] = {"shown": "thumbnails"}
"""What the line of a list says that shows them."""


async def open_own_thumbnail(services: Services, person: Person, document_id: UUID) -> Download:
    """The thumbnail of the person's own document. Raises `not_found`, recorded, and `no_preview`
    while it has none."""
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    seen = AccessAttempt(
        action=Action.PREVIEW, actor=person.actor(), person=person.id, documents=(document_id,)
    )
    listed = replace(seen, action=Action.LIST, details=SHOWN)
    async with services.database.transaction() as tx:
        files = await records.own_files(tx, person.id, document_id)
        records.check_own(await services.field_encryption.row_macs(), files)
        if files:
            at = await instant(tx)
            # A list from before this version showed another picture.
            event_id = await covering_line(services, tx, at, listed, since=files[0].v_created_at)
            if event_id is None:
                seen = replace(seen, details={"version": files[0].v_number, **SHOWN})
                event_id = await record_once(services, tx, at, seen)
    if event_id is None:
        unknown = replace(seen, documents=())
        raise await record_denial(services, Denial(unknown, Reason.NOT_FOUND))
    small = next((file for file in files if file.role == THUMBNAIL), None)
    watched = Watched(None, person.session_id)
    line = RecordedLine(event_id, judged_at, shared=True)
    return await download_of(services, person.id, small, line, watched=watched, preview=True)


async def queue_missing(services: Services, person_id: UUID, rows: Sequence[Any]) -> None:
    """Queue the thumbnails of papers held from before, each once. Rows of `records.documents`. A
    crash leaves pictograms in their place until the next list."""
    missing = [row.v_id for row in rows if row.has_preview and not row.has_thumbnail]
    if not missing:
        return
    async with services.database.transaction() as tx:
        await hold_vault(
            tx, person_id
        )  # of two lists at once the second sees what the first queued
        for version_id in missing:
            await write(tx, jobs.thumbnail_job(person_id, version_id))
