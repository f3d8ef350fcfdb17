"""The commit of a deposit: its rows, its jobs and its event, all or nothing.

Nothing here opens what is sealed: a deposit only writes to its owner (invariant 15). A document
that the owner already holds is opened for them by `DepositCommand.owner_view`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth.records import people
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.key_names import DOCUMENT, DOCUMENT_VERSION
from base.locks import hold_vault
from storage.field_encryption import FieldWriter
from vault import idempotency, jobs
from vault.catalogue.document_types import by_code, is_retired, successors
from vault.consent.type_tags import type_tag
from vault.document_view import (
    DocumentMetadata,
    DocumentView,
    metadata_key,
    metadata_values,
    view_of,
)
from vault.documents import records
from vault.documents.notice_date import notice_at
from vault.services import Services
from vault.tables import DOCUMENT_ROW, VERSION_ROW

MAX_DOCUMENTS = 2000

Judge = Callable[[AsyncConnection], Awaitable[None]]
OwnerView = Callable[[AsyncConnection, Row[Any]], Awaitable[DocumentView]]


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits, as stored in the log and the document's row. `grant` is None for the owner."""

    actor: Actor
    grant: UUID | None = None
    purpose_code: str = ""
    purpose: str = field(default="", repr=False)

    def values(self) -> dict[str, str]:
        """The values about them that are sealed in the document's row."""
        actor = self.actor
        return {
            "kind": actor.kind.value,
            "name": actor.name,
            "job": actor.job,
            "organisation": actor.organisation,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCommand:
    """A deposit to be made: into whose vault, by whom, with which metadata.

    `metadata` is called after the files are read, because a form's fields may follow its files.
    `judge` judges a recipient's right again in the transaction that commits (invariant 3).
    `owner_view` opens, for the owner only, a document already held; without it there is no search
    for a document with the same bytes.
    """

    owner_id: UUID
    depositor: Depositor
    metadata: Callable[[], DocumentMetadata]
    judge: Judge | None = None
    owner_view: OwnerView | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCommand:
    """A new version of a document to be made. `may_change` raises unless the document's row, or
    None, may be changed; `owner_view` opens it for the owner."""

    owner_id: UUID
    depositor: Depositor
    document_id: UUID
    may_change: Callable[[Row[Any] | None], None]
    owner_view: OwnerView


@dataclass(frozen=True, slots=True)
class Deposited:
    """The document, and whether the vault held it already."""

    document: DocumentView
    already_held: bool


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """The rows of a version's files, which are durable in the store.

    `version_id`: the version that they are bound to. `tag`: the keyed hash of the originals' bytes.
    `sealed_values`: what the version's row seals. `rows`: each file's row, without its owner.
    """

    version_id: UUID
    tag: bytes
    sealed_values: dict[str, Any] = field(repr=False)
    rows: tuple[dict[str, Any], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _NewVersion:
    """A version being inserted, and when."""

    owner_id: UUID
    document_id: UUID
    number: int
    at: datetime


def check_metadata(metadata: DocumentMetadata) -> DocumentMetadata:
    """Refuse a type that the catalogue does not have, and dates that contradict each other."""
    if by_code(metadata.type) is None:
        raise invalid("unknown_document_type", fields=[("type",)])
    if metadata.issued_on and metadata.expires_on and metadata.expires_on < metadata.issued_on:
        raise invalid("expires_before_issued", fields=[("issued_on",), ("expires_on",)])
    return metadata


def check_offered(code: str) -> None:
    """Refuse a type that is retired, and say which ones are offered instead."""
    if is_retired(code):
        raise invalid(
            "document_type_retired", fields=[("type",)], replaced_by=", ".join(successors(code))
        )


async def find_held(services: Services, command: DepositCommand, tag: bytes) -> Deposited | None:
    """The owner's document that already has these bytes, or None; answering with it is recorded."""
    async with services.database.transaction() as tx:
        return await _find_held(services, tx, command, tag)


async def commit_deposit(
    services: Services,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
    before_commit: Callable[[], None],
) -> Deposited:
    """Rows, jobs and event in one commit: the 201 is durable, or nothing happened.

    `before_commit` is called when only the commit remains, whose answer may be lost.
    """
    async with services.database.transaction() as tx:
        await hold_vault(tx, command.owner_id)
        macs = await services.field_encryption.row_macs()
        if await people.person(tx, macs, command.owner_id) is None:
            # The vault was erased during the upload.
            raise not_found()
        if command.judge is not None:
            await command.judge(tx)
        held = await _find_held(services, tx, command, files.tag)
        if held is not None:
            return held
        claimed = await _claim_key(services, tx, command, metadata, files)
        if claimed is not None and claimed.result_id is not None:
            return await _repeat_answer(services, tx, command, metadata, files, claimed.result_id)
        if await records.count_documents(tx, command.owner_id) >= MAX_DOCUMENTS:
            raise ServiceError(ErrorKind.CONFLICT, "too_many_documents", limit=MAX_DOCUMENTS)
        row = await _add_document(services, tx, command, metadata, files)
        await _record(
            services, tx, command.owner_id, command.depositor, Action.DEPOSIT, row.id,
            revision=str(row.revision), version=1,
        )  # fmt: skip
        await idempotency.save(tx, claimed, row.id)
        before_commit()
    view = view_of(row, metadata, deposited_by=command.depositor.values(), file=files.sealed_values)
    return Deposited(view, already_held=False)


async def commit_version(
    services: Services,
    command: VersionCommand,
    files: VersionFiles,
    before_commit: Callable[[], None],
) -> DocumentView:
    """As `commit_deposit`, for a new version of an existing document."""
    owner_id, document_id = command.owner_id, command.document_id
    async with services.database.transaction() as tx:
        await hold_vault(tx, owner_id)
        current = await records.document(tx, owner_id, document_id)
        command.may_change(current)
        assert current is not None  # noqa: S101  (else `may_change` has raised)
        writer = await services.field_encryption.writer(owner_id, tx)
        number = await records.next_number(tx, owner_id, document_id)
        version = _NewVersion(owner_id, document_id, number, await instant(tx))
        await _add_version(services, tx, writer, files, version)
        revision = new_id()
        await records.change_document(
            tx,
            await services.field_encryption.row_macs(),
            current,
            version_id=files.version_id,
            revision=revision,
        )
        await _record(
            services, tx, owner_id, command.depositor, Action.NEW_VERSION, document_id,
            revision=str(revision), version=number,
        )  # fmt: skip
        row = await records.document(tx, owner_id, document_id)
        assert row is not None  # noqa: S101  (changed in this transaction)
        view = await command.owner_view(tx, row)
        before_commit()
    return view


async def _find_held(
    services: Services, tx: AsyncConnection, command: DepositCommand, tag: bytes
) -> Deposited | None:
    if command.owner_view is None:
        return None
    owner_id = command.owner_id
    held_id = await records.document_with_content(tx, owner_id, tag)
    row = None if held_id is None else await records.document(tx, owner_id, held_id)
    if row is None:
        return None
    await _record(services, tx, owner_id, command.depositor, Action.DEPOSIT, row.id, held=1)
    return Deposited(await command.owner_view(tx, row), already_held=True)


async def _claim_key(
    services: Services,
    tx: AsyncConnection,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
) -> idempotency.Claim | None:
    depositor = command.depositor
    return await idempotency.claim(
        services,
        tx,
        caller_id=depositor.actor.id or command.owner_id,
        route=f"deposit/{command.owner_id}/{depositor.grant}",
        key=command.idempotency_key,
        body=files.tag + metadata_key(metadata),
    )


async def _repeat_answer(
    services: Services,
    tx: AsyncConnection,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
    document_id: UUID,
) -> Deposited:
    """The answer already given to this key; `not_found` once the document is gone.

    A recipient gets what they sent, and nothing that the owner did with it since: a correction, a
    newer version, a deletion (invariant 7).
    """
    owner_id, depositor = command.owner_id, command.depositor
    find = records.document if command.owner_view else records.first_version
    row = await find(tx, owner_id, document_id)
    if row is None:
        raise not_found()
    await _record(services, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
    if command.owner_view is not None:
        return Deposited(await command.owner_view(tx, row), already_held=False)
    view = view_of(row, metadata, deposited_by=depositor.values(), file=files.sealed_values)
    return Deposited(replace(view, deleted_at=None), already_held=False)


async def _add_document(
    services: Services,
    tx: AsyncConnection,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
) -> Row[Any]:
    """Insert a document and its first version; returns the document's row."""
    owner_id, depositor = command.owner_id, command.depositor
    document_id, at = new_id(), await instant(tx)
    writer = await services.field_encryption.writer(owner_id, tx)
    macs = await services.field_encryption.row_macs()
    values = {
        "id": document_id,
        "person_id": owner_id,
        "version_id": files.version_id,
        "type_tag": await type_tag(services, owner_id, metadata.type, sensitive=metadata.sensitive),
        "typed_at": at,
        "deposited_by_kind": depositor.actor.kind.value,
        "deposited_by_id": depositor.actor.id,
        "revision": new_id(),
        "notice_at": notice_at(metadata),
        "sealed": writer.seal(DOCUMENT, document_id, metadata_values(metadata, depositor.values())),
        "created_at": at,
        "deleted_at": None,
    }
    await records.add_document(tx, **macs.add(DOCUMENT_ROW, values))
    await _add_version(services, tx, writer, files, _NewVersion(owner_id, document_id, 1, at))
    row = await records.document(tx, owner_id, document_id)
    assert row is not None  # noqa: S101  (added in this transaction)
    return row


async def _add_version(
    services: Services,
    tx: AsyncConnection,
    writer: FieldWriter,
    files: VersionFiles,
    version: _NewVersion,
) -> None:
    scanned = services.settings.clamd_address is not None
    macs = await services.field_encryption.row_macs()
    values = {
        "id": files.version_id,
        "document_id": version.document_id,
        "person_id": version.owner_id,
        "number": version.number,
        "content_tag": files.tag,
        "scan": "waiting" if scanned else "not_scanned",
        "sealed": writer.seal(DOCUMENT_VERSION, files.version_id, files.sealed_values),
        "created_at": version.at,
    }
    await records.add_version(tx, **macs.add(VERSION_ROW, values))
    await records.add_files(tx, [{**row, "person_id": version.owner_id} for row in files.rows])
    await jobs.defer_preview(tx, version.owner_id, files.version_id)
    if scanned:
        await jobs.defer_scan(tx, version.owner_id, files.version_id)


async def _record(
    services: Services,
    tx: AsyncConnection,
    owner_id: UUID,
    depositor: Depositor,
    action: Action,
    document_id: UUID,
    **details: str | int,
) -> None:
    await services.audit_log.record(
        tx,
        Event(
            id=new_id(),
            at=await instant(tx),
            action=action,
            outcome=Outcome.ALLOWED,
            actor=depositor.actor,
            person=owner_id,
            grant=depositor.grant,
            documents=(document_id,),
            purpose_code=depositor.purpose_code,
            purpose=depositor.purpose,
            details=dict(details),
        ),
    )
