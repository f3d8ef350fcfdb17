"""« Tout emporter »: a copy of all that a vault has, asked for, watched, taken, given up.

Whoever asks proves that they are there now, and takes it with that session; another one proves it
again. The vault's phone is told. It is there for seven days once it is ready, then it is gone.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, holder_proofs, means_log
from auth.closing_notices import note_export
from auth.holder_proofs import Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import ARCHIVE
from base.pipeline import write
from vault import jobs
from vault.decisions import AccessAttempt, record_allowed, record_refusal
from vault.documents.retrieval import Download, RecordedLine, note_end
from vault.exports import archives, records
from vault.exports.archives import ArchiveContent
from vault.exports.export_plan import papers_until
from vault.exports.zip_format import ZipEntry
from vault.recovery.recovery_aftermath import recovered_lately
from vault.revocations import Watched
from vault.rules import Reason
from vault.services import Services

LIFE = timedelta(days=7)
ASKED = Rate(3, timedelta(hours=8))
"""How many exports a vault begins; asking for the one that is there is none."""
MEDIA_TYPE = "application/zip"


@dataclass(frozen=True, slots=True)
class ExportView:
    """An export: how many papers go in, how many of them are in, and how many bytes are made.
    `waits`: the store took nothing the last time, and it is tried again. `mine`: this session may
    take it."""

    id: UUID
    state: Literal["making", "ready"]
    papers: int
    done: int
    length: int
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime
    waits: bool
    mine: bool


async def ask(
    services: Services, person: Person, proof: Proof, visitor: Visitor = UNKNOWN
) -> ExportView:
    """Have a copy made, or get the one that is there, which this session may then take. Raises as
    `auth.holder_proofs.show`; REFUSED `recovered_lately`, TOO_MANY `too_many_requests`. A crash
    before the commit leaves nothing; after it, a job makes the copy."""
    action = Action.EXPORT_ASKED
    shown = await holder_proofs.show(services, person, action, proof, visitor, or_waited=False)
    if await recovered_lately(services, person) is not None:
        raise await record_refusal(services, _attempt(person, action), Reason.RECOVERED_LATELY)
    if await latest(services, person) is None:
        await _take_turn(services, person)
    async with services.database.transaction() as tx:
        asked = await _ask(services, tx, person, shown)
    if asked is None:
        raise ServiceError(ErrorKind.REFUSED, "proof_wrong")
    return asked


async def latest(services: Services, person: Person) -> ExportView | None:
    """The export that the vault has, if it has one. Not recorded: only its own person sees it."""
    async with services.database.transaction() as tx:
        rows = await records.living(tx, person.id, records.EXPORT)
    return await _view(services, person, rows[0]) if rows else None


async def see(services: Services, person: Person, export_id: UUID) -> ExportView:
    """An export of the person. Raises `not_found`, recorded."""
    return await _view(services, person, await _own(services, person, export_id))


async def open_export(services: Services, person: Person, export_id: UUID) -> Download:
    """A whole export, which may now leave: the line is committed. Raises `not_found`,
    `not_when_assisted`, `proof_needed`, all recorded; CONFLICT `export_not_ready`."""
    action = Action.VAULT_EXPORTED
    await assistance.check_alone(services, person, action)
    row = await _own(services, person, export_id)
    view = await _view(services, person, row)
    if not view.mine:
        raise await holder_proofs.refuse(services, person, action, "proof_needed")
    if view.ready_at is None:
        raise ServiceError(ErrorKind.CONFLICT, "export_not_ready")
    judged_at = clock.monotonic()
    async with services.database.transaction() as tx:
        attempt = _attempt(person, action, papers=view.papers)
        line = RecordedLine(
            await record_allowed(services, tx, await instant(tx), attempt), judged_at
        )
        pieces = await records.pieces_of(tx, person.id, export_id)
        await note_export(services, tx, person)
    try:
        content = ArchiveContent(services, person.id, row, pieces)
    except ServiceError:
        note_end(services, line, completed=False)
        raise
    return Download(
        line=line,
        etag=str(export_id),
        media_type=MEDIA_TYPE,
        file_name=f"mes-papiers-{view.asked_at:%Y-%m-%d}.zip",
        type_code="export",
        pages=0,
        content=content,
        watched=Watched(None, person.session_id),
    )


async def cancel(services: Services, person: Person, export_id: UUID) -> None:
    """Give an export up, made or not. Raises `not_found`, `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.EXPORT_ASKED)
    if not await archives.delete(services, person.id, export_id):
        raise await _unknown(services, person)


async def _take_turn(services: Services, person: Person) -> None:
    taken = await SharedBuckets(services, "export", ASKED).take(person.id.bytes, 1)
    if not taken.granted:
        attempt, wait = _attempt(person, Action.EXPORT_ASKED), max(1, round(taken.wait))
        raise await record_refusal(services, attempt, Reason.PACED, retry_after=wait)


async def _ask(
    services: Services, tx: AsyncConnection, person: Person, shown: ShownProof
) -> ExportView | None:
    """None where the proof served something else meanwhile, which is recorded."""
    await hold_living_vault(tx, person.id)
    if not await holder_proofs.serves(services, tx, person, shown):
        await means_log.record(services, tx, person, Action.EXPORT_ASKED, reason="proof_wrong")
        return None
    await holder_proofs.spend(services, tx, person, shown)
    rows = await records.living(tx, person.id, records.EXPORT)
    if rows:
        return await _let_take(services, tx, person, rows[0])
    # The row, its job, its line and its message: one commit.
    export = await _add(services, tx, person)
    await write(tx, jobs.export_job(person.id, export.id))
    attempt = _attempt(person, Action.EXPORT_ASKED, papers=export.papers)
    await record_allowed(services, tx, export.asked_at, attempt)
    await means_log.tell(services, tx, person.id, Action.EXPORT_ASKED)
    return export


async def _add(services: Services, tx: AsyncConnection, person: Person) -> ExportView:
    at, export_id = await instant(tx), new_id()
    documents = [str(one) for one in await records.document_ids(tx, person.id)]
    sealed = {
        "documents": documents,
        "language": person.language,
        "sessions": [str(person.session_id)],
    }
    writer = await services.field_encryption.writer(person.id, tx)
    values = {
        "id": export_id,
        "person_id": person.id,
        "kind": records.EXPORT,
        "attempt": 0,
        "length": 0,
        "pieces": 0,
        "asked_at": at,
        "ready_at": None,
        "done_at": None,
        "expires_at": at + LIFE,
        "sealed": writer.seal(ARCHIVE, export_id, sealed),
    }
    macs = await services.field_encryption.row_macs()
    await records.add_archive(tx, **macs.add(records.ARCHIVE_ROW, values))
    (row,) = await records.living(tx, person.id, records.EXPORT)
    return _view_of(row, sealed, person, 0)


async def _let_take(
    services: Services, tx: AsyncConnection, person: Person, found: Any
) -> ExportView:
    """This session may take it too, from now on."""
    row = await records.archive(tx, person.id, found.id, lock=True)
    if row is None:
        raise LookupError("an export vanished under the lock of its vault")
    macs = await services.field_encryption.row_macs()
    macs.check(records.ARCHIVE_ROW, row)
    reader = await services.field_encryption.reader(person.id, tx)
    values = reader.open(ARCHIVE, row.id, row.sealed)
    sessions = {*values["sessions"], str(person.session_id)}
    writer = await services.field_encryption.writer(person.id, tx)
    sealed = writer.seal(ARCHIVE, row.id, {**values, "sessions": sorted(sessions)})
    await records.change_archive(tx, macs, row, sealed=sealed)
    return replace(_view_of(row, values, person, await _done(services, tx, row)), mine=True)


async def _own(services: Services, person: Person, export_id: UUID) -> Any:
    async with services.database.transaction() as tx:
        row = await records.archive(tx, person.id, export_id)
    if row is None or row.kind != records.EXPORT:
        raise await _unknown(services, person)
    return row


async def _unknown(services: Services, person: Person) -> ServiceError:
    """Another person's, over, or none: recorded in the caller's log, same answer (inv. 7)."""
    attempt = _attempt(person, Action.VAULT_EXPORTED)
    return await record_refusal(services, attempt, Reason.NOT_FOUND)


async def _view(services: Services, person: Person, row: Any) -> ExportView:
    (await services.field_encryption.row_macs()).check(records.ARCHIVE_ROW, row)
    reader = await services.field_encryption.reader(person.id)
    async with services.database.transaction() as tx:
        done = await _done(services, tx, row)
    return _view_of(row, reader.open(ARCHIVE, row.id, row.sealed), person, done)


async def _done(services: Services, tx: AsyncConnection, row: Any) -> int | None:
    """How many papers were begun where it is safe, by the last entry there; None for all."""
    if row.ready_at is not None or not row.pieces:
        return 0 if row.ready_at is None else None
    piece = await records.piece_at(tx, row.person_id, row.id, row.pieces - 1)
    if piece is None:
        return 0
    reader = await services.field_encryption.reader(row.person_id, tx)
    entries = reader.open(ARCHIVE, piece.id, piece.sealed)["entries"]
    return papers_until(ZipEntry.of(entries[-1]).path) if entries else 0


def _view_of(row: Any, values: dict[str, Any], person: Person, done: int | None) -> ExportView:
    papers = len(values["documents"])
    return ExportView(
        id=row.id,
        state="making" if row.ready_at is None else "ready",
        papers=papers,
        done=papers if done is None else min(done, papers),
        length=row.length,
        asked_at=row.asked_at,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
        waits=row.ready_at is None and bool(values.get("waits")),
        mine=str(person.session_id) in values["sessions"],
    )


def _attempt(person: Person, action: Action, **details: str | int) -> AccessAttempt:
    return AccessAttempt(action=action, actor=person.actor(), person=person.id, details=details)
