"""Opening: documents listed and content streamed, each access recorded before it is revealed.

Retrieval under a grant, in the order that matters (invariants 1 to 3):

1. load the grant `FOR SHARE` with the document and its file: nothing is unsealed to judge;
2. `rules.may_open`, on the database's clock;
3. record, both outcomes, committed;
4. unwrap the file's key;
5. stream slices of at most 64 KiB, no database connection held, watched for revocation;
6. how it ended is noted after the fact, in batches (`vault/delivery_status.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth.bearer import Bearer, SessionToken, identified, identity_questions
from auth.subjects import Person, Recipient
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.key_names import DOCUMENT, DOCUMENT_VERSION, ORIGINAL, PREVIEW, RENDITION
from base.pipeline import Bound, PipelineTransaction, Rows, fetch
from storage import content
from storage.content import Address, Content
from vault import rules
from vault.consent import records as consent_records
from vault.consent.grant_use import attempt_under
from vault.cursors import Page, cut, read
from vault.decisions import (
    AccessAttempt,
    Denial,
    check_token,
    record_allowed,
    record_denial,
)
from vault.decoding.media import MediaType
from vault.document_view import DocumentView, open_document
from vault.documents import records
from vault.rules import Allowed, GrantAction, Reason, Refused
from vault.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Recorded and committed: content that may now leave, and what to say of it.

    The caller MUST send it while `services.revocations.watching` its grant, stop when it says so,
    and note to `services.delivery_status` how it ended.
    """

    event_id: UUID
    version_id: UUID
    media_type: str
    file_name: str | None = field(repr=False)
    type_code: str
    content: Content
    judged_at: float
    grant_id: UUID | None = None
    seconds_left: float | None = None

    @property
    def length(self) -> int:
        """Plaintext bytes."""
        return self.content.length


async def list_covered(
    services: Services, bearer: Bearer, grant_id: UUID, *, cursor: str | None, limit: int
) -> tuple[Page[DocumentView], bool]:
    """The documents that a grant covers, and whether their content may be read too."""
    after = read(cursor)
    await _check_token(services, bearer, Action.LIST)
    found: Rows = ()
    # 1-3. Load, judge, record: the line goes with the commit, at the end of the block.
    async with services.database.pipeline.transaction() as tx:
        recipient, grant = await _under(
            services, tx, bearer, consent_records.grant_for_use(grant_id)
        )
        judged = rules.may_list(consent_records.grant_facts(grant), caller=recipient.party)
        attempt = await attempt_under(services, tx, grant, recipient, Action.LIST)
        if grant is not None and isinstance(judged, Allowed):
            before = None if after is None else after[1]
            found = await fetch(tx, records.covered(grant, before=before, limit=limit + 1))
            shown = tuple(one.id for one in found[:limit])
            await record_allowed(services, tx, grant.at, replace(attempt, documents=shown))
    if grant is None or isinstance(judged, Refused):
        raise await record_denial(services, Denial(attempt, _reason(judged)))
    # 4. Committed: what it allows may be opened.
    reader = await services.field_encryption.reader(grant.person_id)
    items = [open_document(reader, one) for one in found[:limit]]
    return Page(items, cut(found, limit, lambda one: (0, one.id))), grant.may_read


async def open_granted(
    services: Services, bearer: Bearer, grant_id: UUID, document_id: UUID, *, preview: bool = False
) -> Download:
    """Content (or the preview) of a document under a grant."""
    action = Action.PREVIEW if preview else Action.READ
    await _check_token(services, bearer, action)
    judged_at = clock.monotonic()
    event_id: UUID | None = None
    # 1-3. Load, judge, record: who asks and what for in one round, the line and the commit in one.
    # Before the commit the person's secret opens one thing, for the grant's own recipient alone:
    # the purpose that the line carries (`attempt_under`).
    async with services.database.pipeline.transaction() as tx:
        recipient, row = await _under(
            services,
            tx,
            bearer,
            records.document_under_grant(grant_id, document_id, preview=preview),
        )
        judged = rules.may_open(
            consent_records.grant_facts(row),
            records.document_facts(row),
            caller=recipient.party,
            action=GrantAction.READ,
        )
        attempt = await attempt_under(services, tx, row, recipient, action)
        if row is not None and row.same_person:
            attempt = replace(attempt, documents=(document_id,))
        if row is not None and isinstance(judged, Allowed):
            event_id = await record_allowed(services, tx, row.at, attempt)
    if row is None or event_id is None:
        raise await record_denial(services, Denial(attempt, _reason(judged)))
    # 4. Committed: only now are the file's key and the document's row opened.
    return await _download(
        services,
        row.person_id,
        row,
        event_id,
        judged_at,
        grant_id=grant_id,
        seconds_left=(row.ends_at - row.at).total_seconds(),
        preview=preview,
    )


async def _under(
    services: Services, tx: PipelineTransaction, bearer: Bearer, question: Bound
) -> tuple[Recipient, Any]:
    """Who is calling, and the one row that the question finds, or None; in one round."""
    found = await tx.fetch(*identity_questions(bearer), question)
    recipient = await identified(services, bearer, found)
    return recipient, next(iter(found[-1]), None)


async def open_own(
    services: Services, person: Person, document_id: UUID, *, part: int | None, preview: bool
) -> Download:
    """The person's own document: the original; of several photos, the paper made of them, or the
    photo number `part` (from 1). Recorded too, and shown to them as "you"."""
    action = Action.PREVIEW if preview else Action.READ
    judged_at = clock.monotonic()
    attempt = AccessAttempt(
        action=action, actor=person.actor(), person=person.id, documents=(document_id,)
    )
    async with services.database.transaction() as tx:
        files = await records.own_files(tx, person.id, document_id)
        row = _own_file(files, part, preview=preview)
        event_id = await record_allowed(services, tx, await instant(tx), attempt) if files else None
    if event_id is None:
        raise await record_denial(
            services, Denial(replace(attempt, documents=()), Reason.NOT_FOUND)
        )
    return await _download(services, person.id, row, event_id, judged_at, preview=preview)


async def open_for_scan(services: Services, owner_id: UUID, file: Row[*tuple[Any, ...]]) -> Content:
    """An original, for the service's own scanner: nobody is shown anything, nothing is logged."""
    address = Address(file.id, file.role, file.blob_key, file.envelope)
    return await content.open_content(
        services.storage.blobs, services.storage.keys, owner_id, address
    )


def _own_file(files: Sequence[Row[Any]], part: int | None, *, preview: bool) -> Row[Any] | None:
    """Which file the owner asked for."""
    originals = [one for one in files if one.role == ORIGINAL]
    if preview:
        wanted = [one for one in files if one.role == PREVIEW]
    elif part is not None:
        wanted = originals[part - 1 : part] if part > 0 else []
    elif len(originals) > 1:
        wanted = [one for one in files if one.role == RENDITION]
    else:
        wanted = originals
    return wanted[0] if wanted else None


async def _download(
    services: Services,
    owner_id: UUID,
    row: Any,
    event_id: UUID,
    judged_at: float,
    *,
    preview: bool,
    grant_id: UUID | None = None,
    seconds_left: float | None = None,
) -> Download:
    """Unwrap the key of a file whose opening is recorded and committed."""
    if row is None or row.file_id is None:
        # Allowed and recorded, and there is nothing to show: no such page, or not drawn yet.
        services.delivery_status.note(event_id, completed=False)
        raise ServiceError(ErrorKind.NOT_FOUND, "no_preview" if preview else "not_found")
    reader = await services.field_encryption.reader(owner_id)
    metadata = reader.open(DOCUMENT, row.document_id, row.document_sealed)
    file = reader.open(DOCUMENT_VERSION, row.version_id, row.version_sealed)
    media_type, file_name = _told(file, row, own=grant_id is None)
    address = Address(row.file_id, row.role, row.blob_key, row.envelope)
    return Download(
        event_id=event_id,
        version_id=row.version_id,
        media_type=media_type,
        file_name=file_name,
        type_code=metadata["type"],
        content=await content.open_content(
            services.storage.blobs, services.storage.keys, owner_id, address
        ),
        judged_at=judged_at,
        grant_id=grant_id,
        seconds_left=seconds_left,
    )


def _told(file: dict[str, Any], row: Any, *, own: bool) -> tuple[str, str | None]:
    """The media type of what leaves, and the owner's own name for it."""
    if row.role == PREVIEW:
        return MediaType.JPEG.value, None
    if own and row.role == ORIGINAL:
        part = file["parts"][row.position]
        return part["media_type"], part["file_name"]
    return file["rendition_media_type"], None


async def _check_token(services: Services, bearer: Bearer, action: Action) -> None:
    """A session is narrowed by no scope; an access token is."""
    if not isinstance(bearer, SessionToken):
        await check_token(services, bearer, "documents", action)


def _reason(judged: rules.Judgement) -> Reason:
    return judged.reason if isinstance(judged, Refused) else Reason.NOT_FOUND
