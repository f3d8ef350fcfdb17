"""Requests: who asks for what and why; yes (maybe to less), no, or "this is not me"."""

from typing import Any

from fastapi import Response

from base import clock
from base.errors import ErrorKind, ServiceError
from vault import catalogue
from vault.consent import answers, request_views
from web.http.path_ids import PathId
from web.pages.approvals import approval_of, looks, shorter_durations
from web.pages.documents import papers_of
from web.pages.forms import Form
from web.pages.page import OfPerson, PersonPage, go, page_router

router = page_router()
LIMIT = 50


@router.get("/requests")
async def list_(page: PersonPage, cursor: str | None = None) -> Response:
    """What I was asked: what waits first."""
    received = await request_views.list_received(
        page.services, page.person, limit=LIMIT, cursor=cursor
    )
    waiting = [one for one in received.items if one.state == "waiting"]
    answered = [one for one in received.items if one.state != "waiting"]
    return await page.show("requests.html", waiting=waiting, answered=answered, more=received.next)


@router.get("/requests/{request_id}")
async def see(request_id: PathId, page: PersonPage) -> Response:
    """One request, with what it would open."""
    found = await request_views.see_received(page.services, page.person, request_id)
    return await page.show("request.html", **await _values(page, found))


@router.post("/requests/{request_id}/approve")
async def approve(request_id: PathId, page: PersonPage) -> Response:
    """Yes, to what is ticked."""
    form = await page.form()
    found = await request_views.see_received(page.services, page.person, request_id)
    try:
        await answers.approve(page.services, page.person, request_id, approval_of(form, found))
    except ServiceError as failure:
        if failure.kind is not ErrorKind.INVALID:
            raise
        return await page.show_failure(failure, "request.html", **await _values(page, found, form))
    return go("/grants", done="approved")


@router.post("/requests/{request_id}/refuse")
async def refuse(request_id: PathId, page: PersonPage) -> Response:
    """No."""
    await page.form()
    await answers.refuse(page.services, page.person, request_id, "no")
    return go("/requests", done="refused")


@router.post("/requests/{request_id}/not-me")
async def not_me(request_id: PathId, page: PersonPage) -> Response:
    """This is not me."""
    await page.form()
    await answers.refuse(page.services, page.person, request_id, "not_me")
    return go("/requests", done="not_me")


async def _values(
    page: OfPerson, found: request_views.ReceivedRequest, form: Form | None = None
) -> dict[str, Any]:
    """What the page of a request shows; ticked as before when a form came back."""
    asked = found.asked
    wanted = {one for covered in found.covers for one in covered.document_ids}
    wanted |= set(asked.scope.document_ids)
    papers = await papers_of(page, wanted) if looks(asked) and found.state == "waiting" else {}
    named = [papers[one] for one in asked.scope.document_ids if one in papers]
    return {
        "one": found,
        "asked": asked,
        "papers": papers,
        "named": named,
        "looks": looks(asked),
        "basis": catalogue.legal_basis_by_code(asked.legal_basis),
        "shorter": shorter_durations(asked, clock.now(), found.ends_at),
        "form": form,
    }
