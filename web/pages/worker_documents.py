"""A worker looks at one paper under a grant; each access is recorded first."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response

from base import clock
from vault.consent.people import known_by_grant
from vault.decoding.media import MediaType
from vault.document_view import DocumentView
from vault.documents import page_views, retrieval
from vault.documents.granted_paper import see_granted
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.i18n.error_messages import _
from web.pages.page import WorkerPageDep, page_router
from web.pages.page_turns import PageNumber, PageTurn, PageWanted, turn_to
from web.pages.way_back import came_from

router = page_router()
_PICTURES = {MediaType.JPEG, MediaType.PNG, MediaType.WEBP}
"""What every browser draws by itself."""
_SIZES = ("100", "125", "150", "200", "300")
_TURNS = {
    "0": _("Droit"),
    "90": _("Tourné à droite"),
    "180": _("À l’envers"),
    "270": _("Tourné à gauche"),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How large a paper is shown, in percent of what fits, and turned by how many degrees."""

    size: str
    turn: str


def look_of(size: str = "", turn: str = "") -> Look:
    """What was chosen on the page before; whatever else an address says counts as nothing."""
    return Look(size if size in _SIZES else _SIZES[0], turn if turn in _TURNS else "0")


@router.get("/pro/grants/{grant_id}/documents/{document_id}")
async def view(
    grant_id: PathId,
    document_id: PathId,
    page: WorkerPageDep,
    look: Annotated[Look, Depends(look_of)],
    wanted: PageWanted = "",
    back: str = "",
) -> Response:
    """A paper, large: turned and magnified by the page itself, so that it is opened once. Its name
    is recorded here, its picture when the browser asks for it. `wanted`: a page of a PDF."""
    document, may_read = await see_granted(
        page.services, page.worker, grant_id, document_id, goes_on=bool(wanted)
    )
    turn = turn_to(document, wanted) if may_read else None
    return await page.show(
        "pro/viewer.html",
        known=await known_by_grant(page.services, page.worker, grant_id),
        grant_id=grant_id,
        document=document,
        may_read=may_read,
        picture=_picture(document, turn) if may_read else "",
        turn=turn,
        look=look,
        came=came_from(back),
        sizes=_SIZES,
        turnings=_TURNS,
        watermark=(page.worker.name, clock.now()),
    )


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


@router.get("/pro/grants/{grant_id}/documents/{document_id}/pages/{number}")
async def page_picture(
    grant_id: PathId, document_id: PathId, number: PageNumber, page: WorkerPageDep
) -> Response:
    """The picture of one page of a PDF."""
    drawn = await page_views.open_granted_page(
        page.services, page.worker, grant_id, document_id, number
    )
    return ContentResponse(page.services, drawn, None)


def _picture(document: DocumentView, turn: PageTurn | None) -> str:
    """What the page draws: the whole picture, or a page of a PDF; nothing without one."""
    if turn is not None and turn.chosen:
        return f"pages/{turn.number}"
    if document.file["rendition_media_type"] in _PICTURES and not document.gives_original:
        return "content"
    return "preview" if document.has_preview else ""
