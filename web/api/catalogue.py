"""The whole catalogue of document types, which requests and deposits name."""

from functools import cache

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from vault import catalogue
from web.api.vocabulary import DocumentTypeCode, FamilyCode, SensitiveKindCode
from web.http.public_resources import TEN_MINUTES, public_answer, public_operation

router = APIRouter(prefix="/v1", tags=["catalogue"])


class Names(BaseModel):
    """The same words in French, in easy-to-read French and in English."""

    fr: str
    falc: str
    en: str


class DocumentType(BaseModel):
    """One kind of document. Durations are ISO 8601; they help to fill a form, no more."""

    code: DocumentTypeCode
    names: Names
    family: FamilyCode
    pictogram: str
    sides: int
    multi_page: bool
    usual_validity: str | None
    notice_period: str | None
    has_expiry: bool
    sensitive: bool
    sensitive_kind: SensitiveKindCode | None


class DocumentTypes(BaseModel):
    """Always whole: `next` is null."""

    items: list[DocumentType]
    next: None = None


@router.get(
    "/document-types",
    operation_id="listDocumentTypes",
    response_model=DocumentTypes,
    **public_operation(),
)
async def document_types(request: Request) -> Response:
    """Every kind of document, grouped by family."""
    return public_answer(request, _all_types(), "application/json", cache=TEN_MINUTES)


@cache
def _all_types() -> bytes:
    types = [
        DocumentType.model_validate(entry, from_attributes=True)
        for entry in catalogue.document_types()
    ]
    return DocumentTypes(items=types).model_dump_json().encode()
