"""A worker under one grant: the papers it covers, each look recorded before it is shown."""

from uuid import UUID

from fastapi import Response

from vault.consent import evidence, grants
from vault.consent.grants import GrantView
from vault.documents import retrieval
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages.page import OfWorker, WorkerPage, page_router

router = page_router()
LIMIT = 50


@router.get("/pro/grants/{grant_id}")
async def see(grant_id: PathId, page: WorkerPage, cursor: str | None = None) -> Response:
    """What a grant opens."""
    listed, may_read = await retrieval.list_covered(
        page.services, page.worker, grant_id, cursor=cursor, limit=LIMIT
    )
    grant = await _live(page, grant_id)
    return await page.show(
        "pro/grant.html", grant=grant, papers=listed.items, more=listed.next, may_read=may_read
    )


@router.get("/pro/grants/{grant_id}/evidence")
async def attest(grant_id: PathId, page: WorkerPage, type: str = "") -> Response:  # noqa: A002  (the contract's word)
    """Whether a paper is held, of what date; no file."""
    answer = await evidence.evidence(page.services, page.worker, grant_id, type[:64])
    return await page.show("pro/evidence.html", answer=answer, grant_id=grant_id)


@router.get("/pro/grants/{grant_id}/documents/{document_id}")
async def look(grant_id: PathId, document_id: PathId, page: WorkerPage) -> Response:
    """The picture of a paper, on a page with a way back; the picture's own request is recorded."""
    return await page.show("pro/look.html", grant_id=grant_id, document_id=document_id)


@router.get("/pro/grants/{grant_id}/documents/{document_id}/preview")
async def preview(grant_id: PathId, document_id: PathId, page: WorkerPage) -> Response:
    """The picture of the first page."""
    stream = await retrieval.open_granted(
        page.services, page.worker, grant_id, document_id, preview=True
    )
    return ContentResponse(page.services, stream, None)


@router.get("/pro/grants/{grant_id}/documents/{document_id}/content")
async def content(grant_id: PathId, document_id: PathId, page: WorkerPage) -> Response:
    """The copy to share."""
    stream = await retrieval.open_granted(page.services, page.worker, grant_id, document_id)
    return ContentResponse(page.services, stream, None)


async def _live(page: OfWorker, grant_id: UUID) -> GrantView:
    """The terms of a grant under which a list was just recorded: one line in the log is enough."""
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
