"""The person's papers: the list, one paper, its picture and file, corrected, deleted, restored."""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from fastapi import Response

from base import clock
from base.errors import ServiceError
from vault import catalogue, durations
from vault.consent import request_views
from vault.cursors import Page as Listed
from vault.document_view import DocumentView
from vault.documents import own_documents, retrieval
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages.document_fields import metadata_of, typed, typed_of
from web.pages.page import OfPerson, PersonPage, go, page_router

router = page_router()
LIMIT = 50
_FRESH = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Shelved:
    """A paper as a list shows it."""

    paper: DocumentView
    validity: Literal["", "soon", "over"]


@router.get("/documents")
async def home(page: PersonPage, cursor: str | None = None) -> Response:
    """What waits for an answer, then my papers."""
    waiting = [] if cursor else await waiting_requests(page)
    listed = await own_documents.list_own(page.services, page.person, cursor=cursor, limit=LIMIT)
    return await page.show(
        "documents.html", shelf=_shelf(listed), more=listed.next, waiting=waiting, first=not cursor
    )


@router.get("/documents/deleted")
async def bin_(page: PersonPage, cursor: str | None = None) -> Response:
    """What was deleted in the last 30 days."""
    listed = await own_documents.list_own(
        page.services, page.person, cursor=cursor, limit=LIMIT, deleted=True
    )
    return await page.show("deleted.html", papers=listed.items, more=listed.next)


@router.get("/documents/{document_id}")
async def see(document_id: PathId, page: PersonPage) -> Response:
    """One paper."""
    paper = await own_documents.see_own(page.services, page.person, document_id)
    coming = not paper.has_preview and clock.now() - paper.version_created_at < _FRESH
    response = await page.show("document.html", one=shelved(paper), coming=coming)
    if coming:
        # Without script, the page itself comes back once the picture may be there.
        response.headers["Refresh"] = "5"
    return response


@router.get("/documents/{document_id}/preview")
async def preview(document_id: PathId, page: PersonPage) -> Response:
    """The picture of the first page."""
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=None, preview=True
    )
    return ContentResponse(page.services, stream, None)


@router.get("/documents/{document_id}/content")
async def content(document_id: PathId, page: PersonPage, part: int | None = None) -> Response:
    """The file itself."""
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=part, preview=False
    )
    return ContentResponse(page.services, stream, None)


@router.get("/documents/{document_id}/correct")
async def ask_correction(document_id: PathId, page: PersonPage) -> Response:
    """The form to correct what is said of a paper."""
    paper = await own_documents.see_own(page.services, page.person, document_id)
    return await page.show("correct.html", document_id=document_id, typed=typed_of(paper))


@router.post("/documents/{document_id}/correct")
async def correct(document_id: PathId, page: PersonPage) -> Response:
    """Correct what is said of a paper."""
    form = await page.form()
    fields = dict(form.pairs)
    try:
        changes = asdict(metadata_of(fields))
        await own_documents.correct(page.services, page.person, document_id, changes, if_match=None)
    except ServiceError as failure:
        return await page.show_failure(
            failure, "correct.html", document_id=document_id, typed=typed(fields)
        )
    return go(f"/documents/{document_id}", done="corrected")


@router.get("/documents/{document_id}/delete")
async def ask_deletion(document_id: PathId, page: PersonPage) -> Response:
    """Are you sure?"""
    paper = await own_documents.see_own(page.services, page.person, document_id)
    return await page.show("delete.html", paper=paper)


@router.post("/documents/{document_id}/delete")
async def delete(document_id: PathId, page: PersonPage) -> Response:
    """Put a paper aside."""
    await page.form()
    await own_documents.delete(page.services, page.person, document_id)
    return go("/documents", done="deleted")


@router.post("/documents/{document_id}/restore")
async def restore(document_id: PathId, page: PersonPage) -> Response:
    """Take a deleted paper back."""
    await page.form()
    await own_documents.restore(page.services, page.person, document_id)
    return go(f"/documents/{document_id}", done="restored")


def shelved(paper: DocumentView) -> Shelved:
    """A paper, and whether its end is near or past."""
    end = paper.metadata.expires_on
    if end is None:
        return Shelved(paper, "")
    return Shelved(paper, _validity(paper.metadata.type, end))


async def waiting_requests(page: OfPerson) -> list[request_views.ReceivedRequest]:
    """The requests that wait for an answer: they come first in the list."""
    received = await request_views.list_received(page.services, page.person, limit=20)
    return [one for one in received.items if one.state == "waiting"]


async def papers_of(page: OfPerson, wanted: set[UUID]) -> dict[UUID, DocumentView]:
    """Some of the person's papers, by id, out of as few looks at the list as it takes."""
    found: dict[UUID, DocumentView] = {}
    cursor: str | None = None
    while not wanted <= found.keys():
        listed = await own_documents.list_own(page.services, page.person, cursor=cursor, limit=100)
        found |= {one.id: one for one in listed.items if one.id in wanted}
        cursor = listed.next
        if cursor is None:
            break
    return found


def _shelf(listed: Listed[DocumentView]) -> list[Shelved]:
    return [shelved(paper) for paper in listed.items]


def _validity(code: str, end: date) -> Literal["", "soon", "over"]:
    now = clock.now()
    if end < now.date():
        return "over"
    known = catalogue.by_code(code)
    notice = known.notice_period if known and known.notice_period else "P1M"
    return "soon" if durations.end_of(now, notice).date() >= end else ""
