"""The rows of a deposit: a document, its version, their files, the jobs they need, and the event.

They run in either kind of transaction. Nothing here opens what is sealed (invariant 15).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.events import Action, Actor, ActorKind, Event, Outcome
from base.ids import new_id
from base.key_names import DOCUMENT, DOCUMENT_VERSION, PREVIEW, THUMBNAIL
from base.pipeline import Transaction, write
from storage.field_encryption import FieldWriter
from vault import jobs
from vault.consent.type_tags import type_tag
from vault.document_view import DocumentMetadata, DocumentView, metadata_values
from vault.documents import records
from vault.documents.notice_date import notice_at
from vault.documents.quotas import kib
from vault.services import Services
from vault.tables import DOCUMENT_ROW, VERSION_ROW


@dataclass(frozen=True, slots=True)
class Depositor:
    """Who deposits, as stored in the log and the document's row. `grant` is None for the owner;
    `origin`: the installation whose export their paper comes from, as it says of itself."""

    actor: Actor
    grant: UUID | None = None
    purpose_code: str = ""
    purpose: str = field(default="", repr=False)
    origin: str = ""

    def who(self, owner_id: UUID) -> Actor:
        """As rows name them: what a representative puts in is their person's."""
        if self.actor.kind is ActorKind.REPRESENTATIVE:
            return Actor(ActorKind.OWNER, owner_id)
        return self.actor

    def columns(self, owner_id: UUID) -> dict[str, Any]:
        """The columns about them of the document's row."""
        who = self.who(owner_id)
        return {"deposited_by_kind": who.kind.value, "deposited_by_id": who.id}

    def values(self, owner_id: UUID) -> dict[str, str]:
        """The values about them that are sealed in the document's row."""
        actor = self.who(owner_id)
        return {
            "kind": actor.kind.value,
            "name": actor.name,
            "job": actor.job,
            "organisation": actor.organisation,
            **({"imported_from": self.origin} if self.origin else {}),
        }


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

    @property
    def size(self) -> int:
        """Bytes sent: what quotas count."""
        return int(self.sealed_values["size"])

    def has_role(self, role: str) -> bool:
        """Whether one of the files is of a role."""
        return any(row["role"] == role for row in self.rows)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version being inserted, and when."""

    owner_id: UUID
    document_id: UUID
    number: int
    at: datetime


async def add_document(
    services: Services,
    tx: Transaction,
    owner_id: UUID,
    depositor: Depositor,
    metadata: DocumentMetadata,
    files: VersionFiles,
    at: datetime,
) -> DocumentView:
    """Insert a document and its first version; returns what is then stored."""
    document_id, revision = new_id(), new_id()
    writer = await services.field_encryption.writer(owner_id, tx)
    macs = await services.field_encryption.row_macs()
    sealed = metadata_values(metadata, depositor.values(owner_id))
    values = {
        "id": document_id,
        "person_id": owner_id,
        "version_id": files.version_id,
        "type_tag": await type_tag(services, owner_id, metadata.type, sensitive=metadata.sensitive),
        "typed_at": at,
        **depositor.columns(owner_id),
        "revision": revision,
        "notice_at": notice_at(metadata),
        "sealed": writer.seal(DOCUMENT, document_id, sealed),
        "created_at": at,
        "deleted_at": None,
    }
    await write(tx, records.add_document(**macs.add(DOCUMENT_ROW, values)))
    version = NewVersion(owner_id, document_id, 1, at)
    scan = await add_version(services, tx, writer, files, version)
    return DocumentView(
        id=document_id,
        revision=revision,
        version_id=files.version_id,
        version=1,
        metadata=metadata,
        deposited_by=depositor.values(owner_id),
        created_at=at,
        version_created_at=at,
        deleted_at=None,
        file=files.sealed_values,
        scan=scan,
        has_preview=files.has_role(PREVIEW),
        has_thumbnail=files.has_role(THUMBNAIL),
    )


async def add_version(
    services: Services,
    tx: Transaction,
    writer: FieldWriter,
    files: VersionFiles,
    version: NewVersion,
) -> str:
    """Insert a version, its files, and the jobs that it needs; returns the state of its scan."""
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
    size_kib = kib(files.size)
    await write(tx, records.add_version(**macs.add(VERSION_ROW, values), size_kib=size_kib))
    for row in files.rows:
        await write(tx, records.add_file(**row, person_id=version.owner_id))
    if not files.has_role(PREVIEW):
        await write(tx, jobs.preview_job(version.owner_id, files.version_id))
    if scanned:
        await write(tx, jobs.scan_job(version.owner_id, files.version_id))
    return str(values["scan"])


async def record_deposit(
    services: Services,
    tx: Transaction,
    owner_id: UUID,
    depositor: Depositor,
    action: Action,
    document_id: UUID,
    at: datetime,
    **details: str | int,
) -> None:
    """Record a deposit, or a new version, in the transaction that makes it."""
    await services.audit_log.record(
        tx,
        Event(
            id=new_id(),
            at=at,
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
