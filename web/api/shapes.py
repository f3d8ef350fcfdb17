"""The shapes that several resources share."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from base.dates import iso_date
from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.decoding.media import MediaType
from vault.document_view import DocumentView, TypeSuggestion
from vault.documents.quotas import QuotaWarning
from web.api.vocabulary import (
    CarriesWord,
    DocumentTypeCode,
    FileNote,
    ScanState,
    SignatureStateWord,
)
from web.i18n.languages import offered


def _offered(code: str) -> str:
    if code not in offered():
        raise ValueError("one of the languages that are offered")
    return code


Language = Annotated[
    str, AfterValidator(_offered), Field(json_schema_extra={"enum": [*offered()]}, max_length=8)
]


def _whole(value: Any) -> Any:
    """A number of the query in plain digits: `5.0`, ` 5` and `1_0` are none."""
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise ValueError("a whole number in digits")
    return value


def _date(value: Any) -> Any:
    """A day as a text `YYYY-MM-DD`; a number, or a text of digits, would be seconds since 1970."""
    if not isinstance(value, str):
        raise ValueError("a date is a text")  # noqa: TRY004  (Pydantic's word for a wrong value)
    return iso_date(value)


_DIGITS = re.compile(r"-?[0-9]{1,9}")
InDigits = BeforeValidator(_whole)
Day = Annotated[date, BeforeValidator(_date)]
"""A date that is given: `2026-12-31` and nothing else."""
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most."), InDigits]
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


class SignatureOut(BaseModel):
    """An electronic signature, as it was when the PDF came in. Nobody checked who signed."""

    signer: str | None = Field(description="What the certificate calls its holder.")
    signed_at: datetime | None = Field(description="What the signature says.")
    state: SignatureStateWord


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
    signatures: list[SignatureOut] = []
    original_given: bool = Field(
        False, description="Recipients get the signed PDF as it was signed, at its owner's choice."
    )


class OwnFileOut(FileOut):
    """The same, and what only its owner is told."""

    carries: list[CarriesWord] = Field(
        description="What the original has beside what it shows; recipients' copies do not."
    )
    original_may_be_given: bool


class VersionOut(BaseModel):
    """The current version."""

    id: UUID
    number: int
    created_at: datetime


class SuggesterOut(BaseModel):
    """Who proposes."""

    name: str
    job: str
    organisation: str


class TypeSuggestionOut(BaseModel):
    """What a professional says that a paper of type `other` is: nothing until you accept it."""

    id: UUID
    type: DocumentTypeCode
    title: str | None
    issued_on: date | None
    expires_on: date | None
    due_on: date | None
    income_year: int | None
    suggested_by: SuggesterOut
    suggested_at: datetime


class DocumentOut(BaseModel):
    """A document of the person's own."""

    id: UUID
    type: DocumentTypeCode
    title: str | None
    issued_on: date | None
    expires_on: date | None
    due_on: date | None
    income_year: int | None
    paper_location: str | None
    sensitive: bool
    deposited_by: dict[str, str]
    created_at: datetime
    deleted_at: datetime | None
    version: VersionOut
    file: OwnFileOut
    type_suggestions: list[TypeSuggestionOut]


class GrantedDocumentOut(BaseModel):
    """A document as a recipient sees it. What `attest` does not say is null."""

    id: UUID
    type: DocumentTypeCode
    issued_on: date | None
    expires_on: date | None
    income_year: int | None
    deposited_on: datetime
    verified: bool
    title: str | None = None
    due_on: date | None = None
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
        due_on=document.metadata.due_on,
        income_year=document.metadata.income_year,
        paper_location=document.metadata.paper_location,
        sensitive=document.metadata.sensitive,
        deposited_by={name: value for name, value in document.deposited_by.items() if value},
        created_at=document.created_at,
        deleted_at=document.deleted_at,
        version=_version(document),
        file=OwnFileOut(
            **_file(document),
            media_type=file["media_type"] if len(parts) == 1 else file["rendition_media_type"],
            size=file["size"],
            file_name=parts[0]["file_name"],
            parts=len(parts),
            carries=file.get("carries", []),
            original_may_be_given=document.may_give_original,
        ),
        type_suggestions=[_suggestion_out(one) for one in document.waiting_suggestions],
    )


def _suggestion_out(suggestion: TypeSuggestion) -> TypeSuggestionOut:
    return TypeSuggestionOut(
        id=suggestion.id,
        type=suggestion.type,
        title=suggestion.title,
        issued_on=suggestion.issued_on,
        expires_on=suggestion.expires_on,
        due_on=suggestion.due_on,
        income_year=suggestion.income_year,
        suggested_by=SuggesterOut(**suggestion.by),
        suggested_at=suggestion.suggested_at,
    )


def granted_out(document: DocumentView, *, may_read: bool) -> GrantedDocumentOut:
    """A document under a grant: its rendition, never the names of its original."""
    shape = GrantedDocumentOut(
        id=document.id,
        type=document.metadata.type,
        issued_on=document.metadata.issued_on,
        expires_on=document.metadata.expires_on,
        income_year=document.metadata.income_year,
        deposited_on=document.created_at,
        verified=document.verified,
    )
    if may_read:
        shape.title = document.metadata.title
        shape.due_on = document.metadata.due_on
        shape.version = _version(document)
        shown = "" if document.gives_original else "rendition_"
        shape.file = FileOut(
            **_file(document),
            media_type=document.file[f"{shown}media_type"],
            size=document.file[f"{shown}size"],
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


def _file(document: DocumentView) -> dict[str, Any]:
    """What is said of the file to its owner and to recipients alike."""
    return {
        "pages": document.file["pages"],
        "notes": document.notes,
        "scan": document.scan,
        "preview": document.has_preview,
        "signatures": document.file.get("signatures", []),
        "original_given": document.gives_original,
    }
