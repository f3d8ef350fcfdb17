"""Consent requests: who, why, which papers, until when, a summary; then yes, no or "not me"."""

import hmac
import secrets
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from base import clock
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import parse_id
from vault import catalogue, durations
from vault.consent import answers, assisted_grants, request_views
from vault.consent.request_views import ReceivedRequest
from web.http.path_ids import PathId
from web.pages import answer_steps, end_days
from web.pages.acts import act_on
from web.pages.answer_steps import PartialAnswer
from web.pages.approvals import approval_of, shorter_durations, shows_documents
from web.pages.documents import documents_by_id
from web.pages.forms import Form
from web.pages.grants import given_already
from web.pages.mandate_groups import grouped
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.papers_left import papers_left
from web.pages.spoken_answers import FIELDS, beside_in, said_aloud, worker_beside

router = page_router()
LIMIT = 50
_OF_WHO_HEARD = {
    "heard_by_wrong",
    "heard_by_worker",
    "worker_not_here",
    "text_too_long",
    "text_invalid",
}


@router.get("/requests")
async def list_(page: PersonPageDep, cursor: str | None = None) -> Response:
    """The requests that I received, waiting ones first."""
    received = await request_views.list_received(
        page.services, page.person, limit=LIMIT, cursor=cursor
    )
    waiting = [request for request in received.items if request.state == "waiting"]
    answered = [request for request in received.items if request.state != "waiting"]
    return await page.show(
        "requests.html",
        **_refused(page, answered),
        waiting=grouped(waiting),
        answered=answered,
        left=await papers_left(page, answered),
        more=received.next,
    )


def _refused(page: PersonPage, answered: list[ReceivedRequest]) -> dict[str, Any]:
    """The request that was just refused, to say by name who does not learn of it; where it is not
    one of these, the page says it without a name."""
    id_ = parse_id(page.request.query_params.get("of", ""))
    found = next((one for one in answered if one.id == id_ and one.state == "refused"), None)
    if page.done != "refused" or found is None:
        return {"refused": None}
    return {"refused": found, "done": ""}


def _add_step(step: str) -> None:
    """The page of a step: the request without a choice, or with what was chosen before."""
    path = "/requests/{request_id}" + ("" if step == "who" else f"/{step}")

    @router.get(path, name=f"request_{step}")
    async def see(request_id: PathId, page: PersonPageDep) -> Response:
        return await _step(page, request_id, step)


for _each in answer_steps.STEPS:
    _add_step(_each)


@router.get("/requests/{request_id}/aloud")
async def aloud(request_id: PathId, page: PersonPageDep) -> Response:
    """What a yes would give, in both languages side by side, to be said aloud before somebody."""
    current = await _partial(page, request_id, answer_steps.chosen_in(page.request.url.query))
    if current.request.state != "waiting":
        return await _show(page, current, "who")
    if worker_beside(page.person, current.request) is None:
        return go(current.address("check"))
    unsaid = current.first_unsaid("check")
    return await _show(page, current, *(unsaid or ("aloud",)))


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
    seen = ""  # of one that was answered already, nothing was shown
    last = "aloud" if said_aloud(form) else "check"
    heard = {name: form.get(name) for name in FIELDS}
    # One that was answered meanwhile is judged, and recorded, by the approval itself.
    if current.request.state == "waiting":
        try:
            seen = current.summary(page.languages).seen
        except ServiceError as failure:
            return await _show(page, current, current.first_choice, failure)
        if not hmac.compare_digest(seen.encode(), form.get("seen").encode()):
            return await _show(page, current, last, invalid("answer_changed"), **heard)
    try:
        beside = beside_in(form, page.person, current.request)
        await answers.approve(
            page.services,
            page.person,
            request_id,
            current.approval(page.languages),
            idempotency_key=form.get("once")[:64] or None,
            act=act_on(page, f"requests/{last}.html", seen, beside),
        )
    except ServiceError as failure:
        if failure.code == "request_answered" and current.request.state == "approved":
            return go(f"/requests/{request_id}")
        if failure.kind is not ErrorKind.INVALID or current.request.state != "waiting":
            raise
        if said_aloud(form) and failure.code in _OF_WHO_HEARD:
            return await _show(page, current, "aloud", failure, **heard)
        return await _show(page, current, current.first_choice, failure)
    return go("/grants", done="approved")


@router.post("/requests/{request_id}/refuse")
async def refuse(request_id: PathId, page: PersonPageDep) -> Response:
    """Refuse."""
    return await _refuse(page, request_id, "no")


@router.post("/requests/{request_id}/not-me")
async def not_me(request_id: PathId, page: PersonPageDep) -> Response:
    """Answer that the request is meant for someone else."""
    return await _refuse(page, request_id, "not_me")


async def _refuse(page: PersonPage, request_id: UUID, reason: Literal["no", "not_me"]) -> Response:
    """A second tap says the same, and leads to the same page. Beside a worker, who may be who asks,
    that page does not say what was answered."""
    await page.form()
    said: Literal["refused", "not_me"] = "refused" if reason == "no" else "not_me"
    try:
        await answers.refuse(page.services, page.person, request_id, reason)
    except ServiceError as failure:
        if failure.code != "request_answered":
            raise
        request = await request_views.see_received(
            page.services, page.person, request_id, kept_back=True
        )
        if request.state != said:
            raise
    if page.person.beside is not None:
        return go("/requests", done="noted")
    return go("/requests", done=said, of=request_id)


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
    page: PersonPage, current: PartialAnswer, step: str, *failed: ServiceError, **more: str
) -> Response:
    """`more`: what was typed of who heard it."""
    values = _values(current, "check" if step == "aloud" else step) | more
    values["may_be_aloud"] = worker_beside(page.person, current.request) is not None
    if step in {"check", "aloud"}:
        try:
            values |= await _summary(page, current)
        except ServiceError as failure:
            return await _show(page, current, current.first_choice, failure)
    if current.request.state == "waiting":
        already = await given_already(page, current.request.requester_id)
        values["goes_on"] = bool(already["already"])
    if step == "who":
        values["left"] = await papers_left(page, [current.request])
    template = "requests/" + step + ".html"
    if failed:
        return await page.show_failure(failed[0], template, **values)
    return await page.show(template, **values)


async def _partial(page: PersonPage, request_id: UUID, chosen: Form) -> PartialAnswer:
    request = await request_views.see_received(page.services, page.person, request_id)
    now = clock.now()
    return PartialAnswer(
        request=request,
        chosen=chosen,
        documents=await _papers_of(page, request),
        at=now,
        zone=page.zone,
        ends_by=_ends_by(page, request, now),
    )


def _ends_by(page: PersonPage, request: ReceivedRequest, now: datetime) -> datetime:
    """When the answer must be over: sooner for the worker who is beside, if it is they who ask."""
    if page.person.beside is None or page.person.beside.id != request.requester_id:
        return request.ends_at
    return min(request.ends_at, durations.end_of(now, assisted_grants.LONGEST))


async def _papers_of(page: PersonPage, request: ReceivedRequest) -> dict[UUID, Any]:
    if request.state != "waiting" or not shows_documents(request.asked.scope):
        return {}
    ids = {id_ for covered in request.covers for id_ in covered.document_ids}
    return await documents_by_id(page, ids | set(request.asked.scope.document_ids))


def _values(current: PartialAnswer, step: str) -> dict[str, Any]:
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
        "shows_documents": current.shows_documents,
        "later_types": approval_of(_without_end(current), request).choice.document_types,
        "basis": catalogue.legal_basis_by_code(asked.legal_basis),
        "shorter": shorter_durations(asked, current.at, current.zone, current.ends_by),
    }


def _without_end(current: PartialAnswer) -> Form:
    return Form(tuple(current.carried(*end_days.NAMES)))


async def _summary(page: PersonPage, current: PartialAnswer) -> dict[str, Any]:
    summary = current.summary(page.languages)
    already = await given_already(page, current.request.requester_id)
    return {"summary": summary, "once": secrets.token_urlsafe(24), **already}
