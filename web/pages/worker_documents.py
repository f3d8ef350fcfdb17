"""A worker under one grant: the documents that it covers; each access is recorded first."""

from uuid import UUID

from fastapi import Response

from vault.consent import evidence, grants
from vault.consent.grants import GrantView
from vault.documents import retrieval
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages.page import WorkerPage, WorkerPageDep, page_router

router = page_router()
LIMIT = 50


@router.get("/pro/grants/{grant_id}")
async def see(grant_id: PathId, page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What a grant opens."""
    listed, may_read = await retrieval.list_covered(
        page.services, page.worker, grant_id, cursor=cursor, limit=LIMIT
    )
    grant = await _live_grant(page, grant_id)
    return await page.show(
        "pro/grant.html", grant=grant, documents=listed.items, more=listed.next, may_read=may_read
    )


@router.get("/pro/grants/{grant_id}/evidence")
async def attest(grant_id: PathId, page: WorkerPageDep, type: str = "") -> Response:  # noqa: A002  (the contract's word)
    """Whether a document is held, and its dates; no file."""
    answer = await evidence.evidence(page.services, page.worker, grant_id, type[:64])
    return await page.show("pro/evidence.html", answer=answer, grant_id=grant_id)


@router.get("/pro/grants/{grant_id}/documents/{document_id}")
async def show_preview(grant_id: PathId, document_id: PathId, page: WorkerPageDep) -> Response:
    """A document's preview on a page with a link back; the image's own request is recorded."""
    return await page.show("pro/preview.html", grant_id=grant_id, document_id=document_id)


@router.get("/pro/grants/{grant_id}/documents/{document_id}/preview")
async def preview(grant_id: PathId, document_id: PathId, page: WorkerPageDep) -> Response:
    """The preview of the first page."""
    stream = await retrieval.open_granted(
        page.services, page.worker, grant_id, document_id, preview=True
    )
    return ContentResponse(page.services, stream, None)


@router.get("/pro/grants/{grant_id}/documents/{document_id}/content")
async def content(grant_id: PathId, document_id: PathId, page: WorkerPageDep) -> Response:
    """The rendition."""
    stream = await retrieval.open_granted(page.services, page.worker, grant_id, document_id)
    return ContentResponse(page.services, stream, None)


async def _live_grant(page: WorkerPage, grant_id: UUID) -> GrantView:
    """A grant whose list of documents was just recorded: one entry in the log is enough."""
    cursor: str | None = None
    while True:
        listed = await grants.list_grants(
            page.services, page.worker, state="live", limit=100, cursor=cursor
        )
        for grant in listed.items:
            if grant.id == grant_id:
                return grant
        if listed.next is None:
            return await grants.see(page.services, page.worker, grant_id)
        cursor = listed.next
