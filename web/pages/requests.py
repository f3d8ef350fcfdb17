"""Consent requests: who asks for what and why; approving (less, if wanted), refusing, "not me"."""

from dataclasses import replace
from typing import Any

from fastapi import Response

from base import clock
from base.errors import ErrorKind, ServiceError
from vault import catalogue
from vault.consent import answers, request_views
from web.http.path_ids import PathId
from web.pages.approvals import approval_of, shorter_durations, shows_documents
from web.pages.documents import documents_by_id
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, go, page_router

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
    """One request, with the documents that it would open."""
    request = await request_views.see_received(page.services, page.person, request_id)
    return await page.show("request.html", **await _values(page, request))


@router.post("/requests/{request_id}/approve")
async def approve(request_id: PathId, page: PersonPageDep) -> Response:
    """Approve what is ticked."""
    form = await page.form()
    request = await request_views.see_received(page.services, page.person, request_id)
    try:
        approval = replace(approval_of(form, request), shown_in=page.languages)
        await answers.approve(page.services, page.person, request_id, approval)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.INVALID:
            raise
        return await page.show_failure(
            failure, "request.html", **await _values(page, request, form)
        )
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


async def _values(
    page: PersonPage, request: request_views.ReceivedRequest, form: Form | None = None
) -> dict[str, Any]:
    """The values of a request's page; ticked as before when a form was sent."""
    asked = request.asked
    ids = {id_ for covered in request.covers for id_ in covered.document_ids}
    ids |= set(asked.scope.document_ids)
    documents = (
        await documents_by_id(page, ids)
        if shows_documents(asked) and request.state == "waiting"
        else {}
    )
    single = [documents[id_] for id_ in asked.scope.document_ids if id_ in documents]
    return {
        "request": request,
        "asked": asked,
        "documents": documents,
        "single_documents": single,
        "shows_documents": shows_documents(asked),
        "basis": catalogue.legal_basis_by_code(asked.legal_basis),
        "shorter": shorter_durations(asked, clock.now(), request.ends_at),
        "form": form,
    }
