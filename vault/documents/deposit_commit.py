"""The commit of a deposit: its rows, its jobs and its event, all or nothing.

Nothing here opens what is sealed: a deposit only writes to its owner (invariant 15). A document
that the owner already holds is opened for them by `DepositCommand.owner_view`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.records import people
from base.db_time import instant, instant_query
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.locks import held_vault
from base.pipeline import Transaction, fetch_one
from vault import idempotency
from vault.catalogue.document_types import by_code, is_retired, successors
from vault.document_view import (
    DocumentMetadata,
    DocumentView,
    metadata_key,
    view_of,
)
from vault.documents import records
from vault.documents.deposit_rows import Depositor, VersionFiles, add_document, record_deposit
from vault.documents.quotas import QuotaWarning, check_room, count_deposit
from vault.services import Services

Judge = Callable[[Transaction], Awaitable[None]]
InCommit = Callable[[Transaction, UUID], Awaitable[None]]
OwnerView = Callable[[AsyncConnection, Row[Any]], Awaitable[DocumentView]]

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositCommand:
    """A deposit to be made: into whose vault, by whom, with which metadata.

    `metadata` is called after the files are read, because a form's fields may follow its files.
    `judge` judges a recipient's right again in the transaction that commits (invariant 3).
    `owner_view` opens, for the owner only, a document already held; without it there is no search
    for a document with the same bytes. `in_commit` is called, with the document's id, in each
    transaction that answers with a document: a new one, or one that is held.
    """

    owner_id: UUID
    depositor: Depositor
    metadata: Callable[[], DocumentMetadata]
    judge: Judge | None = None
    owner_view: OwnerView | None = None
    idempotency_key: str | None = None
    in_commit: InCommit | None = None


@dataclass(frozen=True, slots=True)
class Deposited:
    """The document, whether the vault held it already, and what its depositor is warned of."""

    document: DocumentView
    already_held: bool
    warnings: tuple[QuotaWarning, ...] = ()


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
    query = records.document_with_content(command.owner_id, tag)
    async with services.database.pipeline.transaction() as tx:
        if await fetch_one(tx, query) is None:
            return None
    async with services.database.transaction() as ordinary:
        return await _find_held(services, ordinary, command, tag)


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
    for _ in range(_ATTEMPTS):
        added = await _commit_new(services, command, metadata, files, before_commit)
        if added is not None:
            return added
        answered = await _answer_again(services, command, metadata, files)
        if answered is not None:
            return answered
        # What was found held was deleted in between.
    raise ServiceError(ErrorKind.UNAVAILABLE, "database_busy", retry_after=5)


async def _commit_new(
    services: Services,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
    before_commit: Callable[[], None],
) -> Deposited | None:
    """The document that was added; None when its bytes are held or its key is answered already.

    Four round trips: what decides, the quota, the rows, the commit. A crash before the last one has
    ended leaves all rows, jobs and the event, or none of them.
    """
    owner_id, depositor = command.owner_id, command.depositor
    asked = await _ask_key(services, command, metadata, files)
    macs = await services.field_encryption.row_macs()
    async with services.database.pipeline.transaction() as tx:
        _, people_rows, (now,), held_rows, *key_rows = await tx.fetch(
            held_vault(owner_id),
            people.person_by_id(owner_id),
            instant_query(),
            records.document_with_content(owner_id, files.tag),
            *(asked.queries if asked else ()),
        )
        if not people_rows or people_rows[0].ended:
            # The vault was erased during the upload, or ended in another.
            raise not_found()
        macs.check(people.PERSON_ROW, people_rows[0])
        if command.judge is not None:
            await command.judge(tx)
        claimed = asked.claim(key_rows[1]) if asked else None
        if (held_rows and command.owner_view) or (claimed and claimed.result_id):
            return None
        warnings = await _take_room(services, tx, command, files)
        view = await add_document(services, tx, owner_id, depositor, metadata, files, now.at)
        await record_deposit(
            services, tx, owner_id, depositor, Action.DEPOSIT, view.id, now.at,
            revision=str(view.revision), version=1, **_told_of(depositor, metadata),
        )  # fmt: skip
        await idempotency.save(tx, claimed, view.id)
        if command.in_commit is not None:
            await command.in_commit(tx, view.id)
        await tx.flush()
        before_commit()
    return Deposited(view, already_held=False, warnings=warnings)


def _told_of(depositor: Depositor, metadata: DocumentMetadata) -> dict[str, str]:
    """What the entry of a recipient's deposit says of it: the type that they chose, nothing more.
    They read of it there alone; the owner's own entries name a paper by its id."""
    return {} if depositor.grant is None else {"document_type": metadata.type}


async def _take_room(
    services: Services, tx: Transaction, command: DepositCommand, files: VersionFiles
) -> tuple[QuotaWarning, ...]:
    """Refuse what is over a quota, under the vault's lock; count it for the grant."""
    owner_id, grant = command.owner_id, command.depositor.grant
    warnings = await check_room(services, tx, owner_id, grant_id=grant, size=files.size)
    if grant is not None:
        await count_deposit(tx, owner_id, grant, files.size)
    return warnings


async def _answer_again(
    services: Services, command: DepositCommand, metadata: DocumentMetadata, files: VersionFiles
) -> Deposited | None:
    """The document already held with these bytes, or the answer already given to this key; None
    when there is neither."""
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, command.owner_id)
        if command.judge is not None:
            await command.judge(tx)
        held = await _find_held(services, tx, command, files.tag)
        if held is not None:
            return held
        claimed = await _claim_key(services, tx, command, metadata, files)
        if claimed is None or claimed.result_id is None:
            return None
        return await _repeat_answer(services, tx, command, metadata, files, claimed.result_id)


async def _find_held(
    services: Services, tx: AsyncConnection, command: DepositCommand, tag: bytes
) -> Deposited | None:
    if command.owner_view is None:
        return None
    owner_id = command.owner_id
    held = await fetch_one(tx, records.document_with_content(owner_id, tag))
    row = None if held is None else await records.document(tx, owner_id, held.id)
    if row is None:
        return None
    at = await instant(tx)
    await record_deposit(
        services, tx, owner_id, command.depositor, Action.DEPOSIT, row.id, at, held=1
    )
    if command.in_commit is not None:
        await command.in_commit(tx, row.id)
    return Deposited(await command.owner_view(tx, row), already_held=True)


def _key_values(
    command: DepositCommand, metadata: DocumentMetadata, files: VersionFiles
) -> dict[str, Any]:
    """What `idempotency` asks for: who calls, on what, with which body."""
    depositor = command.depositor
    return {
        "caller_id": depositor.actor.id or command.owner_id,
        "route": f"deposit/{command.owner_id}/{depositor.grant}",
        "key": command.idempotency_key,
        "body": files.tag + metadata_key(metadata),
    }


async def _ask_key(
    services: Services, command: DepositCommand, metadata: DocumentMetadata, files: VersionFiles
) -> idempotency.AskedKey | None:
    return await idempotency.ask(services, **_key_values(command, metadata, files))


async def _claim_key(
    services: Services,
    tx: AsyncConnection,
    command: DepositCommand,
    metadata: DocumentMetadata,
    files: VersionFiles,
) -> idempotency.Claim | None:
    return await idempotency.claim(services, tx, **_key_values(command, metadata, files))


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
    at = await instant(tx)
    await record_deposit(services, tx, owner_id, depositor, Action.DEPOSIT, row.id, at, held=1)
    if command.in_commit is not None:
        await command.in_commit(tx, row.id)
    if command.owner_view is not None:
        return Deposited(await command.owner_view(tx, row), already_held=False)
    view = view_of(row, metadata, deposited_by=depositor.values(owner_id), file=files.sealed_values)
    return Deposited(replace(view, deleted_at=None), already_held=False)
