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
from auth.bearer import Bearer, SessionToken, authenticate
from auth.subjects import Person, Recipient, kind_of
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.pipeline import Rows
from storage import content
from storage.content import Address, Content
from vault import rules
from vault.consent import records as consent_records
from vault.cursors import Page, cut, read
from vault.decisions import (
    AccessAttempt,
    Denial,
    check_token,
    commit_allowed,
    record_allowed,
    record_denial,
)
from vault.decoding.media import MediaType
from vault.document_view import DOCUMENT, VERSION, DocumentView, open_document
from vault.documents import records
from vault.rules import Allowed, GrantAction, Reason, Refused
from vault.services import Services

GRANT = "grant"
_NOT_THERE: rules.Judgement = Refused(Reason.NOT_FOUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """Recorded and committed: content that may now leave, and what to say of it.

    The caller MUST send it while `house.revocations.watching` its grant, stop when told to, and
    note to `house.completions` how it ended.
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
    async with services.database.pipeline.transaction() as tx:
        recipient, rows = await authenticate(services, tx, bearer, records.grant_alone(grant_id))
        row = rows[0] if rows else None
        judgement = (
            _NOT_THERE
            if row is None
            else rules.may_list(
                consent_records.grant_facts(row),
                recipient_kind=kind_of(recipient),
                recipient_id=recipient.id,
                now=row.at,
            )
        )
        attempt = await _attempt(services, recipient, Action.LIST, grant_id, row)
        found: Rows = ()
        if row is not None and isinstance(judgement, Allowed):
            before = None if after is None else after[1]
            (found,) = await tx.ask(records.covered(row, before=before, limit=limit + 1))
            shown = tuple(one.id for one in found[:limit])
            await commit_allowed(services, tx, row.at, replace(attempt, documents=shown))
    if row is None or isinstance(judgement, Refused):
        raise await record_denial(services, Denial(attempt, _reason(judgement)))
    sealer = await services.field_encryption.of(row.person_id)
    papers = [open_document(sealer, one) for one in found[:limit]]
    return Page(papers, cut(found, limit, lambda one: (0, one.id))), row.may_read


async def open_granted(
    services: Services, bearer: Bearer, grant_id: UUID, document_id: UUID, *, preview: bool = False
) -> Download:
    """Content (or the preview) of a document under a grant."""
    action = Action.PREVIEW if preview else Action.READ
    await _check_token(services, bearer, action)
    judged_at = clock.monotonic()
    # 1-3. Load, judge, record: who asks and what for in one round, the line and the commit in one.
    async with services.database.pipeline.transaction() as tx:
        question = records.document_under_grant(grant_id, document_id, preview=preview)
        recipient, rows = await authenticate(services, tx, bearer, question)
        row = rows[0] if rows else None
        judgement = (
            _NOT_THERE
            if row is None
            else rules.may_open(
                consent_records.grant_facts(row),
                records.document_facts(row),
                recipient_kind=kind_of(recipient),
                recipient_id=recipient.id,
                action=GrantAction.READ,
                now=row.at,
            )
        )
        attempt = await _attempt(services, recipient, action, grant_id, row, document_id)
        event_id: UUID | None = None
        if row is not None and isinstance(judgement, Allowed):
            event_id = await commit_allowed(services, tx, row.at, attempt)
    if row is None or event_id is None:
        raise await record_denial(services, Denial(attempt, _reason(judgement)))
    # 4. Only now may a key be unwrapped.
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
    originals = [one for one in files if one.role == "original"]
    if preview:
        wanted = [one for one in files if one.role == "preview"]
    elif part is not None:
        wanted = originals[part - 1 : part] if part > 0 else []
    elif len(originals) > 1:
        wanted = [one for one in files if one.role == "rendition"]
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
    sealer = await services.field_encryption.of(owner_id)
    metadata = sealer.open(DOCUMENT, row.document_id, row.document_sealed)
    file = sealer.open(VERSION, row.version_id, row.version_sealed)
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
    if row.role == "preview":
        return MediaType.JPEG.value, None
    if own and row.role == "original":
        part = file["parts"][row.position]
        return part["media_type"], part["file_name"]
    return file["rendition_media_type"], None


async def _attempt(
    services: Services,
    recipient: Recipient,
    action: Action,
    grant_id: UUID,
    row: Any,
    document_id: UUID | None = None,
) -> AccessAttempt:
    """The line to record: in the log of the vault that the grant was given on, if there is one.

    It carries the purpose that the person agreed to, so that each line can be read alone.
    """
    if row is None:
        return AccessAttempt(action=action, actor=recipient.actor(), grant=None)
    terms = (await services.field_encryption.of(row.person_id)).open(GRANT, row.id, row.sealed)
    theirs = document_id is not None and row.same_person
    return AccessAttempt(
        action=action,
        actor=recipient.actor(),
        person=row.person_id,
        grant=grant_id,
        documents=(document_id,) if document_id is not None and theirs else (),
        purpose_code=terms["purpose_code"],
        purpose=terms["purpose"],
    )


async def _check_token(services: Services, bearer: Bearer, action: Action) -> None:
    """A session is narrowed by no scope; an access token is."""
    if not isinstance(bearer, SessionToken):
        await check_token(services, bearer, "documents", action)


def _reason(judgement: rules.Judgement) -> Reason:
    return judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND
