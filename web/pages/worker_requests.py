"""What a worker asked: sent after a look at what the person will read; listed, withdrawn."""

import secrets
from typing import Any

from fastapi import Response

from auth import notifications
from auth.subjects import Worker, snapshot
from base.errors import ServiceError, invalid
from base.ids import parse_id
from base.user_text import clean_text, clean_title
from vault import catalogue
from vault.consent import people, request_views, requests
from vault.consent.people import KnownPerson
from vault.consent.scopes import MAX_PURPOSE_LENGTH, MAX_SCOPE_ITEMS, scope_of
from vault.consent.terms import Terms
from vault.consent.withdrawals import withdraw as withdraw_request
from web.http.path_ids import PathId
from web.i18n.typography import national
from web.pages import labels
from web.pages.forms import TOKEN, Form
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router

router = page_router()
LIMIT = 50
_ACTIONS = frozenset(labels.ACTIONS_ASKED)
_CONTACT = ("name", "job", "phone", "hours")


@router.get("/pro/requests")
async def list_(page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What I asked, newest first."""
    sent = await request_views.list_sent(page.services, page.worker, limit=LIMIT, cursor=cursor)
    known = await people.known_by_grants(page.services, page.worker)
    return await page.show(
        "pro/requests.html", sent=sent.items, more=sent.next, known_by_grant=known
    )


# Declared before the page of one request: "new" is not an id.
@router.get("/pro/requests/new")
async def ask(page: WorkerPageDep, person: str = "") -> Response:
    """The form of a new request; for a person whom I know, with the number that I wrote."""
    known = await _known(page, person)
    phone = national(known.phone) if known and known.phone else ""
    return await _form(page, _blank(page.worker, phone, person if known else ""))


@router.post("/pro/requests/new")
async def check(page: WorkerPageDep) -> Response:
    """What the person will read, before it is sent; or the form again, to correct it."""
    form = await page.form()
    if form.has("change"):
        return await _form(page, form)
    try:
        terms = terms_of(form)
        requests.check_request(form.get("phone")[:64], terms)
    except ServiceError as failure:
        return await _form(page, form, failure)
    return await page.show(
        "pro/ask_check.html",
        known=await _known(page, form.get("person")),
        kept=[pair for pair in form.pairs if pair[0] not in (TOKEN, "change")],
        phone=form.get("phone")[:64],
        terms=terms,
        basis=catalogue.legal_basis_by_code(terms.legal_basis),
        requester=snapshot(page.worker),
        message=notifications.request_pending(page.services, "fr"),
    )


@router.post("/pro/requests/send")
async def send(page: WorkerPageDep) -> Response:
    """Send a request. The answer is the same whether or not the phone has a vault."""
    form = await page.form()
    try:
        await requests.ask(
            page.services,
            page.worker,
            form.get("phone")[:64],
            terms_of(form),
            idempotency_key=form.get("once")[:64] or None,
        )
    except ServiceError as failure:
        return await _form(page, form, failure)
    return go("/pro/requests", done="asked")


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
    return go("/pro/requests", done="withdrawn")


def terms_of(form: Form) -> Terms:
    """The terms of a worker's form. Raises `purpose_missing`, `scope_empty`, `text_too_long`."""
    purpose = clean_text(form.get("purpose"), MAX_PURPOSE_LENGTH)
    if purpose is None:
        raise invalid("purpose_missing")
    types = form.all("type")[:MAX_SCOPE_ITEMS]
    actions = [action for action in form.all("action") if action in _ACTIONS]
    contact = {name: clean_title(form.get(f"contact_{name}")) or "" for name in _CONTACT}
    return Terms(
        scope=scope_of(types, (), actions),
        purpose_code=form.get("purpose_code")[:64],
        purpose=purpose,
        legal_basis=form.get("legal_basis")[:64] or catalogue.GRANT_BASIS,
        duration=labels.known_duration(form.get("duration")),
        may_store=form.has("may_store"),
        store_for=None,
        contact=contact,
    )


async def _values(page: WorkerPage, request_id: PathId) -> dict[str, Any]:
    """A request that I sent, and of whom I know its grant."""
    request = await request_views.see_sent(page.services, page.worker, request_id)
    known = None
    if request.grant_id is not None:
        known = await people.known_by_grant(page.services, page.worker, request.grant_id)
    return {"request": request, "known": known}


async def _known(page: WorkerPage, shown: str) -> KnownPerson | None:
    """Whom a form is about, if it says so. Raises `not_found`, recorded."""
    person_id = parse_id(shown)
    if person_id is None:
        return None
    return await people.see_known(page.services, page.worker, person_id)


async def _form(page: WorkerPage, form: Form, failure: ServiceError | None = None) -> Response:
    values: dict[str, Any] = {
        "known": await _known(page, form.get("person")),
        "form": form,
        "purposes": catalogue.purposes(),
        "bases": catalogue.legal_bases(),
    }
    if failure is not None:
        return await page.show_failure(failure, "pro/ask.html", **values)
    return await page.show("pro/ask.html", **values)


def _blank(worker: Worker, to: str, person: str) -> Form:
    """The empty form: the worker's own contact, and the least access to ask for."""
    phone, _, hours = worker.contact.partition(", ")
    return Form(
        (
            ("phone", to),
            ("person", person),
            ("action", "read"),
            ("duration", "P1M"),
            ("legal_basis", catalogue.GRANT_BASIS),
            ("contact_name", worker.name),
            ("contact_job", worker.job),
            ("contact_phone", phone),
            ("contact_hours", hours),
            ("once", secrets.token_urlsafe(18)),
        )
    )
