"""The person's own documents: list, read, correct, delete, restore. Each act is recorded."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.assistance import check_self
from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from base.key_names import DOCUMENT
from base.pipeline import fetch_one
from vault.catalogue import is_sensitive
from vault.consent.records.grants import given_since
from vault.consent.type_tags import type_tag
from vault.cursors import Page, cut, read
from vault.decisions import AccessAttempt, record_allowed, record_refusal
from vault.document_view import DocumentMetadata, DocumentView, may_give_original, metadata_values
from vault.documents import records
from vault.documents.deposit import deposit_version
from vault.documents.deposit_commit import InCommit, check_metadata, check_offered
from vault.documents.deposit_rows import Depositor
from vault.documents.document_reader import open_document
from vault.documents.intake import Incoming
from vault.documents.notice_date import notice_at
from vault.documents.own_deposit import owner_view
from vault.documents.recorded_lines import record_once, state_of
from vault.documents.thumbnails import SHOWN, queue_missing
from vault.documents.version_commit import Changes, VersionCommand
from vault.documents.version_values import DATES, with_own_dates
from vault.rules import Reason
from vault.services import Services
from vault.tables import check_documents


async def list_own(
    services: Services,
    person: Person,
    *,
    cursor: str | None,
    limit: int,
    deleted: bool = False,
    pictured: bool = False,
) -> Page[DocumentView]:
    """The person's documents, newest first; with `deleted`, those in the trash instead. `pictured`:
    the list shows their thumbnails, which the line then says."""
    after = read(cursor)
    async with services.database.transaction() as tx:
        rows = await records.documents(
            tx,
            person.id,
            before=None if after is None else after[1],
            limit=limit + 1,
            deleted=deleted,
        )
        await _record_list(services, tx, person, rows[:limit], pictured=pictured)
    items = await _open_list(services, person, rows[:limit], pictured=pictured)
    return Page(items, cut(rows, limit, lambda row: (0, row.id)))


async def see_own(
    services: Services, person: Person, document_id: UUID, *, goes_on: bool = False
) -> DocumentView:
    """One document of the person. `goes_on`: its pages are being leafed through, under the line
    that named it a moment ago. Raises `ServiceError` `not_found`."""
    async with services.database.transaction() as tx:
        row = await records.document(tx, person.id, document_id)
        if row is not None:
            check_documents(await services.field_encryption.row_macs(), [row])
            document = open_document(await services.field_encryption.reader(person.id, tx), row)
            seen = AccessAttempt(
                action=Action.LIST,
                actor=person.actor(),
                person=person.id,
                documents=(document_id,),
                details=state_of(document),
            )
            record = record_once if goes_on else record_allowed
            await record(services, tx, await instant(tx), seen)
    if row is None:
        raise await _unknown(services, person, Action.LIST)
    return document


async def see_same_file(
    services: Services, person: Person, document_id: UUID
) -> DocumentView | None:
    """Another document of the person, not in the trash, that is the same file as this one; or None.
    Recorded as seen."""
    async with services.database.transaction() as tx:
        row = await records.document(tx, person.id, document_id)
        if row is None:
            return None
        query = records.document_with_content(person.id, row.v_content_tag, document_id)
        other = await fetch_one(tx, query)
    return None if other is None else await see_own(services, person, other.id)


async def list_versions(
    services: Services, person: Person, document_id: UUID
) -> list[DocumentView]:
    """A document of the person with each of its versions, the newest first, each with the dates
    that it bore. Raises `ServiceError` `not_found`."""
    async with services.database.transaction() as tx:
        rows = await records.versions(tx, person.id, document_id)
        if rows:
            check_documents(await services.field_encryption.row_macs(), rows)
            await _record(services, tx, person, Action.LIST, document_id)
    if not rows:
        raise await _unknown(services, person, Action.LIST)
    reader = await services.field_encryption.reader(person.id)
    return with_own_dates([open_document(reader, row) for row in rows])


async def find_own(
    services: Services, person: Person, wanted: Set[UUID], *, pictured: bool = False
) -> dict[UUID, DocumentView]:
    """Some of the person's documents by id, newest first, without those that are deleted; recorded
    as a list of these alone. `pictured`: as for `list_own`."""
    if not wanted:
        return {}
    async with services.database.transaction() as tx:
        rows = await records.documents(
            tx, person.id, before=None, limit=len(wanted), document_ids=wanted
        )
        await _record_list(services, tx, person, rows, pictured=pictured)
    documents = await _open_list(services, person, rows, pictured=pictured)
    return {document.id: document for document in documents}


async def _record_list(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    rows: Sequence[Row[Any]],
    *,
    pictured: bool,
) -> None:
    """The line of a list, which names its documents, before any is opened."""
    check_documents(await services.field_encryption.row_macs(), rows)
    details = SHOWN if pictured else {}
    await _record(services, tx, person, Action.LIST, *(row.id for row in rows), details=details)


async def _open_list(
    services: Services, person: Person, rows: Sequence[Row[Any]], *, pictured: bool
) -> list[DocumentView]:
    """The documents of a list whose line is committed."""
    if pictured:
        await queue_missing(services, person.id, rows)
    reader = await services.field_encryption.reader(person.id)
    return [open_document(reader, row) for row in rows]


async def correct(
    services: Services,
    person: Person,
    document_id: UUID,
    changes: dict[str, Any],
    *,
    if_match: UUID | None,
) -> DocumentView:
    """Change a document's metadata; `changes` has the names of `DocumentMetadata`, and
    "give_original": whether recipients get the signed PDF as it was signed, while it is the current
    version. Raises `original_cannot_be_given` when it is not signed, or carries more than details;
    `assisted_sensitive`, recorded, where a worker is beside and a sensitive paper would become one
    that is not; `not_when_represented`, of the same by a representative.
    """
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await records.document(tx, person.id, document_id)
        if row is not None:
            _check_match(row, if_match)
            reader = await services.field_encryption.reader(person.id, tx)
            macs = await services.field_encryption.row_macs()
            check_documents(macs, [row])
            current = open_document(reader, row)
            metadata = check_metadata(replace(current.metadata, **_chosen(current, changes)))
            uncovered = _is_sensitive(current.metadata) and not _is_sensitive(metadata)
            alone = person.beside is None and person.represented_by is None
            if alone or not uncovered:
                return await change(services, tx, person, row, current, metadata)
    if row is None:
        raise await _unknown(services, person, Action.CORRECT)
    await check_self(services, person, Action.CORRECT)
    attempt = AccessAttempt(
        action=Action.CORRECT, actor=person.actor(), person=person.id, documents=(document_id,)
    )
    raise await record_refusal(services, attempt, Reason.ASSISTED_SENSITIVE)


def _is_sensitive(metadata: DocumentMetadata) -> bool:
    return metadata.sensitive or is_sensitive(metadata.type)


async def change(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    row: Row[Any],
    current: DocumentView,
    metadata: DocumentMetadata,
) -> DocumentView:
    """Change a document's metadata in the caller's transaction, which holds the vault's lock;
    recorded as a correction. Raises `document_type_retired`."""
    if metadata.type != current.metadata.type:
        check_offered(metadata.type)
    macs = await services.field_encryption.row_macs()
    values = await _changes(services, tx, person.id, current, metadata)
    await records.change_document(tx, macs, row, **values)
    await _record(services, tx, person, Action.CORRECT, row.id, revision=values["revision"])
    changed = await records.document(tx, person.id, row.id)
    assert changed is not None  # noqa: S101  (changed in this transaction)
    return open_document(await services.field_encryption.reader(person.id, tx), changed)


def _chosen(current: DocumentView, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes, with the version that "give_original" is about."""
    others = {name: value for name, value in changes.items() if name != "give_original"}
    gives = changes.get("give_original")
    if gives is None:
        return others
    if gives and not may_give_original(current.file):
        raise ServiceError(
            ErrorKind.CONFLICT, "original_cannot_be_given", fields=[("give_original",)]
        )
    return others | {"given_original": current.version_id if gives else None}


async def _changes(
    services: Services,
    tx: AsyncConnection,
    person_id: UUID,
    current: DocumentView,
    metadata: DocumentMetadata,
) -> dict[str, Any]:
    """The columns that a correction changes."""
    writer = await services.field_encryption.writer(person_id, tx)
    altered = current.altered or _attested_fields(metadata) != _attested_fields(current.metadata)
    # What was proposed is answered by another type, whoever says it.
    kept = current.suggestions if metadata.type == current.metadata.type else ()
    sealed = metadata_values(metadata, current.deposited_by, altered=altered, suggestions=kept)
    values: dict[str, Any] = {
        "sealed": writer.seal(DOCUMENT, current.id, sealed),
        "revision": new_id(),
    }
    old = current.metadata
    if (metadata.type, metadata.expires_on) != (old.type, old.expires_on):
        values["notice_at"] = notice_at(metadata)
    if (metadata.type, metadata.sensitive) != (old.type, old.sensitive):
        values["type_tag"] = await type_tag(
            services, person_id, metadata.type, sensitive=metadata.sensitive
        )
        # A paper that is no longer sensitive was not there either for the grants of before.
        values["typed_at"] = await instant(tx)
    return values


async def add_version(
    services: Services,
    person: Person,
    document_id: UUID,
    incoming: Incoming,
    *,
    if_match: UUID | None,
    in_commit: InCommit | None = None,
    dates: Callable[[], Mapping[str, Any]] | None = None,
) -> DocumentView:
    """Store a new version of a document's content; older versions are kept. `dates`: what the new
    paper bears instead of the dates of the old one, by the names of `DocumentMetadata`; it is
    called after the files are read. Without it the dates stay. The file and the dates that the
    document has already make none: an answer that was lost is given again."""
    async with services.database.transaction() as tx:
        existing = await records.document(tx, person.id, document_id)
    if existing is None:
        raise await _unknown(services, person, Action.NEW_VERSION)

    def may_change(row: Row[Any] | None) -> None:
        if row is None:
            raise not_found()
        _check_match(row, if_match)

    command = VersionCommand(
        owner_id=person.id,
        depositor=Depositor(person.actor()),
        document_id=document_id,
        may_change=may_change,
        owner_view=owner_view(services, person),
        in_commit=in_commit,
        changes=None if dates is None else _dated(services, person, dates),
    )
    return await deposit_version(services, command, incoming)


def _dated(services: Services, person: Person, dates: Callable[[], Mapping[str, Any]]) -> Changes:
    """What a new version changes of its document: the dates, of which none of before is left."""

    async def changes(tx: AsyncConnection, current: DocumentView) -> dict[str, Any]:
        new: dict[str, Any] = {**dict.fromkeys(DATES), **dates()}
        metadata = check_metadata(replace(current.metadata, **new))
        if metadata == current.metadata:
            return {}
        return await _changes(services, tx, person.id, current, metadata)

    return changes


async def delete(
    services: Services, person: Person, document_id: UUID, *, if_match: UUID | None = None
) -> None:
    """Move a document to the trash: nobody can read it; it can be restored for 30 days. Raises
    `not_when_represented`: only its person deletes (invariant 9)."""
    await check_self(services, person, Action.DELETE)
    await _set_deleted(services, person, document_id, Action.DELETE, if_match)


async def restore(services: Services, person: Person, document_id: UUID) -> DocumentView:
    """Restore a deleted document, within 30 days. If a grant was given meanwhile, it counts as
    added now: who gave that grant did not see it among what they would show."""
    await _set_deleted(services, person, document_id, Action.RESTORE, None)
    return await see_own(services, person, document_id)


async def _set_deleted(
    services: Services, person: Person, document_id: UUID, action: Action, if_match: UUID | None
) -> None:
    restoring = action is Action.RESTORE
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await records.document(tx, person.id, document_id, deleted=restoring)
        if row is not None:
            _check_match(row, if_match)
            revision, at = new_id(), await instant(tx)
            changes: dict[str, Any] = {"deleted_at": None if restoring else at}
            if restoring and await given_since(tx, person.id, row.deleted_at):
                changes["typed_at"] = at
            macs = await services.field_encryption.row_macs()
            await records.change_document(tx, macs, row, **changes, revision=revision)
            await _record(services, tx, person, action, document_id, revision=revision)
    if row is None:
        raise await _unknown(services, person, action)


def _attested_fields(metadata: DocumentMetadata) -> tuple[object, ...]:
    """What a recipient may learn about a document without its content."""
    return (metadata.type, *(getattr(metadata, name) for name in DATES))


def _check_match(row: Row[Any], if_match: UUID | None) -> None:
    if if_match is not None and if_match != row.revision:
        raise ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")


async def _record(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    action: Action,
    *documents: UUID,
    revision: UUID | None = None,
    details: Mapping[str, str | int] = MappingProxyType({}),
) -> None:
    """`revision`: the state of the document after the act: the log tells which one holds."""
    attempt = AccessAttempt(
        action=action,
        actor=person.actor(),
        person=person.id,
        documents=documents,
        details=dict(details) if revision is None else {"revision": str(revision)},
    )
    await record_allowed(services, tx, await instant(tx), attempt)


async def _unknown(services: Services, person: Person, action: Action) -> ServiceError:
    """Another person's, or none: recorded in the caller's log, same answer (invariant 7)."""
    attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
    return await record_refusal(services, attempt, Reason.NOT_FOUND)
