"""What a worker asked: sent after a look at what the person will read; listed, withdrawn."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from auth import notifications
from auth.subjects import snapshot
from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault import catalogue
from vault.consent import people, request_views, requests
from vault.consent.meetings import MeetingView
from vault.consent.withdrawals import withdraw as withdraw_request
from web.http.path_ids import PathId
from web.pages import request_form
from web.pages.earlier_grants import earlier_grants
from web.pages.forms import TOKEN, Form
from web.pages.mandate_groups import grouped
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.request_form import (
    MORE,
    PAPER,
    known_person,
    met_person,
    phone_in,
    terms_of,
    whom_in,
)
from web.pages.worker_grants import listed_grant

router = page_router()
LIMIT = 50


@router.get("/pro/requests")
async def list_(page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What I asked, newest first."""
    sent = await request_views.list_sent(page.services, page.worker, limit=LIMIT, cursor=cursor)
    known = await people.known_by_grants(page.services, page.worker)
    return await page.show(
        "pro/requests.html", groups=grouped(sent.items), more=sent.next, known_by_grant=known
    )


# Declared before the page of one request: "new" is not an id.
@router.get("/pro/requests/new")
async def ask(
    page: WorkerPageDep,
    person: str = "",
    meeting: str = "",
    paper: str = "",
    again: str = "",
    type: Annotated[tuple[str, ...], Query()] = (),  # noqa: A002  (the contract's word)
    action: Annotated[tuple[str, ...], Query()] = (),
) -> Response:
    """The form of a new request; for a person whom I know, with the number that I wrote; for whom I
    stand before; with what the page before it says to ask for, or what a request of mine asked."""
    if (request_id := parse_id(again)) is not None:
        return await _form(page, await _asked_again(page, request_id))
    met = await met_person(page, meeting)
    if met is not None and met.state != "agreed":
        return go(f"/pro/meetings/{met.id}")
    known = None if met is not None else await known_person(page, person)
    form = request_form.blank(page.worker, known, type, action)
    return await _form(page, Form((*form.pairs, (PAPER, paper))) if paper else form, met=met)


@router.post("/pro/requests/new")
async def check(page: WorkerPageDep) -> Response:
    """What the person will read, before it is sent; or the form again, to correct it."""
    form = await page.form()
    if form.has("change"):
        return await _form(page, request_form.begun(form))
    if failures := request_form.failures_of(form):
        return await _form(page, form, *failures)
    known, phone = await known_person(page, form.get("person")), phone_in(form)
    terms = terms_of(form)
    met = await met_person(page, form.get("meeting"))
    holder, earlier = await earlier_grants(page, known, "" if met else phone, terms.scope)
    return await page.show(
        "pro/ask_check.html",
        met=met,
        known=known,
        holder=holder,
        earlier=earlier,
        whose=request_form.whose(known, phone),
        kept=[pair for pair in form.pairs if pair[0] not in (TOKEN, "change")],
        for_mandate=form.has(MORE) or form.has(PAPER),
        phone=phone,
        terms=terms,
        basis=catalogue.legal_basis_by_code(terms.legal_basis),
        requester=snapshot(page.worker),
        message=notifications.request_pending(page.services, "fr"),
    )


@router.post("/pro/requests/send")
async def send(page: WorkerPageDep) -> Response:
    """Send a request. The answer is the same whether or not the phone has a vault. What was put on
    a mandate before is not dropped by it: such a form is refused."""
    form = await page.form()
    if form.has(MORE) or form.has(PAPER):
        raise ServiceError(ErrorKind.MALFORMED, "malformed_form")
    try:
        await requests.ask(
            page.services,
            page.worker,
            whom_in(form),
            terms_of(form),
            idempotency_key=form.get("once")[:64] or None,
        )
    except ServiceError as failure:
        return await _form(page, request_form.refused(form, failure), failure)
    return go("/pro/requests", done="asked_met" if form.get("meeting") else "asked")


@router.get("/pro/requests/{request_id}")
async def see(request_id: PathId, page: WorkerPageDep) -> Response:
    """One request that I sent."""
    return await page.show("pro/request.html", **await _values(page, request_id))


@router.get("/pro/requests/{request_id}/withdraw")
async def ask_withdrawal(request_id: PathId, page: WorkerPageDep) -> Response:
    """The page that asks for confirmation."""
    return await page.show("pro/withdraw.html", **await _values(page, request_id))


@router.post("/pro/requests/{request_id}/withdraw")
async def withdraw(request_id: PathId, page: WorkerPageDep) -> Response:
    """Withdraw a request that was not approved."""
    await page.form()
    await withdraw_request(page.services, page.worker, request_id)
    return go(f"/pro/requests/{request_id}", done="withdrawn")


async def _asked_again(page: WorkerPage, request_id: UUID) -> Form:
    """The form of a request that I sent, for the person of whom I know that number; where two
    people had it, for nobody by name."""
    request = await request_views.see_sent(page.services, page.worker, request_id)
    known = await people.known_by_grants(page.services, page.worker)
    theirs = {one.id: one for one in known.values() if request.phone in one.phones}
    return request_form.asked_again(request, theirs.popitem()[1] if len(theirs) == 1 else None)


async def _values(page: WorkerPage, request_id: PathId) -> dict[str, Any]:
    """A request that I sent, of whom I know its grant, and what became of that."""
    request = await request_views.see_sent(page.services, page.worker, request_id)
    known = grant = None
    if request.grant_id is not None:
        known = await people.known_by_grant(page.services, page.worker, request.grant_id)
        grant = await listed_grant(page, request.grant_id)
    basis = catalogue.legal_basis_by_code(request.asked.legal_basis)
    return {"request": request, "known": known, "grant": grant, "basis": basis}


async def _form(
    page: WorkerPage, form: Form, *failures: ServiceError, met: MeetingView | None = None
) -> Response:
    known = await known_person(page, form.get("person"))
    return await page.show_failures(
        failures,
        "pro/ask.html",
        met=met or await met_person(page, form.get("meeting")),
        known=known,
        whose=request_form.whose(known, phone_in(form)),
        form=form,
        purposes=catalogue.purposes(),
        bases=catalogue.legal_bases(),
    )
