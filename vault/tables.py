"""The domain's tables. Any column but an id, a time or a switch is sealed or a keyed tag."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import Mapped, mapped_column

from auth.records.people import PersonRow
from base.database import Base
from base.db_time import now
from storage.row_macs import RowAltered, RowFormat, RowMacs

_RECIPIENT = "IN ('worker', 'client')"
_NOT_APPROVED = "answer IS NULL OR answer <> 'approved'"


class Document(Base):
    """A document. Sealed: type, title, dates, place of the paper original, depositor."""

    __tablename__ = "document"
    __table_args__ = (
        Index("ix_document_person_id_id", "person_id", "id"),
        Index("ix_document_person_id_type_tag", "person_id", "type_tag"),
        Index("ix_document_notice_at", "notice_at", postgresql_where="notice_at IS NOT NULL"),
        Index("ix_document_deleted_at", "deleted_at", postgresql_where="deleted_at IS NOT NULL"),
        CheckConstraint("deposited_by_kind IN ('owner', 'worker', 'client')", name="depositor"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    version_id: Mapped[UUID]
    type_tag: Mapped[bytes]
    typed_at: Mapped[datetime] = mapped_column(server_default=now())
    deposited_by_kind: Mapped[str]
    deposited_by_id: Mapped[UUID | None]
    revision: Mapped[UUID]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    deleted_at: Mapped[datetime | None]
    notice_at: Mapped[datetime | None]
    mac: Mapped[bytes | None]


# Without `notice_at`: a reminder too many, or none, opens nothing.
DOCUMENT_ROW = RowFormat(
    "document",
    (
        "id",
        "person_id",
        "version_id",
        "type_tag",
        "typed_at",
        "deposited_by_kind",
        "deposited_by_id",
        "revision",
        "sealed",
        "created_at",
        "deleted_at",
    ),
    often=True,
)


# In a query that joins a grant and a document, the document's columns begin with `document_`.
DOCUMENT_COLUMNS = tuple(
    column.label(f"document_{column.name}") for column in Document.__table__.columns
)
JOINED_DOCUMENT_ROW = DOCUMENT_ROW.prefixed("document_")


class DocumentVersion(Base):
    """One state of a document's content. Sealed: file name, media type, pages, notes.

    `size_kib`: what was sent, in KiB, each version rounded up; None for one stored by an earlier
    release and not measured yet.
    """

    __tablename__ = "document_version"
    __table_args__ = (
        UniqueConstraint("document_id", "number"),
        Index(
            "ix_document_version_person_id_content_tag",
            "person_id",
            "content_tag",
            postgresql_include=["size_kib"],
        ),
        Index("ix_document_version_unmeasured", "id", postgresql_where="size_kib IS NULL"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("scan IN ('not_scanned', 'waiting', 'clean', 'infected')", name="scan"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey(Document.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    number: Mapped[int]
    content_tag: Mapped[bytes]
    scan: Mapped[str]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    size_kib: Mapped[int | None]
    mac: Mapped[bytes | None]


# Without `size_kib`: a quota reached too late, or too early, opens nothing; `unefois audit
# reconcile` compares it with the sealed size.
VERSION_ROW = RowFormat(
    "document_version",
    (
        "id",
        "document_id",
        "person_id",
        "number",
        "content_tag",
        "scan",
        "sealed",
        "created_at",
    ),
    often=True,
)


# In a query that joins a document and one of its versions, the version's columns begin with `v_`.
VERSION_COLUMNS = tuple(
    column.label(f"v_{column.name}") for column in DocumentVersion.__table__.columns
)
JOINED_VERSION_ROW = VERSION_ROW.prefixed("v_")


class SealedFile(Base):
    """One sealed blob: an original (one per uploaded file), a rendition, a preview or a
    thumbnail.

    Recipients get the rendition. Without one they get the only original, which is then the same
    byte for byte. `envelope` holds the file's key and length, sealed under the owner's key and
    bound to all that this row says.
    """

    __tablename__ = "sealed_file"
    __table_args__ = (
        UniqueConstraint("version_id", "role", "position"),
        Index("uq_sealed_file_blob_key", "blob_key", unique=True),
        Index("ix_sealed_file_person_id", "person_id"),
        CheckConstraint("role IN ('original', 'rendition', 'preview', 'thumbnail')", name="role"),
        CheckConstraint("position >= 0", name="position"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version_id: Mapped[UUID] = mapped_column(ForeignKey(DocumentVersion.id, ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    role: Mapped[str]
    position: Mapped[int]
    blob_key: Mapped[str]
    envelope: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class ConsentRequest(Base):
    """A request to the holder of a phone. Sealed under the person's key, or the service's while
    there is no vault: scope, purpose, basis, duration, contact, phone. `sender_sealed`: the same,
    as its sender reads it back, always under the service's key; and when they withdrew it, whatever
    was answered before: `answer` keeps what the person said."""

    __tablename__ = "consent_request"
    __table_args__ = (
        CheckConstraint(f"requester_kind {_RECIPIENT}", name="requester_kind"),
        CheckConstraint("answer IN ('approved', 'refused', 'not_me', 'withdrawn')", name="answer"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        CheckConstraint("lapses_at > created_at", name="lapses"),
        Index("ix_consent_request_phone_tag", "phone_tag"),
        Index("ix_consent_request_person_id_id", "person_id", "id"),
        Index("ix_consent_request_requester_id_id", "requester_id", "id"),
        Index("ix_consent_request_lapses_at", "lapses_at", postgresql_where=_NOT_APPROVED),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    requester_kind: Mapped[str]
    requester_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    phone_tag: Mapped[bytes]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    sealed: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    lapses_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    sender_sealed: Mapped[bytes | None]
    mac: Mapped[bytes | None]


REQUEST_ROW = RowFormat(
    "consent_request",
    (
        "id",
        "requester_kind",
        "requester_id",
        "organisation_id",
        "phone_tag",
        "person_id",
        "sealed",
        "sender_sealed",
        "created_at",
        "lapses_at",
        "answer",
        "answered_at",
    ),
)


class Grant(Base):
    """A consent given, whole in one row. Sealed: scope in words, purpose, basis, duration, contact,
    storage. `type_tags`: the types that it names; `document_ids`: the papers that the person
    picked, also those deleted since."""

    __tablename__ = "grant"
    __table_args__ = (
        CheckConstraint(f"recipient_kind {_RECIPIENT}", name="recipient_kind"),
        CheckConstraint("may_attest OR may_read OR may_deposit", name="some_action"),
        CheckConstraint("ends_at > given_at", name="ends"),
        CheckConstraint("ends_at <= given_at + interval '12 months'", name="a_year_at_most"),
        CheckConstraint("revoked_at IS NULL OR revoked_at >= given_at", name="revoked"),
        Index("uq_grant_request_id", "request_id", unique=True),
        Index("ix_grant_person_id_id", "person_id", "id"),
        Index("ix_grant_recipient_id_id", "recipient_id", "id"),
        Index("ix_grant_catalogue_edition_ends_at", "catalogue_edition", "ends_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    request_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(ConsentRequest.id, ondelete="SET NULL")
    )
    recipient_kind: Mapped[str]
    recipient_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    may_attest: Mapped[bool]
    may_read: Mapped[bool]
    may_deposit: Mapped[bool]
    covers_future: Mapped[bool]
    catalogue_edition: Mapped[int] = mapped_column(server_default="1")
    type_tags: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary()))
    document_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    given_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    sealed: Mapped[bytes]
    mac: Mapped[bytes | None]


# Without `revoked_at`: a revocation is also looked up in the history, which only grows, because the
# MAC of the row before it would hold for ever.
GRANT_ROW = RowFormat(
    "grant",
    (
        "id",
        "person_id",
        "request_id",
        "recipient_kind",
        "recipient_id",
        "organisation_id",
        "may_attest",
        "may_read",
        "may_deposit",
        "covers_future",
        "catalogue_edition",
        "type_tags",
        "document_ids",
        "given_at",
        "ends_at",
        "sealed",
    ),
    often=True,
)


class GrantHistory(Base):
    """What happened to a grant, in order. Append-only, by role privileges. `edition`: of the
    catalogue, when the grant was narrowed to it."""

    __tablename__ = "grant_history"
    __table_args__ = (
        CheckConstraint("step IN ('given', 'approved', 'narrowed', 'revoked')", name="step"),
        CheckConstraint("by_kind IN ('owner', 'worker', 'client', 'service')", name="by_kind"),
        Index("ix_grant_history_grant_id_id", "grant_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey(Grant.id, ondelete="CASCADE"))
    step: Mapped[str]
    by_kind: Mapped[str]
    edition: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(server_default=now())


class DepositTotal(Base):
    """What a grant's recipient has added in all, whatever became of it since: it tells them nothing
    of what the owner deleted. No row: nothing."""

    __tablename__ = "deposit_total"
    __table_args__ = (Index("ix_deposit_total_person_id", "person_id"),)
    grant_id: Mapped[UUID] = mapped_column(
        ForeignKey(Grant.id, ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    documents: Mapped[int]
    size_kib: Mapped[int]


class Idempotency(Base):
    """A result stored for an `Idempotency-Key`: hashes and the result's id."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_created_at", "created_at"),)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes]
    result_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    mac: Mapped[bytes | None]


IDEMPOTENCY_ROW = RowFormat("idempotency", ("key_hash", "request_hash", "result_id"))


class Attempt(Base):
    """A rate-limited attempt: asking for consent, and reporting an access, which send messages;
    giving a grant, which looks its recipient up."""

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint("kind IN ('consent-request', 'give', 'report')", name="kind"),
        Index("ix_attempt_subject_id_kind_id", "subject_id", "kind", "id"),
        Index("ix_attempt_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID]
    kind: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=now())


class ErasureCode(Base):
    """A code sent to a person who asks to erase their vault; bound to the session that asked."""

    __tablename__ = "erasure_code"
    __table_args__ = (
        Index("ix_erasure_code_person_id_id", "person_id", "id"),
        Index("ix_erasure_code_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(PersonRow.id, ondelete="CASCADE"))
    session_id: Mapped[UUID]
    code_tag: Mapped[bytes]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    mac: Mapped[bytes | None]


class PendingErasure(Base):
    """A vault that will be erased at `erases_at`, unless the person cancels; then the row is
    deleted."""

    __tablename__ = "pending_erasure"
    __table_args__ = (Index("ix_pending_erasure_erases_at", "erases_at"),)
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey(PersonRow.id, ondelete="CASCADE"), primary_key=True
    )
    asked_at: Mapped[datetime]
    erases_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    mac: Mapped[bytes | None]


def check_documents(macs: RowMacs, rows: Sequence[Any]) -> None:
    """Raise `RowAltered` unless each row, of a document and one of its versions, is ours."""
    for row in rows:
        macs.check(DOCUMENT_ROW, row)
        macs.check(JOINED_VERSION_ROW, row)
        if row.v_document_id != row.id:
            raise RowAltered("document_version")
