"""The whole catalogue of document types, which requests and deposits name."""

from dataclasses import asdict
from datetime import date
from functools import cache

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from vault import catalogue
from web.api.vocabulary import (
    DateThatMattersWord,
    DocumentTypeCode,
    FamilyCode,
    HolderWord,
    SensitiveKindCode,
)
from web.http.public_resources import TEN_MINUTES, public_answer, public_operation
from web.i18n.date_labels import date_label
from web.i18n.translations import LANGUAGES

router = APIRouter(prefix="/v1", tags=["catalogue"])


class Names(BaseModel):
    """The same words in French, in easy-to-read French and in English."""

    fr: str
    falc: str
    en: str


class Words(BaseModel):
    """The same words in French and in English."""

    fr: str
    en: str


class Source(BaseModel):
    """Where an entry was checked, and which day. `as_of`: the day of the text that was read.

    `checked_on` and `address` are null where no text was read; `basis` says what it rests on."""

    title: str | None
    address: str | None
    as_of: date | None
    checked_on: date | None
    basis: str | None


class DocumentType(BaseModel):
    """One kind of document. Durations are ISO 8601; they help to fill a form, no more.

    `labels` has both names: the easy one, then the official one in brackets. `names.fr` and
    `names.en` are the official words, `names.falc` the easy ones. A `retired` type stays on what
    has it; nothing new may have it, and `replaced_by` says what may. `date_field` is the field of a
    document that holds the date that matters, `date_label` its name in a form.
    """

    code: DocumentTypeCode
    names: Names
    official_names: Words
    easy_names: Words
    labels: Words
    family: FamilyCode
    pictogram: str
    holder: HolderWord
    sides: int
    multi_page: bool
    date_that_matters: DateThatMattersWord
    date_field: str | None
    date_label: Words | None
    usual_validity: str | None
    notice_period: str | None
    has_expiry: bool
    sensitive: bool
    sensitive_kind: SensitiveKindCode | None
    retired: bool
    replaced_by: list[DocumentTypeCode]
    source: Source


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
    types = [_out(entry) for entry in catalogue.document_types()]
    return DocumentTypes(items=types).model_dump_json().encode()


def _labels(kind: catalogue.DateThatMatters) -> dict[str, str | None]:
    return {language: date_label(kind, language) for language in LANGUAGES}


def _out(entry: catalogue.DocumentType) -> DocumentType:
    kind = entry.date_that_matters
    derived = {
        "names": asdict(entry.names),
        "labels": asdict(entry.labels),
        "date_field": kind.field,
        "date_label": None if kind.field is None else _labels(kind),
    }
    return DocumentType.model_validate({**asdict(entry), **derived})
