"""Consent requests: who, why, which papers, until when, a summary; then yes, no or "not me"."""

import hmac
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from base import clock
from base.errors import ErrorKind, ServiceError, invalid
from vault import catalogue
from vault.consent import answers, request_views
from vault.consent.request_views import ReceivedRequest
from web.http.path_ids import PathId
from web.pages import answer_steps
from web.pages.answer_steps import PartialAnswer
from web.pages.approvals import approval_of, shorter_durations, shows_documents
from web.pages.documents import documents_by_id
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.printouts.phrases import Phrases

router = page_router()
LIMIT = 50


@router.get("/requests")
async def list_(page: PersonPageDep, cursor: str | None = None) -> Response:
    """The requests that I received, waiting ones first."""
    received = await request_views.list_received(
        page.services, page.person, limit=LIMIT, cursor=cursor
    )
    waiting = [request for request in received.items if request.state == "waiting"]
    answered = [request for request in received.items if request.state != "waiting"]
    return await page.show("requests.html", waiting=waiting, answered=answered, more=received.next)


@router.get("/requests/{request_id}")
async def see(request_id: PathId, page: PersonPageDep) -> Response:
    """Who asks, and whether it is to see papers or to know of them."""
    return await _step(page, request_id, "who")


@router.get("/requests/{request_id}/why")
async def why(request_id: PathId, page: PersonPageDep) -> Response:
    """The reason, and what it would permit."""
    return await _step(page, request_id, "why")


@router.get("/requests/{request_id}/papers")
async def which(request_id: PathId, page: PersonPageDep) -> Response:
    """The papers to choose from; nothing is ticked beforehand."""
    return await _step(page, request_id, "papers")


@router.get("/requests/{request_id}/actions")
async def permit(request_id: PathId, page: PersonPageDep) -> Response:
    """What to permit, of several things that are asked."""
    return await _step(page, request_id, "actions")


@router.get("/requests/{request_id}/until")
async def until(request_id: PathId, page: PersonPageDep) -> Response:
    """For how long."""
    return await _step(page, request_id, "until")


@router.get("/requests/{request_id}/copy")
async def store(request_id: PathId, page: PersonPageDep) -> Response:
    """Whether a copy may be kept."""
    return await _step(page, request_id, "copy")


@router.get("/requests/{request_id}/check")
async def check(request_id: PathId, page: PersonPageDep) -> Response:
    """All that a yes would give; then yes, no or later."""
    return await _step(page, request_id, "check")


@router.get("/requests/{request_id}/add")
async def add_missing(request_id: PathId, page: PersonPageDep, add: str = "") -> Response:
    """To the page that adds a paper, which leads back here with what was ticked."""
    current = await _partial(page, request_id, answer_steps.chosen_in(page.request.url.query))
    fields = {"type": add, "then": current.address("papers")}
    return go(f"/documents/add?{urlencode(fields)}")


@router.post("/requests/{request_id}/approve")
async def approve(request_id: PathId, page: PersonPageDep) -> Response:
    """Say yes to what the summary said, once."""
    form = await page.form()
    current = await _partial(page, request_id, answer_steps.only(form))
    # One that was answered meanwhile is judged, and recorded, by the approval itself.
    if current.request.state == "waiting":
        try:
            seen = current.summary(clock.now(), page.zone).seen
        except ServiceError as failure:
            return await _show(page, current, current.first_choice, failure)
        if not hmac.compare_digest(seen.encode(), form.get("seen").encode()):
            return await _show(page, current, "check", invalid("answer_changed"))
    try:
        approval = replace(approval_of(current.chosen, current.request), shown_in=page.languages)
        await answers.approve(
            page.services,
            page.person,
            request_id,
            approval,
            idempotency_key=form.get("once")[:64] or None,
        )
    except ServiceError as failure:
        if failure.kind is not ErrorKind.INVALID or current.request.state != "waiting":
            raise
        return await _show(page, current, current.first_choice, failure)
    return go("/grants", done="approved")


@router.post("/requests/{request_id}/refuse")
async def refuse(request_id: PathId, page: PersonPageDep) -> Response:
    """Refuse."""
    await page.form()
    await answers.refuse(page.services, page.person, request_id, "no")
    return go("/requests", done="refused")


@router.post("/requests/{request_id}/not-me")
async def not_me(request_id: PathId, page: PersonPageDep) -> Response:
    """Answer that the request is meant for someone else."""
    await page.form()
    await answers.refuse(page.services, page.person, request_id, "not_me")
    return go("/requests", done="not_me")


async def _step(page: PersonPage, request_id: UUID, step: str) -> Response:
    """One page of the answer; or the first one before it that was left without an answer."""
    current = await _partial(page, request_id, answer_steps.chosen_in(page.request.url.query))
    if current.request.state != "waiting":
        return await _show(page, current, "who")
    if step not in current.steps:
        return go(current.address("who"))
    unsaid = current.first_unsaid(step)
    if unsaid is not None:
        return await _show(page, current, *unsaid)
    return await _show(page, current, step)


async def _show(
    page: PersonPage, current: PartialAnswer, step: str, *failed: ServiceError
) -> Response:
    values = _values(page, current, step)
    if step == "check":
        try:
            values |= _summary(page, current)
        except ServiceError as failure:
            return await _show(page, current, current.first_choice, failure)
    template = "requests/" + step + ".html"
    if failed:
        return await page.show_failure(failed[0], template, **values)
    return await page.show(template, **values)


async def _partial(page: PersonPage, request_id: UUID, chosen: Form) -> PartialAnswer:
    request = await request_views.see_received(page.services, page.person, request_id)
    return PartialAnswer(request=request, chosen=chosen, documents=await _papers_of(page, request))


async def _papers_of(page: PersonPage, request: ReceivedRequest) -> dict[UUID, Any]:
    if request.state != "waiting" or not shows_documents(request.asked):
        return {}
    ids = {id_ for covered in request.covers for id_ in covered.document_ids}
    return await documents_by_id(page, ids | set(request.asked.scope.document_ids))


def _values(page: PersonPage, current: PartialAnswer, step: str) -> dict[str, Any]:
    request, asked = current.request, current.request.asked
    documents = current.documents
    return {
        "request": request,
        "asked": asked,
        "current": current,
        "step": step,
        "documents": documents,
        "single_documents": [
            documents[id_] for id_ in asked.scope.document_ids if id_ in documents
        ],
        "shows_documents": shows_documents(asked),
        "basis": catalogue.legal_basis_by_code(asked.legal_basis),
        "shorter": shorter_durations(asked, clock.now(), request.ends_at),
        "storing": Phrases(page.language, page.zone).storing(asked),
    }


def _summary(page: PersonPage, current: PartialAnswer) -> dict[str, Any]:
    summary = current.summary(clock.now(), page.zone)
    return {
        "summary": summary,
        "storing": Phrases(page.language, page.zone).storing(summary.terms),
        "once": secrets.token_urlsafe(24),
    }
