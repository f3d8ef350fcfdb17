"""Keeping what a deposit made: its rows, its jobs and its event, in one commit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth.records import people
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from storage.field_encryption import FieldSealer
from vault import idempotency, jobs
from vault.catalogue.types import by_code
from vault.document_view import (
    DOCUMENT,
    VERSION,
    DocumentMetadata,
    DocumentView,
    metadata_key,
    metadata_values,
    open_document,
)
from vault.documents import expiry_reminders, records
from vault.services import Services

MOST_DOCUMENTS = 2000

Judge = Callable[[AsyncConnection], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits, as the log and the document's row will say. `grant` is None for the owner."""

    actor: Actor
    grant: UUID | None = None
    purpose_code: str = ""
    purpose: str = field(default="", repr=False)

    def words(self) -> dict[str, str]:
        """What the document's row keeps of them, sealed."""
        actor = self.actor
        return {
            "kind": actor.kind.value,
            "name": actor.name,
            "job": actor.job,
            "organisation": actor.organisation,
        }


@dataclass(frozen=True, slots=True)
class Deposited:
    """The document kept, and whether it was there already."""

    paper: DocumentView
    already_held: bool


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """What the rows of a version say of its files, which are durable in the store.

    `tag`: the keyed hash of the originals' bytes. `facts`: what its sealed row keeps of them.
    `rows`: each one's `id`, `role`, `position`, `blob_key`, `envelope`.
    """

    tag: bytes
    metadata: dict[str, Any] = field(repr=False)
    rows: tuple[dict[str, Any], ...] = field(repr=False)


def check_metadata(metadata: DocumentMetadata) -> DocumentMetadata:
    """Refuse a type that the catalogue does not have, and dates that contradict each other."""
    if by_code(metadata.type) is None:
        raise invalid("unknown_document_type")
    if metadata.issued_on and metadata.expires_on and metadata.expires_on < metadata.issued_on:
        raise invalid("expires_before_issued")
    return metadata


async def answer_held(
    services: Services, owner_id: UUID, depositor: Depositor, tag: bytes
) -> Deposited | None:
    """The document of the owner's that already has these bytes; answering with it is recorded."""
    async with services.database.transaction() as tx:
        return await _held(services, tx, owner_id, depositor, tag)


async def _held(
    services: Services, tx: AsyncConnection, owner_id: UUID, depositor: Depositor, tag: bytes
) -> Deposited | None:
    held = await records.held_already(tx, owner_id, tag)
    row = None if held is None else await records.document(tx, owner_id, held)
    if row is None:
        return None
    await _record(services, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
    paper = open_document(await services.field_encryption.of(owner_id, tx), row)
    return Deposited(paper, already_held=True)


async def commit_deposit(
    services: Services,
    owner_id: UUID,
    depositor: Depositor,
    metadata: DocumentMetadata,
    files: VersionFiles,
    claim: Callable[[], None],
    *,
    judge: Judge | None,
    idempotency_key: str | None,
) -> Deposited:
    """Rows, jobs and event in one commit: the 201 is durable, or nothing happened.

    `claim` is called once nothing but the commit is left: its answer may be lost.
    """
    document_id, version_id = new_id(), new_id()
    async with services.database.transaction() as tx:
        await records.lock_vault(tx, owner_id)
        if await people.person(tx, owner_id) is None:
            # Erased while the file was on its way.
            raise not_found()
        if judge is not None:
            await judge(tx)
        else:
            held = await _held(services, tx, owner_id, depositor, files.tag)
            if held is not None:
                return held
        claimed = await idempotency.claim(
            services,
            tx,
            caller_id=depositor.actor.id or owner_id,
            route=f"deposit/{owner_id}/{depositor.grant}",
            key=idempotency_key,
            body=files.tag + metadata_key(metadata),
        )
        if claimed is not None and claimed.result_id is not None:
            return await _again(services, tx, owner_id, depositor, metadata, claimed.result_id)
        if await records.count_documents(tx, owner_id) >= MOST_DOCUMENTS:
            raise ServiceError(ErrorKind.CONFLICT, "too_many_documents", limit=MOST_DOCUMENTS)
        sealer = await services.field_encryption.of(owner_id, tx)
        type_tag = await services.field_encryption.tag(
            "document-type", owner_id.bytes, metadata.type
        )
        await records.add_document(
            tx,
            id=document_id,
            person_id=owner_id,
            version_id=version_id,
            type_tag=type_tag,
            deposited_by_kind=depositor.actor.kind.value,
            deposited_by_id=depositor.actor.id,
            revision=new_id(),
            notice_at=expiry_reminders.notice_at(metadata),
            sealed=sealer.seal(DOCUMENT, document_id, metadata_values(metadata, depositor.words())),
        )
        await _add_version(services, tx, sealer, owner_id, document_id, version_id, 1, files)
        await _record(services, tx, owner_id, depositor, Action.DEPOSIT, document_id)
        await idempotency.keep(tx, claimed, document_id)
        row = await records.document(tx, owner_id, document_id)
        assert row is not None  # noqa: S101  (added in this transaction)
        paper = open_document(sealer, row)
        claim()
    return Deposited(paper, already_held=False)


async def commit_version(
    services: Services,
    owner_id: UUID,
    depositor: Depositor,
    document_id: UUID,
    files: VersionFiles,
    claim: Callable[[], None],
    *,
    may_change: Callable[[Row[Any] | None], None],
) -> DocumentView:
    """`keep`, for a document that is there: a new version of it, unless `may_change` raises."""
    async with services.database.transaction() as tx:
        await records.lock_vault(tx, owner_id)
        may_change(await records.document(tx, owner_id, document_id))
        sealer = await services.field_encryption.of(owner_id, tx)
        number = await records.next_number(tx, owner_id, document_id)
        version_id = new_id()
        await _add_version(services, tx, sealer, owner_id, document_id, version_id, number, files)
        await records.change_document(
            tx, owner_id, document_id, version_id=version_id, revision=new_id()
        )
        await _record(services, tx, owner_id, depositor, Action.NEW_VERSION, document_id)
        row = await records.document(tx, owner_id, document_id)
        assert row is not None  # noqa: S101  (changed in this transaction)
        paper = open_document(sealer, row)
        claim()
    return paper


async def _again(
    services: Services,
    tx: AsyncConnection,
    owner_id: UUID,
    depositor: Depositor,
    metadata: DocumentMetadata,
    document_id: UUID,
) -> Deposited:
    """The answer already given to this key; none once the document is gone.

    A recipient is told what they said and gave, and nothing of what the owner made of it since: a
    correction, a newer version, a deletion (invariant 7).
    """
    theirs = depositor.grant is not None
    find = records.first_version if theirs else records.document
    row = await find(tx, owner_id, document_id)
    if row is None:
        raise not_found()
    await _record(services, tx, owner_id, depositor, Action.DEPOSIT, row.id, held=1)
    paper = open_document(await services.field_encryption.of(owner_id, tx), row)
    if theirs:
        paper = replace(
            paper, metadata=metadata, deposited_by=depositor.words(), altered=False, deleted_at=None
        )
    return Deposited(paper, already_held=False)


async def _add_version(
    services: Services,
    tx: AsyncConnection,
    sealer: FieldSealer,
    owner_id: UUID,
    document_id: UUID,
    version_id: UUID,
    number: int,
    files: VersionFiles,
) -> None:
    scanned = services.settings.clamd_address is not None
    await records.add_version(
        tx,
        id=version_id,
        document_id=document_id,
        person_id=owner_id,
        number=number,
        content_tag=files.tag,
        scan="waiting" if scanned else "not_scanned",
        sealed=sealer.seal(VERSION, version_id, files.metadata),
    )
    await records.add_files(
        tx, [{**row, "version_id": version_id, "person_id": owner_id} for row in files.rows]
    )
    await jobs.defer_preview(tx, owner_id, version_id)
    if scanned:
        await jobs.defer_scan(tx, owner_id, version_id)


async def _record(
    services: Services,
    tx: AsyncConnection,
    owner_id: UUID,
    depositor: Depositor,
    action: Action,
    document_id: UUID,
    **details: int,
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
