"""Retrieval: lists documents and opens content; each access is recorded before anything leaves.

Retrieval under a grant, in this order (invariants 1 to 3):

1. load the grant `FOR SHARE` with the document and its file: nothing is opened to judge;
2. `rules.may_open`, by the database's clock;
3. record either outcome, and commit;
4. unwrap the file's key;
5. stream slices of at most 64 KiB, without a database connection, watching for a revocation;
6. afterwards, write in batches how it ended (`vault/delivery_status.py`).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth.bearer import Bearer, SessionToken, authenticate, identity_queries
from auth.subjects import Person, Recipient, Worker
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.key_names import DOCUMENT, DOCUMENT_VERSION, ORIGINAL, PREVIEW, RENDITION, THUMBNAIL
from base.pipeline import PipelineTransaction, fetch
from base.statements import Bound, Rows
from storage import content
from storage.content import Content
from storage.envelopes import Address
from vault import rules
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as grant_records
from vault.cursors import Page, cut, read
from vault.decisions import AccessAttempt, Denial, check_token, record_allowed, record_denial
from vault.decoding.media import MediaType
from vault.document_view import DocumentView
from vault.documents import records
from vault.documents.document_reader import open_document
from vault.documents.recipients_copy import recipients_file
from vault.revocations import Watched
from vault.rules import Allowed, GrantAction, Reason, Refused
from vault.services import Services
from vault.tables import check_documents


class SlicedContent(Protocol):
    """Content that may leave: of a file, or made of one when it was asked for."""

    @property
    def length(self) -> int: ...

    def slices(self, start: int = 0, stop: int | None = None) -> AsyncIterator[memoryview]:
        """content[start:stop] in slices of a size that is sent at once."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """The committed line of an opening, and when that was judged. `shared`: other answers leave
    under it too."""

    event_id: UUID
    judged_at: float
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Content that may now leave, because its opening is recorded and committed, with its metadata.

    `pages`: of the whole document. The caller MUST send it inside `services.revocations.watching`
    for `watched`, stop when the watch says so, and say by `note_end` how it ended.
    """

    line: RecordedLine
    etag: str
    media_type: str
    file_name: str | None = field(repr=False)
    type_code: str
    pages: int
    content: SlicedContent
    watched: Watched
    seconds_left: float | None = None

    @property
    def length(self) -> int:
        """Plaintext bytes."""
        return self.content.length


async def list_covered(
    services: Services, bearer: Bearer, grant_id: UUID, *, cursor: str | None, limit: int
) -> tuple[Page[DocumentView], bool]:
    """The documents that a grant covers, and whether it allows reading their content."""
    after = read(cursor)
    await _check_token(services, bearer, Action.LIST)
    rows: Rows = ()
    # 1-3. Load, judge, record: the event is sent with the commit, at the end of the block.
    async with services.database.pipeline.transaction() as tx:
        recipient, grant = await _load(services, tx, bearer, grant_records.grant_for_use(grant_id))
        macs = await services.field_encryption.row_macs()
        facts = grant_records.grant_facts(macs, grant)
        judgement = rules.may_list(facts, caller=recipient.party)
        attempt = await attempt_under(services, tx, grant, recipient, Action.LIST, judgement)
        if grant is not None and isinstance(judgement, Allowed):
            before = None if after is None else after[1]
            rows = await fetch(tx, records.covered(grant_id, before=before, limit=limit + 1))
            check_documents(macs, rows)
            shown = tuple(row.id for row in rows[:limit])
            await record_allowed(services, tx, grant.at, replace(attempt, documents=shown))
    if grant is None or isinstance(judgement, Refused):
        raise await record_denial(services, Denial(attempt, rules.reason_of(judgement)))
    # 4. Committed: only now are the documents opened.
    reader = await services.field_encryption.reader(grant.person_id)
    items = [open_document(reader, row) for row in rows[:limit]]
    return Page(items, cut(rows, limit, lambda row: (0, row.id))), grant.may_read


async def open_granted(
    services: Services, bearer: Bearer, grant_id: UUID, document_id: UUID, *, preview: bool = False
) -> Download:
    """Content (or the preview) of a document under a grant."""
    action = Action.PREVIEW if preview else Action.READ
    await _check_token(services, bearer, action)
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    # 1-3. Load, judge, record: caller, grant and document in one round trip, event and commit in
    # another. Before the commit the person's secret opens one thing, for the grant's own recipient
    # only: the purpose that the event includes (`attempt_under`).
    async with services.database.pipeline.transaction() as tx:
        recipient, row = await _load(
            services,
            tx,
            bearer,
            records.document_under_grant(grant_id, document_id, preview=preview),
        )
        macs = await services.field_encryption.row_macs()
        document = records.document_facts(macs, row)
        judgement = rules.may_open(
            grant_records.grant_facts(macs, row),
            document,
            caller=recipient.party,
            action=GrantAction.READ,
        )
        attempt = await attempt_under(services, tx, row, recipient, action, judgement)
        if document is not None and document.same_person:
            attempt = replace(attempt, documents=(document_id,), details={"version": row.v_number})
        if row is not None and isinstance(judgement, Allowed):
            event_id = await record_allowed(services, tx, row.at, attempt)
    if row is None or event_id is None:
        raise await record_denial(services, Denial(attempt, rules.reason_of(judgement)))
    # 4. Committed: only now are the file's key and the document's row opened.
    return await download_of(
        services,
        row.person_id,
        row,
        RecordedLine(event_id, judged_at),
        watched=Watched(grant_id, _session_of(recipient)),
        seconds_left=(row.ends_at - row.at).total_seconds(),
        preview=preview,
    )


async def _load(
    services: Services, tx: PipelineTransaction, bearer: Bearer, query: Bound
) -> tuple[Recipient, Any]:
    """The caller, and the only row of the query, or None; in one round trip."""
    results = await tx.fetch(*identity_queries(bearer), query)
    recipient = await authenticate(services, bearer, results)
    return recipient, next(iter(results[-1]), None)


async def open_own(
    services: Services,
    person: Person,
    document_id: UUID,
    *,
    part: int | None,
    preview: bool,
    version: int | None = None,
) -> Download:
    """The person's own document: the original; for several photos, the PDF made of them, or photo
    number `part` (from 1). `version`: the number of another than the current one. Recorded too,
    and shown to them as "you"."""
    action = Action.PREVIEW if preview else Action.READ
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    attempt = AccessAttempt(
        action=action, actor=person.actor(), person=person.id, documents=(document_id,)
    )
    async with services.database.transaction() as tx:
        files = await records.own_files(tx, person.id, document_id, number=version)
        records.check_own(await services.field_encryption.row_macs(), files)
        row = _own_file(files, part, preview=preview)
        if files:
            attempt = replace(attempt, details={"version": files[0].v_number})
            event_id = await record_allowed(services, tx, await instant(tx), attempt)
    if event_id is None:
        raise await record_denial(
            services, Denial(replace(attempt, documents=()), Reason.NOT_FOUND)
        )
    watched = Watched(None, person.session_id)
    return await download_of(
        services,
        person.id,
        row,
        RecordedLine(event_id, judged_at),
        watched=watched,
        preview=preview,
    )


def note_end(services: Services, line: RecordedLine, *, completed: bool) -> None:
    """Say how an answer under a line ended, once. One of several that was cut says nothing of the
    others: a shared line is never said to be interrupted, and is delivered once one of them is."""
    if completed or not line.shared:
        services.delivery_status.note(line.event_id, completed=completed)


async def open_for_scan(services: Services, owner_id: UUID, file: Row[*tuple[Any, ...]]) -> Content:
    """An original, for the service's own scanner: revealed to nobody, so not recorded."""
    return await content.open_content(
        services.storage.blobs, services.storage.keys, owner_id, records.address_of(file)
    )


def _session_of(recipient: Recipient) -> UUID | None:
    """What ends when a caller may call no more: a worker's session, or the client itself."""
    return recipient.session_id if isinstance(recipient, Worker) else recipient.id


def _own_file(files: Sequence[Row[Any]], part: int | None, *, preview: bool) -> Row[Any] | None:
    """The file that the owner requested, or None."""
    originals = [file for file in files if file.role == ORIGINAL]
    if preview:
        matches = [file for file in files if file.role == PREVIEW]
    elif part is not None:
        matches = originals[part - 1 : part] if part > 0 else []
    elif len(originals) > 1:
        matches = [file for file in files if file.role == RENDITION]
    else:
        matches = originals
    return matches[0] if matches else None


async def download_of(
    services: Services,
    owner_id: UUID,
    row: Any,
    line: RecordedLine,
    *,
    watched: Watched,
    preview: bool = False,
    seconds_left: float | None = None,
) -> Download:
    """Unwrap the key of a file whose opening is recorded and committed. `row`: of the file, joined
    with its document and version; None where there is no such file."""
    if row is None or row.file_id is None:
        # Allowed and recorded, but there is no such file: no such part, or no preview yet.
        note_end(services, line, completed=False)
        raise ServiceError(ErrorKind.NOT_FOUND, "no_preview" if preview else "not_found")
    reader = await services.field_encryption.reader(owner_id)
    metadata = reader.open(DOCUMENT, row.document_id, row.document_sealed)
    file = reader.open(DOCUMENT_VERSION, row.v_id, row.v_sealed)
    if watched.grant is None:
        found = _owners_file(file, row)
    else:
        original = metadata.get("given_original") == str(row.v_id)
        found = await _recipients_file(services, owner_id, row, file, line, original=original)
    return Download(
        line=line,
        etag=found.etag,
        media_type=found.media_type,
        file_name=found.file_name,
        type_code=metadata["type"],
        pages=file["pages"],
        content=await content.open_content(
            services.storage.blobs, services.storage.keys, owner_id, found.address
        ),
        watched=watched,
        seconds_left=seconds_left,
    )


@dataclass(frozen=True, slots=True)
class _File:
    """The file that leaves, with what is said of it. A recipient gets no file name."""

    address: Address
    media_type: str
    etag: str
    file_name: str | None = field(default=None, repr=False)


def _owners_file(file: dict[str, Any], row: Any) -> _File:
    address, etag = records.joined_address(row), str(row.v_id)
    if row.role in {PREVIEW, THUMBNAIL}:
        return _File(address, MediaType.JPEG.value, etag)
    if row.role == ORIGINAL:
        part = file["parts"][row.position]
        return _File(address, part["media_type"], etag, part["file_name"])
    return _File(address, file["rendition_media_type"], etag)


async def _recipients_file(
    services: Services,
    owner_id: UUID,
    row: Any,
    file: dict[str, Any],
    line: RecordedLine,
    *,
    original: bool,
) -> _File:
    """The copy by today's rules: a paper held from before is cleaned first."""
    try:
        found = await recipients_file(services, owner_id, row, file, original=original)
    except ServiceError:
        note_end(services, line, completed=False)
        raise
    # Another edition of the rules, or the original, is another sequence of bytes.
    kind = "signed" if found.address.role == ORIGINAL and original else str(found.edition)
    return _File(found.address, found.media_type, f"{row.v_id}.{kind}")


async def _check_token(services: Services, bearer: Bearer, action: Action) -> None:
    """Check the scopes of an access token; a session has none."""
    if not isinstance(bearer, SessionToken):
        await check_token(services, bearer, "documents", action)
