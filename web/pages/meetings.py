"""Meetings face to face, for both sides: show a code, type one, say yes; then ask or give.

A page that waits for the other side looks again by itself, every few seconds: it has nothing to
fill in, and lasts minutes. What a person chose to give before they showed a code is carried in the
address, as in the steps of giving: ids and codes.
"""

from typing import Any
from urllib.parse import urlencode

import segno
from fastapi import Response
from markupsafe import Markup

from auth.subjects import Person, Worker
from base.errors import ErrorKind, ServiceError
from vault.consent import invitations, meetings, people
from vault.consent.invitations import InvitationView
from vault.consent.meetings import MeetingView
from web.http.path_ids import PathId
from web.pages.answer_steps import chosen_in, only
from web.pages.forms import Form
from web.pages.page import (
    Page,
    PersonPage,
    PersonPageDep,
    WorkerPage,
    WorkerPageDep,
    go,
    page_router,
)
from web.pages.partial_grants import GIVING, THROUGH_A_MEETING, address_with

router = page_router()
LOOK_AGAIN = 4
"""Seconds."""
_CARRIED = (GIVING, *THROUGH_A_MEETING)

SidePage = PersonPage | WorkerPage


@router.get("/meetings/code")
async def type_code(page: PersonPageDep) -> Response:
    """The field for the digits that a worker shows."""
    return await page.show("meetings/code.html")


@router.get("/pro/meetings/code")
async def type_code_at_work(page: WorkerPageDep) -> Response:
    """The field for the digits that a person shows."""
    return await page.show("meetings/code.html")


@router.post("/meetings")
async def open_meeting(page: PersonPageDep) -> Response:
    """Get digits to show to a worker."""
    return await _open(page)


@router.post("/pro/meetings")
async def open_meeting_at_work(page: WorkerPageDep) -> Response:
    """Get digits to show to a person."""
    return await _open(page)


@router.post("/meetings/code")
async def answer(page: PersonPageDep) -> Response:
    """Type the digits that a worker shows."""
    return await _answer(page)


@router.post("/pro/meetings/code")
async def answer_at_work(page: WorkerPageDep) -> Response:
    """Type the digits that a person shows."""
    return await _answer(page)


@router.get("/meetings/{meeting_id}")
async def see(meeting_id: PathId, page: PersonPageDep) -> Response:
    """How far a meeting is: the digits, who the other is, what comes of it."""
    return await _see(page, meeting_id)


@router.get("/pro/meetings/{meeting_id}")
async def see_at_work(meeting_id: PathId, page: WorkerPageDep) -> Response:
    """The same, for a worker."""
    return await _see(page, meeting_id)


@router.post("/meetings/{meeting_id}")
async def confirm(meeting_id: PathId, page: PersonPageDep) -> Response:
    """Yes, or no."""
    return await _confirm(page, meeting_id)


@router.post("/pro/meetings/{meeting_id}")
async def confirm_at_work(meeting_id: PathId, page: WorkerPageDep) -> Response:
    """The same, for a worker."""
    return await _confirm(page, meeting_id)


def _side(page: SidePage) -> Person | Worker:
    return page.person if isinstance(page, PersonPage) else page.worker


def _address(page: SidePage, meeting_id: Any, carried: Form | None = None) -> str:
    if isinstance(page, WorkerPage):
        return f"/pro/meetings/{meeting_id}"
    query = urlencode(only(carried or Form(), _CARRIED).pairs)
    return f"/meetings/{meeting_id}" + (f"?{query}" if query else "")


async def _open(page: SidePage) -> Response:
    form = await page.form()
    opened = await meetings.open_meeting(page.services, _side(page))
    giving = chosen_in(page.request.url.query, (GIVING,))
    return go(_address(page, opened.id, Form(giving.pairs + form.pairs)))


async def _answer(page: SidePage) -> Response:
    form = await page.form()
    try:
        met = await _answered(page, form.get("code")[:32])
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.REFUSED, ErrorKind.TOO_MANY):
            raise
        return await page.show_failure(failure, "meetings/code.html")
    if isinstance(met, InvitationView):
        return go(f"/invitations/{met.id}")
    return go(_address(page, met.id))


async def _answered(page: SidePage, code: str) -> MeetingView | InvitationView:
    """A person types the digits that a worker shows in one field, whatever they are for."""
    if isinstance(page, PersonPage):
        return await invitations.answer_either(page.services, page.person, code)
    return await meetings.answer_meeting(page.services, page.worker, code)


async def _see(page: SidePage, meeting_id: PathId) -> Response:
    met = await meetings.see_meeting(page.services, _side(page), meeting_id)
    carried, given = Form(), None
    if isinstance(page, PersonPage):
        carried = chosen_in(page.request.url.query, _CARRIED)
    elif met.person_id and met.agreed_at and (met.used or met.state == "agreed"):
        given = await people.known_since(page.services, page.worker, met.person_id, met.agreed_at)
    return await page.show(
        "meetings/meeting.html",
        met=met,
        look_again=LOOK_AGAIN if _waits(met) else 0,
        drawn=draw_address(page, meetings.answering_path(met)),
        given=given,
        carried=carried.pairs,
        goes_on=address_with(carried, met.id),
        came_from=address_with(carried) if carried.has(GIVING) else "",
    )


async def _confirm(page: SidePage, meeting_id: PathId) -> Response:
    form = await page.form()
    agree = form.get("agree") == "yes"
    try:
        await meetings.confirm_meeting(page.services, _side(page), meeting_id, agree=agree)
    except ServiceError as failure:
        # The page of a meeting that is over says so.
        if failure.kind is not ErrorKind.CONFLICT:
            raise
    return go(_address(page, meeting_id, form))


def _waits(met: MeetingView) -> bool:
    """Whether what comes next is the other's to do, soon. Once both said yes there is something to
    tap: a page that looks again takes the tap away; and looking counts as use, which would keep a
    shared device open."""
    return met.state == "open" or (met.state == "answered" and met.you_agreed)


def draw_address(page: Page, path: str | None) -> Markup | None:
    """The address that takes a code, drawn; None when there is nothing to show."""
    if path is None:
        return None
    address = page.services.settings.public_url.rstrip("/") + path
    drawn = segno.make_qr(address, error="m").svg_inline(scale=5, border=4, light="white")
    return Markup(drawn)  # noqa: S704  (drawn by segno, of an address of ours)
