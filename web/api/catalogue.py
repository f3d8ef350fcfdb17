"""The whole catalogue of document types, which requests and deposits name."""

from functools import cache

from fastapi import APIRouter
from pydantic import BaseModel

from vault import catalogue

router = APIRouter(prefix="/v1", tags=["catalogue"])


class Names(BaseModel):
    """The same words in French, in easy-to-read French and in English."""

    fr: str
    falc: str
    en: str


class DocumentType(BaseModel):
    """One kind of document. Durations are ISO 8601; they help to fill a form, no more."""

    code: str
    names: Names
    family: str
    pictogram: str
    sides: int
    multi_page: bool
    usual_validity: str | None
    notice_period: str | None
    has_expiry: bool
    sensitive: bool
    sensitive_kind: str | None


class DocumentTypes(BaseModel):
    """Always whole: `next` is null."""

    items: list[DocumentType]
    next: None = None


@router.get("/document-types")
async def document_types() -> DocumentTypes:
    """Every kind of document, grouped by family."""
    return _all_types()


@cache
def _all_types() -> DocumentTypes:
    return DocumentTypes(
        items=[
            DocumentType.model_validate(entry, from_attributes=True)
            for entry in catalogue.document_types()
        ]
    )
