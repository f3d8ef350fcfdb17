"""Where someone is signed in, a person or a worker; and how to end it, one by one or all others."""

from typing import Any
from uuid import UUID

from fastapi import Response

from auth import session_list, sessions
from auth.session_list import SessionView
from auth.subjects import Person, Worker
from auth.time_zones import choose_zone
from base import time_zones
from base.errors import invalid
from base.ids import parse_id
from web.http.path_ids import PathId
from web.http.visitor import visitor_of
from web.i18n import time_zone_names
from web.pages.page import Page, PersonPageDep, WorkerPageDep, go, page_router

router = page_router()


@router.get("/sessions")
async def list_(page: PersonPageDep) -> Response:
    """The person's devices."""
    return await _list(page, page.person, "")


@router.post("/time-zone")
async def choose_time_zone(page: PersonPageDep) -> Response:
    """Choose where the person is told the time."""
    name = (await page.form()).get("time_zone")
    if name not in time_zones.NAMES:
        raise invalid("invalid_field", fields=[("time_zone",)], field="time_zone")
    await choose_zone(page.services, page.person, name)
    return go("/sessions", done="time_zone")


@router.get("/pro/sessions")
async def list_of_worker(page: WorkerPageDep) -> Response:
    """The worker's devices."""
    return await _list(page, page.worker, "/pro")


@router.post("/sessions/end-others")
async def end_others(page: PersonPageDep) -> Response:
    """End the person's other sessions."""
    return await _end_others(page, page.person, "")


@router.post("/pro/sessions/end-others")
async def end_others_of_worker(page: WorkerPageDep) -> Response:
    """End the worker's other sessions."""
    return await _end_others(page, page.worker, "/pro")


@router.post("/sessions/{session_id}/end")
async def end(session_id: PathId, page: PersonPageDep) -> Response:
    """End one session of the person's."""
    return await _end(page, page.person, session_id, "")


@router.post("/pro/sessions/{session_id}/end")
async def end_of_worker(session_id: PathId, page: WorkerPageDep) -> Response:
    """End one session of the worker's."""
    return await _end(page, page.worker, session_id, "/pro")


async def _list(page: Page, subject: Person | Worker, prefix: str) -> Response:
    listed = await session_list.list_sessions(page.services, subject, visitor_of(page.request))
    shown = sorted(listed.items, key=lambda one: one.where != "here")
    zones = {name: time_zone_names.NAMES[name] for name in time_zones.NAMES}
    ended = await _just_ended(page, subject)
    told: dict[str, Any] = {"done": ""} if ended else {}
    return await page.show(
        "sessions.html",
        prefix=prefix,
        sessions=shown,
        now=listed.at,
        zones=zones,
        ended=ended,
        **told,
    )


async def _just_ended(page: Page, subject: Person | Worker) -> SessionView | None:
    """The one that was just ended, by name: « this device » would be the one in one's hand."""
    id_ = parse_id(page.request.query_params.get("of", ""))
    if page.done != "session_ended" or id_ is None:
        return None
    return await session_list.see_ended(page.services, subject, id_, visitor_of(page.request))


async def _end(page: Page, subject: Person | Worker, session_id: UUID, prefix: str) -> Response:
    await page.form()
    await sessions.end_one(page.services, subject, session_id)
    return go(f"{prefix}/sessions", done="session_ended", of=session_id)


async def _end_others(page: Page, subject: Person | Worker, prefix: str) -> Response:
    await page.form()
    await sessions.end_others(page.services, subject)
    return go(f"{prefix}/sessions", done="sessions_ended")
