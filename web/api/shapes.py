"""The shapes that several resources share."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field

from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.document_view import DocumentView

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next` of the page before; opaque.")
]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="`ETag` of the state you saw."),
]


class Strict(BaseModel):
    """A body whose unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class FileOut(BaseModel):
    """What is known of a document's content. `notes` are words of a closed list."""

    media_type: str
    size: int
    pages: int
    file_name: str | None = None
    notes: list[str]
    scan: str
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
    type: str
    title: str | None
    issued_on: date | None
    expires_on: date | None
    paper_location: str | None
    deposited_by: dict[str, str]
    created_at: datetime
    deleted_at: datetime | None
    version: VersionOut
    file: FileOut


class GrantedDocumentOut(BaseModel):
    """A document as a recipient sees it. What `attest` does not say is null."""

    id: UUID
    type: str
    issued_on: date | None
    expires_on: date | None
    deposited_on: datetime
    verified: bool
    title: str | None = None
    version: VersionOut | None = None
    file: FileOut | None = None


class DocumentList(BaseModel):
    """A page of documents."""

    items: list[DocumentOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


class GrantedDocumentList(BaseModel):
    """A page of documents under a grant."""

    items: list[GrantedDocumentOut]
    next: str | None = Field(description="The cursor of the following page, or null.")


def document_out(paper: DocumentView) -> DocumentOut:
    """A document of the person's own."""
    file = paper.file
    parts = file["parts"]
    return DocumentOut(
        id=paper.id,
        type=paper.metadata.type,
        title=paper.metadata.title,
        issued_on=paper.metadata.issued_on,
        expires_on=paper.metadata.expires_on,
        paper_location=paper.metadata.paper_location,
        deposited_by={name: value for name, value in paper.deposited_by.items() if value},
        created_at=paper.created_at,
        deleted_at=paper.deleted_at,
        version=_version(paper),
        file=_file(
            paper,
            media_type=file["media_type"] if len(parts) == 1 else file["rendition_media_type"],
            size=file["size"],
            file_name=parts[0]["file_name"],
            parts=len(parts),
        ),
    )


def granted_out(paper: DocumentView, *, may_read: bool) -> GrantedDocumentOut:
    """A document under a grant: its rendition, never its original's names."""
    line = GrantedDocumentOut(
        id=paper.id,
        type=paper.metadata.type,
        issued_on=paper.metadata.issued_on,
        expires_on=paper.metadata.expires_on,
        deposited_on=paper.created_at,
        verified=paper.verified,
    )
    if may_read:
        line.title = paper.metadata.title
        line.version = _version(paper)
        line.file = _file(
            paper,
            media_type=paper.file["rendition_media_type"],
            size=paper.file["rendition_size"],
        )
    return line


def revision_of(if_match: str | None) -> UUID | None:
    """The revision that `If-Match` names, or None. An unknown one never matches."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = parse_id(if_match.strip().strip('"'))
    if found is None:
        raise ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
    return found


def _version(paper: DocumentView) -> VersionOut:
    return VersionOut(
        id=paper.version_id, number=paper.version, created_at=paper.version_created_at
    )


def _file(paper: DocumentView, **values: Any) -> FileOut:
    return FileOut(
        pages=paper.file["pages"],
        notes=paper.file["notes"],
        scan=paper.scan,
        preview=paper.has_preview,
        **values,
    )
