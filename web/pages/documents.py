"""The person's documents: listed by family, looked for, shown, corrected, deleted, restored."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Response

from auth import session_list
from auth.levels import Level
from base import clock
from base.errors import ServiceError
from base.ids import parse_id
from vault import catalogue, durations
from vault.consent import request_views
from vault.consent.grants import live_on
from vault.document_view import DocumentView
from vault.documents import own_documents, quotas, retrieval, thumbnails
from vault.documents.uploads import drafts
from vault.maintenance import erasure_requests
from vault.rules import GrantAction
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.pages import draft_steps, paper_search, search_words
from web.pages.document_fields import DAYS, NAMES, metadata_of, typed, typed_of
from web.pages.families import PaperFamily, family_of, paper_families
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.type_suggestions import waiting_of

router = page_router()
LIMIT = 50
FEW = 20
"""Papers that one finds by looking at them; beyond, there is a search."""
MOST_FIRST = 6
_IN_TRASH = timedelta(days=30)
_PREVIEW_WAIT = timedelta(seconds=45)
_NEW = timedelta(days=14)
"""How long a paper that somebody else added is said to be new."""
_NEW_VERSION = ("version", "version_older")
_KEPT = ("added", "held", *_NEW_VERSION)
"""What was done when a paper was just kept: its page then shows all its sides."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """A document as a list shows it; `late`: the day to answer, pay or come is over; `due`: it
    comes within a month; `new`: somebody else added it, lately."""

    document: DocumentView
    validity: Literal["", "soon", "over"]
    late: bool
    due: bool = False
    new: bool = False


@router.get("/documents")
async def home(page: PersonPageDep, cursor: str | None = None, found: str = "") -> Response:
    """What to do first, then my documents by family; `found`: those of a search."""
    if words := await search_words.words_of(page, found):
        return await _show_found(page, words)
    listed = await own_documents.list_own(
        page.services, page.person, cursor=cursor, limit=LIMIT, pictured=True
    )
    items = [_item(document, page.zone) for document in listed.items]
    first = {} if cursor else await _to_do_first(page, items, listed.next)
    return await page.show(
        "documents.html",
        families=_by_family(items),
        count=len(items),
        searched=listed.next is not None or cursor is not None or len(items) > FEW,
        more=listed.next,
        first=not cursor,
        removed=await _just_removed(page),
        by_card=page.person.means is Level.CARD_PIN,
        **_NOTHING_FIRST | first,
    )


_NOTHING_FIRST: dict[str, Any] = {
    "waiting": [],
    "suggested": [],
    "begun": [],
    "ending": [],
    "room": None,
    "erases_at": None,
    "elsewhere_open": 0,
}


async def _just_removed(page: PersonPage) -> DocumentView | None:
    """The paper that was just deleted, while it may be restored."""
    id_ = parse_id(page.request.query_params.get("of", "")) if page.done == "deleted" else None
    if id_ is None:
        return None
    listed = await own_documents.list_own(
        page.services, page.person, cursor=None, limit=LIMIT, deleted=True
    )
    return next((one for one in listed.items if one.id == id_), None)


async def _to_do_first(
    page: PersonPage, items: list[ListedDocument], more: str | None
) -> dict[str, Any]:
    """An erasure that was asked for and a vault that is almost full; then six things at most: what
    waits for an answer, papers of which a type is proposed, papers that were begun, papers that end
    soon, of whatever page of the list. `more`: where the papers after `items` begin."""
    room = await quotas.see_room(page.services, page.person)
    waiting = (await waiting_requests(page))[:MOST_FIRST]
    listed = [item.document for item in items]
    proposed = await waiting_of(page, listed, more=more is not None)
    suggested = proposed[: MOST_FIRST - len(waiting)]
    left = MOST_FIRST - len(waiting) - len(suggested)
    begun = (await drafts.all_of(page.services, page.person))[:left]
    left -= len(begun)
    if left and more is not None:
        items = items + [_item(one, page.zone) async for one in all_from(page, more, pictured=True)]
    ending = [item for item in items if item.validity == "soon" or item.due]
    return {
        "waiting": waiting,
        "suggested": suggested,
        "begun": begun,
        "ending": ending[:left],
        "room": room if room.almost_full else None,
        "erases_at": await erasure_requests.erases_at(page.services, page.person),
        "elsewhere_open": await session_list.count_others(page.services, page.person),
    }


def _by_family(items: list[ListedDocument]) -> list[tuple[PaperFamily, list[ListedDocument]]]:
    """The families that have a paper, each with its papers, newest first."""
    groups = [
        (family, [one for one in items if family_of(one.document.metadata.type) == family.code])
        for family in paper_families()
    ]
    return [(family, papers) for family, papers in groups if papers]


async def _show_found(page: PersonPage, words: str) -> Response:
    found = [
        _item(document, page.zone)
        async for document in all_from(page, pictured=True)
        if paper_search.matches(document.metadata, words, page.language)
    ]
    return await page.show("documents_found.html", items=found, words=words)


async def all_from(
    page: PersonPage, cursor: str | None = None, *, pictured: bool = False
) -> AsyncIterator[DocumentView]:
    """All the papers of the list, from a place on; `pictured`: to be shown with thumbnails."""
    while True:
        listed = await own_documents.list_own(
            page.services, page.person, cursor=cursor, limit=100, pictured=pictured
        )
        for document in listed.items:
            yield document
        cursor = listed.next
        if cursor is None:
            return


@router.post("/documents/search")
async def search(page: PersonPageDep) -> Response:
    """Look for papers: to those that are found, at an address that says nothing of them."""
    words = (await page.form()).get("q")[: paper_search.MAX_LENGTH]
    found = f"?found={await search_words.seal(page, words)}" if words else ""
    return go(f"/documents{found}")


@router.get("/documents/deleted")
async def trash(page: PersonPageDep, cursor: str | None = None) -> Response:
    """What was deleted in the last 30 days."""
    listed = await own_documents.list_own(
        page.services, page.person, cursor=cursor, limit=LIMIT, deleted=True
    )
    kept = {one.id: one.deleted_at + _IN_TRASH for one in listed.items if one.deleted_at}
    return await page.show(
        "deleted.html", documents=listed.items, kept_until=kept, more=listed.next
    )


@router.get("/documents/{document_id}")
async def see(document_id: PathId, page: PersonPageDep) -> Response:
    """One document."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    grants = await live_on(page.services, page.person, document_id)
    showing = [grant for grant in grants if GrantAction.READ in grant.terms.scope.actions]
    pending = not document.has_preview and clock.now() - document.version_created_at < _PREVIEW_WAIT
    same = None
    if page.request.query_params.get("done") in _NEW_VERSION:
        same = await own_documents.see_same_file(page.services, page.person, document_id)
    just_kept = page.request.query_params.get("done") in _KEPT
    return await page.show(
        "document.html",
        item=_item(document, page.zone),
        same=same,
        preview_pending=pending,
        just_kept=just_kept,
        asked_by=await _asked_by(page, document) if just_kept else [],
        grants=showing,
        knowing=[grant for grant in grants if grant not in showing],
    )


async def _asked_by(
    page: PersonPage, document: DocumentView
) -> list[request_views.ReceivedRequest]:
    """The waiting requests that ask for such a paper: not those that only add some."""
    return [
        one
        for one in await waiting_requests(page)
        if document.metadata.type in one.asked.scope.document_types
        and not one.asked.scope.only_adds
    ]


@router.get("/documents/{document_id}/preview")
async def preview(document_id: PathId, page: PersonPageDep) -> Response:
    """The preview of the first page."""
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=None, preview=True
    )
    return ContentResponse(page.services, stream, None)


@router.get("/documents/{document_id}/thumbnail")
async def thumbnail(document_id: PathId, page: PersonPageDep) -> Response:
    """The small picture of a paper in a list."""
    stream = await thumbnails.open_own_thumbnail(page.services, page.person, document_id)
    return ContentResponse(page.services, stream, None)


@router.get("/documents/{document_id}/content")
async def content(document_id: PathId, page: PersonPageDep, part: int | None = None) -> Response:
    """The file itself."""
    stream = await retrieval.open_own(
        page.services, page.person, document_id, part=part, preview=False
    )
    return ContentResponse(page.services, stream, None)


@router.get("/documents/{document_id}/correct")
async def ask_correction(document_id: PathId, page: PersonPageDep) -> Response:
    """The form to correct the metadata of a document."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    said = typed_of(document)
    return await page.show(
        "correct.html",
        document_id=document_id,
        typed=said,
        days={name: draft_steps.parts_of_day(said[name]) for name in DAYS},
        kept=document.metadata.type,
    )


@router.post("/documents/{document_id}/correct")
async def correct(document_id: PathId, page: PersonPageDep) -> Response:
    """Correct the metadata of a document."""
    form = await page.form()
    fields = dict(form.pairs)
    try:
        # One that is sent whole is of a page that was opened before a date had three fields.
        days = {name: fields.get(name) or draft_steps.whole_day(form, name) for name in DAYS}
        given = metadata_of(fields | days)
        changes = {name: getattr(given, name) for name in NAMES}
        await own_documents.correct(page.services, page.person, document_id, changes, if_match=None)
    except ServiceError as failure:
        document = await own_documents.see_own(page.services, page.person, document_id)
        return await page.show_failure(
            failure,
            "correct.html",
            document_id=document_id,
            typed=typed(fields),
            days={
                name: draft_steps.parts_of_day(fields.get(name, ""))
                or draft_steps.day_parts(form, name)
                for name in DAYS
            },
            kept=document.metadata.type,
        )
    return go(f"/documents/{document_id}", done="corrected")


@router.post("/documents/{document_id}/original")
async def give_original(document_id: PathId, page: PersonPageDep) -> Response:
    """Hand on a signed PDF as it was signed, or the cleaned copy again."""
    form = await page.form()
    changes = {"give_original": dict(form.pairs).get("give") == "yes"}
    await own_documents.correct(page.services, page.person, document_id, changes, if_match=None)
    return go(f"/documents/{document_id}", done="corrected")


@router.get("/documents/{document_id}/delete")
async def ask_deletion(document_id: PathId, page: PersonPageDep) -> Response:
    """The page that asks for confirmation."""
    document = await own_documents.see_own(page.services, page.person, document_id)
    return await page.show("delete.html", document=document)


@router.post("/documents/{document_id}/delete")
async def delete(document_id: PathId, page: PersonPageDep) -> Response:
    """Move a document to the trash."""
    await page.form()
    await own_documents.delete(page.services, page.person, document_id)
    return go("/documents", done="deleted", of=document_id)


@router.post("/documents/{document_id}/restore")
async def restore(document_id: PathId, page: PersonPageDep) -> Response:
    """Restore a deleted document."""
    await page.form()
    await own_documents.restore(page.services, page.person, document_id)
    return go(f"/documents/{document_id}", done="restored")


def _item(document: DocumentView, zone: ZoneInfo) -> ListedDocument:
    """A document, and whether its expiry is near or past."""
    end, due = document.metadata.expires_on, document.metadata.due_on
    today = clock.now().astimezone(zone).date()
    late = due is not None and due < today
    soon = due is not None and today <= due <= today + timedelta(days=31)
    validity = _validity(document.metadata.type, end, zone) if end else ""
    by_another = bool(document.deposited_by.get("name"))
    new = by_another and clock.now() - document.created_at < _NEW
    return ListedDocument(document, validity, late, soon, new)


async def waiting_requests(page: PersonPage) -> list[request_views.ReceivedRequest]:
    """The requests that wait for an answer: they come first in the list."""
    received = await request_views.list_received(page.services, page.person, limit=20)
    return [request for request in received.items if request.state == "waiting"]


async def documents_by_id(
    page: PersonPage, wanted: set[UUID], *, pictured: bool = True
) -> dict[UUID, DocumentView]:
    """Some of the person's documents by id; `pictured`: to be shown with their thumbnails."""
    return await own_documents.find_own(page.services, page.person, wanted, pictured=pictured)


def _validity(code: str, end: date, zone: ZoneInfo) -> Literal["", "soon", "over"]:
    """Of a paper that is good until the end of a day, where its owner is."""
    now = clock.now()
    if end < now.astimezone(zone).date():
        return "over"
    document_type = catalogue.by_code(code)
    notice = document_type.notice_period if document_type and document_type.notice_period else "P1M"
    return "soon" if durations.end_of(now, notice).astimezone(zone).date() >= end else ""
