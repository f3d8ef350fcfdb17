"""The shapes that several resources share."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field

from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.decoding.media import MediaType
from vault.document_view import DocumentView
from vault.documents.quotas import QuotaWarning
from web.api.vocabulary import DocumentTypeCode, FileNote, ScanState

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; opaque.")
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="`ETag` of the state you saw."),
]


ETAG: dict[str, Any] = {
    "ETag": {
        "description": "Of this state: send it as `If-Match` with a change.",
        "schema": {"type": "string"},
    }
}
"""Headers of an answer, for its description."""
LOCATION: dict[str, Any] = {
    "Location": {
        "description": "Where it is from now on.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}


class Strict(BaseModel):
    """A body whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FileOut(BaseModel):
    """What is known of a document's content. `notes` are words of a closed list."""

    media_type: MediaType
    size: int
    pages: int
    file_name: str | None = None
    notes: list[FileNote]
    scan: ScanState
    preview: bool
    parts: int = 1


class VersionOut(BaseModel):
    """The current version."""

    id: UUID
    number: int
    created_at: datetime


class DocumentOut(BaseModel):
    """A document of the person's own."""

    id: UUID
    type: DocumentTypeCode
    title: str | None
    issued_on: date | None
    expires_on: date | None
    paper_location: str | None
    sensitive: bool
    deposited_by: dict[str, str]
    created_at: datetime
    deleted_at: datetime | None
    version: VersionOut
    file: FileOut


class GrantedDocumentOut(BaseModel):
    """A document as a recipient sees it. What `attest` does not say is null."""

    id: UUID
    type: DocumentTypeCode
    issued_on: date | None
    expires_on: date | None
    deposited_on: datetime
    verified: bool
    title: str | None = None
    version: VersionOut | None = None
    file: FileOut | None = None


class DepositedOut(DocumentOut):
    """A document of the person's own, just deposited. `warnings`: what is almost reached; see
    `GET /v1/me`."""

    warnings: list[QuotaWarning] = []


class GrantedDepositOut(GrantedDocumentOut):
    """A document as its depositor sees it. `warnings`: what this grant lets add is almost used."""

    warnings: list[QuotaWarning] = []


class DocumentList(BaseModel):
    """A page of documents."""

    items: list[DocumentOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


class GrantedDocumentList(BaseModel):
    """A page of documents under a grant."""

    items: list[GrantedDocumentOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


def document_out(document: DocumentView) -> DocumentOut:
    """A document, as its owner sees it."""
    file = document.file
    parts = file["parts"]
    return DocumentOut(
        id=document.id,
        type=document.metadata.type,
        title=document.metadata.title,
        issued_on=document.metadata.issued_on,
        expires_on=document.metadata.expires_on,
        paper_location=document.metadata.paper_location,
        sensitive=document.metadata.sensitive,
        deposited_by={name: value for name, value in document.deposited_by.items() if value},
        created_at=document.created_at,
        deleted_at=document.deleted_at,
        version=_version(document),
        file=_file(
            document,
            media_type=file["media_type"] if len(parts) == 1 else file["rendition_media_type"],
            size=file["size"],
            file_name=parts[0]["file_name"],
            parts=len(parts),
        ),
    )


def granted_out(document: DocumentView, *, may_read: bool) -> GrantedDocumentOut:
    """A document under a grant: its rendition, never the names of its original."""
    shape = GrantedDocumentOut(
        id=document.id,
        type=document.metadata.type,
        issued_on=document.metadata.issued_on,
        expires_on=document.metadata.expires_on,
        deposited_on=document.created_at,
        verified=document.verified,
    )
    if may_read:
        shape.title = document.metadata.title
        shape.version = _version(document)
        shape.file = _file(
            document,
            media_type=document.file["rendition_media_type"],
            size=document.file["rendition_size"],
        )
    return shape


def revision_of(if_match: str | None) -> UUID | None:
    """The revision that `If-Match` names, or None. An unknown one never matches."""
    if if_match is None or if_match.strip() == "*":
        return None
    revision = parse_id(if_match.strip().strip('"'))
    if revision is None:
        raise ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
    return revision


def _version(document: DocumentView) -> VersionOut:
    return VersionOut(
        id=document.version_id, number=document.version, created_at=document.version_created_at
    )


def _file(document: DocumentView, **values: Any) -> FileOut:
    return FileOut(
        pages=document.file["pages"],
        notes=document.file["notes"],
        scan=document.scan,
        preview=document.has_preview,
        **values,
    )
