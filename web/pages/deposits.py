"""A newer version of a document, with its own date; and the versions that there are."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Response

from base.errors import ErrorKind, ServiceError
from vault.document_view import DocumentView
from vault.documents import own_documents, retrieval
from vault.documents.uploads.finished_uploads import drop_finished
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages import draft_steps as steps
from web.pages.document_fields import metadata_of
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
# Failures after which the same form would not help.
_NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)
VersionNumber = Annotated[int, Path(ge=1, le=10**6)]


@router.get("/documents/{document_id}/version")
async def ask_version(document_id: PathId, page: PersonPageDep) -> Response:
    """The form to add a newer version."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    return await _show_form(page, document, Form())


@router.post("/documents/{document_id}/version")
async def add_version(document_id: PathId, page: PersonPageDep) -> Response:
    """Add a newer version; the older ones stay, and the date of the older paper does not."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    fields: dict[str, str] = {}
    try:
        upload = page.upload()
        fields = upload.fields
        await own_documents.add_version(
            page.services,
            page.person,
            document_id,
            upload,
            if_match=None,
            dates=lambda: _dates_of(document.metadata.type, fields),
        )
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        return await _show_form(page, document, Form(tuple(fields.items())), failure)
    await drop_finished(page.services, page.person, upload.uploads())
    return go(f"/documents/{document_id}", done="version")


def _dates_of(type_code: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The one date that matters of the type, as it was typed."""
    name = steps.date_field(type_code)
    if name is None:
        return {}
    said = steps.details_in(Form(tuple(fields.items())), type_code)
    return {name: getattr(metadata_of({"type": type_code, **said}), name)}


async def _show_form(
    page: PersonPage, document: DocumentView, form: Form, *failures: ServiceError
) -> Response:
    name = steps.date_field(document.metadata.type)
    return await page.show_failures(
        failures,
        "version.html",
        document=document,
        name=name,
        year=form.get("income_year"),
        day=steps.day_parts(form, name) if name else {},
    )


@router.get("/documents/{document_id}/versions")
async def list_versions(document_id: PathId, page: PersonPageDep) -> Response:
    """All that this paper was, the newest first."""
    versions = await own_documents.list_versions(page.services, page.person, document_id)
    return await page.show("versions.html", document=versions[0], versions=versions)


@router.get("/documents/{document_id}/versions/{number}/content")
async def content(document_id: PathId, number: VersionNumber, page: PersonPageDep) -> Response:
    """The file of one version."""
    return await _download(document_id, number, page, preview=False)


@router.get("/documents/{document_id}/versions/{number}/preview")
async def preview(document_id: PathId, number: VersionNumber, page: PersonPageDep) -> Response:
    """The preview of the first page of one version."""
    return await _download(document_id, number, page, preview=True)


async def _download(
    document_id: PathId, number: int, page: PersonPage, *, preview: bool
) -> Response:
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=None, preview=preview, version=number
    )
    return ContentResponse(page.services, stream, None)
