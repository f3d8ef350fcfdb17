"""Single pages of a PDF, drawn when they are looked at, for its owner and under a grant.

A page is drawn in a decoding child from the file that the caller would get, and kept nowhere.
Whoever leafs through a paper opens it once: the first page that is asked for is recorded as an
opening of the paper with all its pages, and the others leave under that line for ten minutes. Each
is judged anew: after a revocation the next one is refused.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Person, Worker
from base import clock
from base.db_time import instant
from base.errors import ServiceError, not_found
from base.key_names import DOCUMENT_VERSION, ORIGINAL, RENDITION
from base.pipeline import fetch_one
from vault import rules
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as grant_records
from vault.decisions import AccessAttempt, Denial, record_denial
from vault.decoding.media import MediaType
from vault.documents import records
from vault.documents.recorded_lines import record_once
from vault.documents.retrieval import Download, RecordedLine, download_of, note_end
from vault.revocations import Watched
from vault.rules import Allowed, GrantAction, Judgement, Reason, Refused
from vault.services import Services

_ALL_PAGES = {"shown": "pages"}


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """The picture of a page, in memory: at most 300 KiB."""

    data: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """Bytes."""
        return len(self.data)

    async def slices(self, start: int = 0, stop: int | None = None) -> AsyncIterator[memoryview]:
        """data[start:stop], in one slice."""
        yield memoryview(self.data)[start:stop]


async def open_granted_page(
    services: Services, worker: Worker, grant_id: UUID, document_id: UUID, number: int
) -> Download:
    """Page `number` (from 1) of a PDF under a grant, of what recipients get of it. Raises
    `ServiceError` as `retrieval.open_granted` and `Decoder.page` do; a page that is not there is
    `not_found`."""
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    judgement: Judgement
    # 1-3. Load, judge, record, or find the line under which this reading goes on.
    async with services.database.transaction() as tx:
        row = await fetch_one(tx, records.document_under_grant(grant_id, document_id))
        macs = await services.field_encryption.row_macs()
        document = records.document_facts(macs, row)
        facts = grant_records.grant_facts(macs, row)
        judgement = rules.may_open(facts, document, caller=worker.party, action=GrantAction.READ)
        attempt = await attempt_under(services, tx, row, worker, Action.READ, judgement)
        if row is not None and document is not None and document.same_person:
            details = {"version": row.v_number, **_ALL_PAGES}
            attempt = replace(attempt, documents=(document_id,), details=details)
        if isinstance(judgement, Allowed) and not await _has_page(services, tx, row, number):
            judgement = Refused(Reason.NOT_FOUND)
        if row is not None and isinstance(judgement, Allowed):
            event_id = await record_once(services, tx, row.at, attempt)
    if row is None or event_id is None:
        raise await record_denial(services, Denial(attempt, rules.reason_of(judgement)))
    # 4. Committed: only now is the file opened.
    file = await download_of(
        services,
        row.person_id,
        row,
        RecordedLine(event_id, judged_at, shared=True),
        watched=Watched(grant_id, worker.session_id),
        seconds_left=(row.ends_at - row.at).total_seconds(),
    )
    return await _drawn(services, file, number, worker.id)


async def open_own_page(
    services: Services, person: Person, document_id: UUID, number: int
) -> Download:
    """Page `number` (from 1) of the person's own PDF: of the copy for recipients where there is
    one, as its preview is. Raises as `open_granted_page` does."""
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    attempt = AccessAttempt(
        action=Action.READ, actor=person.actor(), person=person.id, documents=(document_id,)
    )
    async with services.database.transaction() as tx:
        files = await records.own_files(tx, person.id, document_id)
        records.check_own(await services.field_encryption.row_macs(), files)
        if files:
            attempt = replace(attempt, details={"version": files[0].v_number, **_ALL_PAGES})
        if files and await _has_page(services, tx, files[0], number):
            event_id = await record_once(services, tx, await instant(tx), attempt)
    if event_id is None:
        unknown = attempt if files else replace(attempt, documents=())
        raise await record_denial(services, Denial(unknown, Reason.NOT_FOUND))
    watched = Watched(None, person.session_id)
    line = RecordedLine(event_id, judged_at, shared=True)
    file = await download_of(services, person.id, _pdf_of(files), line, watched=watched)
    return await _drawn(services, file, number, person.id)


async def _has_page(services: Services, tx: AsyncConnection, row: Any, number: int) -> bool:
    """Whether the version, which the caller may read, is a PDF with such a page. If not, that is
    refused, and no line says that anything was read."""
    reader = await services.field_encryption.reader(row.v_person_id, tx)
    file: dict[str, Any] = reader.open(DOCUMENT_VERSION, row.v_id, row.v_sealed)
    pages: int = file["pages"] if file["rendition_media_type"] == MediaType.PDF else 0
    return 1 <= number <= pages


def _pdf_of(files: Any) -> Any | None:
    """The row of the copy for recipients, or of the original; `own_files` sorts by position."""
    for role in (RENDITION, ORIGINAL):
        for file in files:
            if file.role == role:
                return file
    return None


async def _drawn(services: Services, file: Download, number: int, account: UUID) -> Download:
    """The page as a download, in place of its file. It counts for whoever looks at it."""
    try:
        if file.media_type != MediaType.PDF:
            raise not_found()
        picture = await services.decoder.page(
            file.content.slices, number, account=account, size=file.length
        )
    except ServiceError:
        note_end(services, file.line, completed=False)
        raise
    return replace(
        file,
        content=DrawnPage(picture),
        media_type=MediaType.JPEG.value,
        etag=f"{file.etag}.page-{number}",
        file_name=None,
    )
