"""A newer version of a document: photos or a file, streamed to sealing."""

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.documents import own_documents
from web.http.path_ids import PathId
from web.pages.page import PersonPageDep, go, page_router

router = page_router()
# Failures after which the same form would not help.
_NO_FORM = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED)


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
