"""The person's own documents."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response, status
from pydantic import Field, StrictBool, ValidationError

from base.errors import about, invalid
from base.user_text import clean_text, clean_title
from vault.decoding.media import MediaType
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents import own_documents, retrieval
from vault.documents.deposit_commit import Deposited
from vault.documents.own_deposit import deposit_own
from vault.services import Services
from web.api.deposit_bodies import OWN_UPLOAD_BODY, VERSION_BODY
from web.api.shapes import (
    ETAG,
    LOCATION,
    Cursor,
    Day,
    DepositedOut,
    DocumentList,
    DocumentOut,
    IfMatch,
    InDigits,
    Limit,
    Strict,
    document_out,
    revision_of,
)
from web.api.terms import IdempotencyKey
from web.api.vocabulary import DocumentTypeCode
from web.http.dependencies import PersonDep, ServicesDep
from web.http.downloads import ContentResponse
from web.http.field_errors import InvalidForm
from web.http.path_ids import PathId
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.problems import language_of
from web.http.uploads import IncomingPart, MultipartForm
from web.printouts.paper_sheet import print_paper

router = APIRouter(prefix="/v1/documents", tags=["documents"])

RangeHeader = Annotated[
    str | None, Header(alias="Range", max_length=200, description="One range: `bytes=0-1023`.")
]


IncomeYear = Annotated[int | None, Field(ge=1990, le=2100)]


class MetadataIn(Strict):
    """The fields beside the files of a deposit."""

    type: DocumentTypeCode
    title: str | None = Field(None, max_length=1000)
    issued_on: Day | None = None
    expires_on: Day | None = None
    due_on: Day | None = None
    income_year: IncomeYear = None
    paper_location: str | None = Field(None, max_length=1000)

    def metadata(self) -> DocumentMetadata:
        """The metadata for the use case, its texts cleaned."""
        return DocumentMetadata(
            type=self.type,
            title=clean_metadata_title(self.title),
            issued_on=self.issued_on,
            expires_on=self.expires_on,
            due_on=self.due_on,
            income_year=self.income_year,
            paper_location=_paper_location(self.paper_location),
        )


class OwnMetadataIn(MetadataIn):
    """The same fields, and what only the owner of a document may say of it."""

    sensitive: bool = False

    def metadata(self) -> DocumentMetadata:
        """The metadata for the use case, its texts cleaned."""
        return replace(super().metadata(), sensitive=self.sensitive)


class CorrectionIn(Strict):
    """What may be corrected; a field left out stays as it is. Null empties a title, a date or a
    place; it is refused for the others."""

    type: DocumentTypeCode | None = None
    title: str | None = Field(None, max_length=1000)
    issued_on: Day | None = None
    expires_on: Day | None = None
    due_on: Day | None = None
    income_year: IncomeYear = None
    paper_location: str | None = Field(None, max_length=1000)
    sensitive: StrictBool | None = None
    give_original: StrictBool | None = Field(
        None,
        description="Hand on a signed PDF as it was signed, as long as `file.original_may_be_given`"
        " says that nothing but details is in it. It ends with this version.",
    )

    def changes(self) -> dict[str, Any]:
        """The fields that were sent, their texts cleaned."""
        changed = self.model_dump(exclude_unset=True)
        if changed.get("type", "") is None:
            raise invalid("unknown_document_type", fields=[("type",)])
        for name in ("sensitive", "give_original"):
            if changed.get(name, False) is None:
                raise invalid("invalid_field", fields=[(name,)], field=name)
        if "title" in changed:
            changed["title"] = clean_metadata_title(changed["title"])
        if "paper_location" in changed:
            changed["paper_location"] = _paper_location(changed["paper_location"])
        return changed


def clean_metadata_title(text: str | None) -> str | None:
    """A title on one line. Raises `text_too_long`."""
    with about("title"):
        return clean_title(text or "")


def _paper_location(text: str | None) -> str | None:
    with about("paper_location"):
        return clean_text(text or "", 200)


def document_form(
    request: Request, services: Services, shape: type[MetadataIn] = MetadataIn
) -> MultipartForm:
    """The form of a deposit, being received."""
    limit = services.settings.max_document_bytes
    return MultipartForm(request, limit, known=shape.model_fields)


class _FilesAlone:
    """A form that has no field beside its files."""

    def __init__(self, form: MultipartForm) -> None:
        self._form = form
        self.announced = form.announced

    async def files(self) -> AsyncIterator[IncomingPart]:
        """The files. Raises `invalid_field` after the last, before anything is decoded or kept."""
        async for part in self._form.files():
            yield part
        if self._form.fields:
            raise invalid("invalid_field", fields=[()], field="?")


def metadata_of(
    form: MultipartForm, shape: type[MetadataIn] = MetadataIn
) -> Callable[[], DocumentMetadata]:
    """The metadata of a form, read after its files."""

    def read() -> DocumentMetadata:
        values = {name: value for name, value in form.fields.items() if value != ""}
        try:
            return shape.model_validate(values).metadata()
        except ValidationError as error:
            if "type" not in values:
                raise InvalidForm("type_missing", error) from None
            name = str(error.errors(include_input=False)[0]["loc"][0])
            # The name of an unknown field is what the caller sent.
            field = name if name in shape.model_fields else "?"
            raise InvalidForm("invalid_field", error, field=field) from None

    return read


def created(deposited: Deposited, response: Response) -> DepositedOut:
    """201 with the document, or 200 with the one already held."""
    if deposited.already_held:
        response.status_code = status.HTTP_200_OK
    response.headers["Location"] = f"/v1/documents/{deposited.document.id}"
    document = with_etag(deposited.document, response)
    return DepositedOut(**dict(document), warnings=list(deposited.warnings))


_STATE: dict[int | str, dict[str, Any]] = {200: {"description": "As it is now.", "headers": ETAG}}


@router.post(
    "",
    operation_id="addDocument",
    status_code=201,
    openapi_extra=OWN_UPLOAD_BODY,
    responses={
        200: {
            "model": DepositedOut,
            "description": "Already held.",
            "headers": ETAG | LOCATION,
        },
        201: {"description": "Kept.", "headers": ETAG | LOCATION},
    },
)
async def add(
    request: Request,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    idempotency_key: IdempotencyKey = None,
) -> DepositedOut:
    """Deposit a document. The same bytes again answer with the document already held."""
    form = document_form(request, services, OwnMetadataIn)
    deposited = await deposit_own(
        services,
        person,
        form,
        metadata_of(form, OwnMetadataIn),
        idempotency_key=idempotency_key,
    )
    return created(deposited, response)


@router.get("", operation_id="listDocuments")
async def list_(
    services: ServicesDep,
    person: PersonDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    deleted: Annotated[bool, Query(description="The deleted ones, for 30 days.")] = False,
) -> DocumentList:
    """My documents, newest first."""
    page = await own_documents.list_own(
        services, person, cursor=cursor, limit=limit, deleted=deleted
    )
    return DocumentList(items=[document_out(document) for document in page.items], next=page.next)


@router.get("/{document_id}", operation_id="getDocument", responses=_STATE)
async def see(
    document_id: PathId, response: Response, services: ServicesDep, person: PersonDep
) -> DocumentOut:
    """One of my documents."""
    return with_etag(await own_documents.see_own(services, person, document_id), response)


@router.get(
    "/{document_id}/sheet.pdf",
    operation_id="getDocumentSheetAsPdf",
    response_class=PdfResponse,
    responses=PDF,
)
async def to_print(
    document_id: PathId, services: ServicesDep, person: PersonDep, request: Request
) -> PdfResponse:
    """What a document of mine is, where its original is, who sees it, to print; recorded."""
    pdf = await print_paper(services, person, document_id, language_of(request))
    return pdf_response(pdf, "fiche")


@router.patch("/{document_id}", operation_id="correctDocument", responses=_STATE)
async def correct(
    document_id: PathId,
    body: CorrectionIn,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    if_match: IfMatch = None,
) -> DocumentOut:
    """Correct what is said of a document."""
    document = await own_documents.correct(
        services, person, document_id, body.changes(), if_match=revision_of(if_match)
    )
    return with_etag(document, response)


@router.delete("/{document_id}", operation_id="deleteDocument", status_code=204)
async def delete(
    document_id: PathId, services: ServicesDep, person: PersonDep, if_match: IfMatch = None
) -> None:
    """Delete a document; it can be restored for 30 days, then it is really gone."""
    await own_documents.delete(services, person, document_id, if_match=revision_of(if_match))


@router.post("/{document_id}/restore", operation_id="restoreDocument", responses=_STATE)
async def restore(
    document_id: PathId, response: Response, services: ServicesDep, person: PersonDep
) -> DocumentOut:
    """Take back a deleted document."""
    return with_etag(await own_documents.restore(services, person, document_id), response)


@router.post(
    "/{document_id}/versions",
    operation_id="addDocumentVersion",
    status_code=201,
    responses={201: {"description": "Kept.", "headers": ETAG}},
    openapi_extra=VERSION_BODY,
)
async def add_version(
    document_id: PathId,
    request: Request,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    if_match: IfMatch = None,
) -> DocumentOut:
    """Add a newer content to a document."""
    form = MultipartForm(request, services.settings.max_document_bytes)
    document = await own_documents.add_version(
        services, person, document_id, _FilesAlone(form), if_match=revision_of(if_match)
    )
    return with_etag(document, response)


_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
_BYTES: dict[str, Any] = {kind.value: {"schema": _FILE} for kind in MediaType}
_CONTENT_HEADERS = {
    "ETag": {"description": "Of this version.", "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "The name of the file.",
        "schema": {"type": "string"},
    },
    "Accept-Ranges": {"description": "`bytes`.", "schema": {"type": "string"}},
}
_CONTENT_RANGE = {"Content-Range": {"description": "RFC 9110 §14.4.", "schema": {"type": "string"}}}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": _BYTES, "description": "The bytes.", "headers": _CONTENT_HEADERS},
    206: {
        "content": _BYTES,
        "description": "The range asked for.",
        "headers": _CONTENT_HEADERS | _CONTENT_RANGE,
    },
}
PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"image/jpeg": {"schema": _FILE}},
        "description": "The first page.",
        "headers": _CONTENT_HEADERS,
    }
}


@router.get(
    "/{document_id}/content",
    operation_id="getDocumentContent",
    response_class=Response,
    responses=CONTENT,
)
async def content(
    document_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    part: Annotated[
        int | None, Query(ge=1, le=100, description="One photo of several."), InDigits
    ] = None,
    range_: RangeHeader = None,
) -> Response:
    """The original, as it was deposited; of several photos, the paper made of them."""
    stream = await retrieval.open_own(services, person, document_id, part=part, preview=False)
    return ContentResponse(services, stream, range_)


@router.get(
    "/{document_id}/preview",
    operation_id="getDocumentPreview",
    response_class=Response,
    responses=PREVIEW,
)
async def preview(document_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """The first page, as a small JPEG."""
    stream = await retrieval.open_own(services, person, document_id, part=None, preview=True)
    return ContentResponse(services, stream, None, inline=True)


def with_etag(document: DocumentView, response: Response) -> DocumentOut:
    """A document, and in `ETag` which state of it."""
    response.headers["ETag"] = f'"{document.revision}"'
    return document_out(document)
