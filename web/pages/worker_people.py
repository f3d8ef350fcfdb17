"""A worker's people: who gave them something, each in one place, under a label of the worker's."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import Response

from auth import desk_rights
from base.errors import ServiceError
from base.ids import parse_id
from vault.consent import people, request_views
from vault.consent.grants import GrantView
from vault.consent.people import KnownPerson
from vault.consent.person_labels import MAX_LENGTH
from vault.consent.request_views import SentRequest
from vault.cursors import Page
from vault.document_view import DocumentView
from vault.documents.person_papers import CoveredPaper, open_person
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.i18n.typography import national
from web.pages import search_words
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.way_back import PERSON, came_from
from web.pages.worker_grants import just_given_back

router = page_router()
LIMIT = 50
_MOST_PAGES = 10
"""Of what was asked, through which a number is looked for: the newest."""
_NUMBER = re.compile(r"[\d\s+().-]*\d\s*\d[\d\s+().-]*")
"""A part of a phone number, as people write it."""


@router.get("/pro/people")
async def list_(
    page: WorkerPageDep, found: str = "", only: str = "", cursor: str | None = None
) -> Response:
    """My people; those of a search, or of whom a grant ends soon; and what waits for an answer."""
    query = await search_words.words_of(page, found)
    listed = await _found(page, query, ends_soon=only == "ends_soon", cursor=cursor)
    asked = [] if cursor else await _asked_with_number(page, query)
    return await page.show(
        "pro/people.html",
        people=listed.items,
        more=listed.next,
        query=query,
        found=found if query else "",
        only=only,
        asked=asked,
        waiting=await _waiting(page),
        **await just_given_back(page),
        at_desk=await desk_rights.is_allowed(page.services, page.worker),
    )


@router.post("/pro/people/search")
async def search(page: WorkerPageDep) -> Response:
    """Look for people: to the list of those who are found, whose address says nothing of whom."""
    words = (await page.form()).get("q")[:MAX_LENGTH]
    return go(
        f"/pro/people?found={await search_words.seal(page, words)}" if words else "/pro/people"
    )


@router.get("/pro/people/{person_id}")
async def see(person_id: PathId, page: WorkerPageDep, cursor: str | None = None) -> Response:
    """Everything that one person gave me, each paper once; recorded for each grant that is used."""
    person = await open_person(page.services, page.worker, person_id, cursor=cursor, limit=LIMIT)
    papers = [(paper, _readable(paper), _named(paper)) for paper in person.papers.items]
    return await page.show(
        "pro/person.html",
        person=person,
        known=person.known,
        papers=papers,
        chosen={} if cursor or person.papers.next else _picked(person.papers.items),
        longest=MAX_LENGTH,
        adds=_adding(person.live),
    )


@router.get("/pro/people/{person_id}/label")
async def ask_label(person_id: PathId, page: WorkerPageDep, back: str = "") -> Response:
    """The form to write what I call this person."""
    known = await people.see_known(page.services, page.worker, person_id)
    return await _label_form(page, known, known.label or "", back)


@router.post("/pro/people/{person_id}/label")
async def label(person_id: PathId, page: WorkerPageDep) -> Response:
    """Write it; nothing takes it away. Back to where one came from: the person's papers are opened,
    which is recorded, for who was looking at them alone."""
    form = await page.form()
    typed, back = form.get("label"), form.get("back")
    try:
        await people.label_person(
            page.services,
            page.worker,
            person_id,
            typed or None,
            if_match=parse_id(form.get("revision")),
        )
    except ServiceError as failure:
        known = await people.see_known(page.services, page.worker, person_id)
        return await _label_form(page, known, typed, back, failure)
    return go(f"/pro/people/{person_id}" if back == PERSON else "/pro/people", done="labelled")


async def _label_form(
    page: WorkerPage,
    known: KnownPerson,
    typed: str,
    back: str,
    failure: ServiceError | None = None,
) -> Response:
    values: dict[str, Any] = {"known": known, "typed": typed, "longest": MAX_LENGTH}
    values["came"] = came_from(back)
    if failure is not None:
        return await page.show_failure(failure, "pro/label.html", **values)
    return await page.show("pro/label.html", **values)


async def _found(
    page: WorkerPage, query: str, *, ends_soon: bool, cursor: str | None
) -> Page[KnownPerson]:
    """Whose label has the words; with the first of them, those whose number it is, or a part of."""
    listed = await people.list_people(
        page.services,
        page.worker,
        query=query or None,
        ends_soon=ends_soon,
        limit=LIMIT,
        cursor=cursor,
    )
    if cursor is not None or not _NUMBER.fullmatch(query):
        return listed
    labelled = {known.id for known in listed.items}
    others = [one for one in await _with_number(page, query) if one.id not in labelled]
    return Page([*listed.items, *others], listed.next)


async def _with_number(page: WorkerPage, query: str) -> list[KnownPerson]:
    """Those to whom I wrote by a number that has these digits, be it their last one or not."""
    known = (await people.known_by_grants(page.services, page.worker)).values()
    return list({one.id: one for one in known if _any_has(one, query)}.values())


async def _asked_with_number(page: WorkerPage, query: str) -> list[SentRequest]:
    """What I asked of a number that has these digits, and was not approved: who says yes is among
    the people."""
    if not _NUMBER.fullmatch(query):
        return []
    found: list[SentRequest] = []
    cursor: str | None = None
    for _page in range(_MOST_PAGES):
        sent = await request_views.list_sent(page.services, page.worker, limit=100, cursor=cursor)
        found += [one for one in sent.items if one.state != "approved" and _has(one.phone, query)]
        cursor = sent.next
        if cursor is None or len(found) >= LIMIT:
            break
    return found[:LIMIT]


def _any_has(known: KnownPerson, query: str) -> bool:
    return any(_has(phone, query) for phone in known.phones)


def _has(phone: str | None, query: str) -> bool:
    """Whether a number has these digits, as it is shown, or as it is dialled from abroad."""
    digits = _digits_of(query)
    abroad = digits.removeprefix("00")
    shown, dialled = _digits_of(national(phone)), _digits_of(phone or "")
    return digits in shown or bool(abroad and abroad in dialled)


def _digits_of(text: str) -> str:
    """In ASCII: an Arabic keyboard has others."""
    return "".join(str(unicodedata.digit(one)) for one in text if one.isdecimal())


def _readable(paper: CoveredPaper) -> GrantView | None:
    """The grant under which a paper is opened: the first that allows it."""
    return next(iter(_reading(paper)), None)


def _named(paper: CoveredPaper) -> Sequence[GrantView]:
    """What stands above the way to open a paper: the grants that open it; of a paper that none
    opens, those that say that it exists."""
    return _reading(paper) or paper.grants


def _reading(paper: CoveredPaper) -> list[GrantView]:
    return [one for one in paper.grants if GrantAction.READ in one.terms.scope.actions]


def _picked(papers: Sequence[CoveredPaper]) -> dict[UUID, DocumentView]:
    """All the papers that may be read, by which the grants that picked them are told."""
    return {one.document.id: one.document for one in papers if one.may_read}


def _adding(grants: Sequence[GrantView]) -> set[UUID]:
    """The grants under which papers are added."""
    return {one.id for one in grants if GrantAction.DEPOSIT in one.terms.scope.actions}


async def _waiting(page: WorkerPage) -> Sequence[SentRequest]:
    """What I asked and nobody answered yet."""
    sent = await request_views.list_sent(page.services, page.worker, limit=LIMIT)
    return [request for request in sent.items if request.state == "waiting"]
