"""A newer version of a document, with its own date; and the versions that there are."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response

from base.errors import ErrorKind, ServiceError, not_found
from base.ids import parse_id
from vault.document_view import DocumentView
from vault.documents import own_documents, retrieval
from vault.documents.uploads import drafts, pictures
from vault.documents.uploads.deposit import find_deposited
from vault.documents.uploads.draft_rows import Draft
from vault.documents.uploads.pictures import Received
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages import draft_steps as steps
from web.pages import script_answers
from web.pages.document_fields import metadata_of
from web.pages.forms import Form, UploadForm
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
# Failures after which the same form would not help.
_NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)
_OLDER = "older"
"""The field of the button that keeps a paper which is older than the one that is held."""
VersionNumber = Annotated[int, Path(ge=1, le=10**6)]


@router.get("/documents/{document_id}/version")
async def ask_version(
    document_id: PathId, page: PersonPageDep, draft: str = "", change: str = ""
) -> Response:
    """The form to add a newer version; `draft`: its photos, where they were kept already. Where
    they bear an older date than the paper, the page that asks whether to keep them, unless
    `change`."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    begun = await _begun(page, document_id, draft)
    if begun is not None and begun.ended is not None:
        if begun.ended.document_id is None:
            return go("/documents", done="discarded")
        return go(f"/documents/{document_id}", done="version")
    if begun is not None and not change and _is_older(document, begun):
        return await _show_older(page, document, begun)
    return await _show_form(page, document, begun, Form())


@router.post("/documents/{document_id}/version")
async def add_version(document_id: PathId, page: PersonPageDep, draft: str = "") -> Response:
    """Add a newer version; the older ones stay, and the date of the older paper does not. Photos
    that came with what is refused are kept."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    begun = await _begun(page, document_id, draft)
    if begun is not None and begun.ended is not None:
        if begun.ended.document_id is not None:
            return go(f"/documents/{document_id}", done="version")
        begun = None  # it was dropped meanwhile; the photos of this form were not
    upload = page.upload()
    received = await _receive(page, document_id, begun, upload)
    if await _was_kept(page, document_id, upload, received):
        return go(f"/documents/{document_id}", done="version")
    form = Form(tuple(upload.fields.items()))
    try:
        dates = _dates_of(document.metadata.type, upload.fields)
        if not received.failures and received.draft is not None:
            older = _older_than(document, dates)
            # Of photos that are gone there is nothing to ask: what they became is found, or said.
            if older and received.draft.pictures and not form.has(_OLDER):
                return await _ask_before_keeping(page, document, received.draft, form)
            await drafts.keep_version(
                page.services, page.person, received.draft, document_id, dates
            )
            return go(f"/documents/{document_id}", done="version_older" if older else "version")
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        received.failures.append(failure)
    if script_answers.asked_by_script(page.request):
        # The page has its photos still, and sends all of them again.
        await pictures.forget(page.services, page.person, received)
    return await _show_form(page, document, received.draft, form, *received.failures)


async def _was_kept(
    page: PersonPage, document_id: UUID, upload: UploadForm, received: Received
) -> bool:
    """Whether the uploads that a form names became a version already: its answer was lost."""
    if not any(failure.code == "unknown_upload" for failure in received.failures):
        return False
    try:
        named = upload.uploads()
    except ServiceError:
        return False  # no ids
    found = await find_deposited(page.services, page.person, named, version_of=document_id)
    return found is not None


def _older_than(held: DocumentView, dates: Mapping[str, Any]) -> bool:
    """Whether a newer version would bear an older date than the paper that is held."""
    return any(
        new is not None and old is not None and new < old
        for name, new in dates.items()
        if (old := getattr(held.metadata, name)) is not None
    )


async def _ask_before_keeping(
    page: PersonPage, document: DocumentView, draft: Draft, form: Form
) -> Response:
    """To the page that asks whether an older paper is to be kept. The photos and the date are kept
    in the draft; the paper that is held stays as it is."""
    code = document.metadata.type
    said = {_date_field(code): steps.details_in(form, code)[_date_field(code)]}
    draft = await drafts.change(
        page.services, page.person, draft.id, lambda found: found.saying(**said)
    )
    return go(steps.address_of(draft))


def _date_field(type_code: str) -> str:
    return steps.date_field(type_code) or ""


async def _begun(page: PersonPage, document_id: UUID, draft: str) -> Draft | None:
    """The draft of a newer version of this document. Raises `not_found` for any other."""
    if not draft:
        return None
    id_ = parse_id(draft)
    if id_ is None:
        raise not_found()
    begun = await drafts.see_any(page.services, page.person, id_)
    if begun.ended is not None:
        there = begun.ended.document_id in (None, document_id)
    else:
        there = begun.values.get(steps.VERSION_OF) == str(document_id)
    if not there:
        raise not_found()
    return begun


async def _receive(
    page: PersonPage, document_id: UUID, begun: Draft | None, upload: UploadForm
) -> Received:
    """The photos of the form, beside those that were kept: then there may be none."""
    values = {steps.VERSION_OF: str(document_id)}
    try:
        return await pictures.receive(page.services, page.person, upload, begun, values=values)
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        there = begun is not None and (begun.pictures or begun.gone)
        missing = failure.code == "file_missing" and there
        return Received(begun, begun.id if begun else None, failures=[] if missing else [failure])


def _dates_of(type_code: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """The one date that matters of the type, as it was typed."""
    name = steps.date_field(type_code)
    if name is None:
        return {}
    said = steps.details_in(Form(tuple(fields.items())), type_code)
    return {name: getattr(metadata_of({"type": type_code, **said}), name)}


async def _show_form(
    page: PersonPage,
    document: DocumentView,
    draft: Draft | None,
    form: Form,
    *failures: ServiceError,
) -> Response:
    name = steps.date_field(document.metadata.type)
    kept = draft.values if draft and not form.pairs else {}
    return await page.show_failures(
        failures,
        "version.html",
        document=document,
        draft=draft,
        name=name,
        year=form.get("income_year") or kept.get("income_year", ""),
        day=_day_of(form, kept, name) if name else {},
    )


def _day_of(form: Form, kept: Mapping[str, str], name: str) -> dict[str, str]:
    return steps.parts_of_day(kept[name]) if name in kept else steps.day_parts(form, name)


def _is_older(document: DocumentView, draft: Draft) -> bool:
    """Whether the date that is kept with some photos is older than that of the paper."""
    name = _date_field(document.metadata.type)
    if not draft.pictures or not draft.values.get(name):
        return False
    said = {"type": document.metadata.type, name: draft.values[name]}
    return _older_than(document, {name: getattr(metadata_of(said), name)})


async def _show_older(page: PersonPage, document: DocumentView, draft: Draft) -> Response:
    name = _date_field(document.metadata.type)
    said = draft.values[name]
    parts = {name: said} if name == "income_year" else steps.parts_of_day(said)
    fields = {key if key == name else f"{name}_{key}": value for key, value in parts.items()}
    held = getattr(document.metadata, name)
    return await page.show(
        "version_older.html", document=document, draft=draft, name=name, fields=fields, held=held
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
    """The preview of the first page of one version, also to be seen alone."""
    return await _download(document_id, number, page, preview=True)


async def _download(
    document_id: PathId, number: int, page: PersonPage, *, preview: bool
) -> Response:
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=None, preview=preview, version=number
    )
    return ContentResponse(page.services, stream, None, inline=preview)
