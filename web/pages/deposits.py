"""Adding a document, or a newer version of one: a photo or a file, streamed to sealing."""

from fastapi import Response
from fastapi.responses import RedirectResponse

from base.errors import ErrorKind, ServiceError
from vault.documents import own_documents
from vault.documents.own_deposit import deposit_own
from web.http.path_ids import PathId
from web.pages.answer_steps import counted_in, way_back
from web.pages.document_fields import metadata_of, typed
from web.pages.page import PersonPageDep, go, page_router

router = page_router()
# Failures after which the same form would not help.
_NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)


# Declared before the pages of one document: "add" is not an id.
@router.get("/documents/add")
async def ask(
    page: PersonPageDep,
    type: str = "",  # noqa: A002  (the contract's word)
    then: str = "",
) -> Response:
    """The form to add a document, with its type chosen if a request asks for one; `then`: the page
    of that request."""
    return await page.show("add.html", typed=typed({"type": type}), then=way_back(then))


@router.post("/documents/add")
async def add(page: PersonPageDep) -> Response:
    """Add a document; the same file again leads to the one already held."""
    fields: dict[str, str] = {}
    try:
        form = page.upload()
        fields = form.fields
        deposited = await deposit_own(page.services, page.person, form, lambda: metadata_of(fields))
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        return await page.show_failure(
            failure, "add.html", typed=typed(fields), then=way_back(fields.get("then", ""))
        )
    done = "held" if deposited.already_held else "added"
    if back := way_back(fields.get("then", "")):
        return RedirectResponse(counted_in(back, deposited.document, done), 303)
    return go(f"/documents/{deposited.document.id}", done=done)


@router.get("/documents/{document_id}/version")
async def ask_version(document_id: PathId, page: PersonPageDep) -> Response:
    """The form to add a newer version."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    return await page.show("version.html", document=document)


@router.post("/documents/{document_id}/version")
async def add_version(document_id: PathId, page: PersonPageDep) -> Response:
    """Add a newer version; the older ones stay."""
    try:
        form = page.upload()
        await own_documents.add_version(
            page.services, page.person, document_id, form, if_match=None
        )
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        document = await own_documents.see_own(page.services, page.person, document_id)
        return await page.show_failure(failure, "version.html", document=document)
    return go(f"/documents/{document_id}", done="version")
