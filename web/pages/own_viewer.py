"""One's own paper alone, large, page by page, for oneself or for whoever sits opposite."""

from fastapi import Response

from vault.documents import own_documents, page_views
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages.page import PersonPageDep, page_router
from web.pages.page_turns import PageNumber, PageWanted, turn_to

router = page_router()


@router.get("/documents/{document_id}/show")
async def show(
    document_id: PathId,
    page: PersonPageDep,
    wanted: PageWanted = "",
    turned: bool = False,
    large: bool = False,
) -> Response:
    """The paper alone, for somebody to look at: turned over; `large`: wider than a small screen, at
    once, since each press more is one that somebody waits for."""
    document = await own_documents.see_own(
        page.services, page.person, document_id, goes_on=bool(wanted)
    )
    return await page.show(
        "show.html",
        document=document,
        turn=turn_to(document, wanted),
        turned=turned,
        large=large,
    )


@router.get("/documents/{document_id}/pages/{number}")
async def picture(document_id: PathId, number: PageNumber, page: PersonPageDep) -> Response:
    """The picture of one page of a PDF."""
    drawn = await page_views.open_own_page(page.services, page.person, document_id, number)
    return ContentResponse(page.services, drawn, None)
