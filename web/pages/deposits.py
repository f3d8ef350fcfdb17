"""Adding a paper, or a newer version of one: a photo or a file, streamed straight to sealing."""

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.documents import own_documents
from vault.documents.own_deposit import deposit_own
from web.http.path_ids import PathId
from web.pages.document_fields import metadata_of, typed
from web.pages.page import PersonPage, go, page_router

router = page_router()
# Failures after which the same form would not help.
_NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)


# Declared before the pages of one paper: "add" is no id.
@router.get("/documents/add")
async def ask(page: PersonPage, type: str = "") -> Response:  # noqa: A002  (the contract's word)
    """The form to add a paper, maybe of a type that someone asks for."""
    return await page.show("add.html", typed=typed({"type": type}))


@router.post("/documents/add")
async def add(page: PersonPage) -> Response:
    """Add a paper; the same file again leads to the one already there."""
    fields: dict[str, str] = {}
    try:
        form = page.upload()
        fields = form.fields
        done = await deposit_own(page.services, page.person, form, lambda: metadata_of(fields))
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        return await page.show_failure(failure, "add.html", typed=typed(fields))
    return go(f"/documents/{done.document.id}", done="held" if done.already_held else "added")


@router.get("/documents/{document_id}/version")
async def ask_version(document_id: PathId, page: PersonPage) -> Response:
    """The form to add a newer version."""
    paper = await own_documents.see_own(page.services, page.person, document_id)
    return await page.show("version.html", paper=paper)


@router.post("/documents/{document_id}/version")
async def add_version(document_id: PathId, page: PersonPage) -> Response:
    """Add a newer version; the older ones stay."""
    try:
        form = page.upload()
        await own_documents.add_version(
            page.services, page.person, document_id, form, if_match=None
        )
    except ServiceError as failure:
        if failure.kind in _NO_FORM:
            raise
        paper = await own_documents.see_own(page.services, page.person, document_id)
        return await page.show_failure(failure, "version.html", paper=paper)
    return go(f"/documents/{document_id}", done="version")
