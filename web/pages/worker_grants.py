"""The worker's pages: asking, what was asked and granted, what they did."""

import secrets
from typing import Any

from fastapi import Response

from auth.subjects import Worker
from base.errors import ServiceError, invalid
from base.user_text import clean_text, clean_title
from vault import catalogue
from vault.access_log import entries
from vault.consent import grants, request_views, requests
from vault.consent.scopes import MAX_PURPOSE_LENGTH, MAX_SCOPE_ITEMS, scope_of
from vault.consent.terms import Terms
from web.i18n.event_messages import describe
from web.pages import labels
from web.pages.forms import Form
from web.pages.page import WorkerPageDep, go, page_router

router = page_router()
LIMIT = 50
_ACTIONS = frozenset(labels.ACTIONS_ASKED)
_CONTACT = ("name", "job", "phone", "hours")


@router.get("/pro/grants")
async def home(page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What I may open, then what I asked."""
    live = await grants.list_grants(
        page.services, page.worker, state="live", limit=LIMIT, cursor=cursor
    )
    ended = await grants.list_grants(page.services, page.worker, state="ended", limit=20)
    sent = await request_views.list_sent(page.services, page.worker, limit=LIMIT)
    phones = {request.id: request.phone for request in sent.items}
    return await page.show(
        "pro/grants.html",
        live=live.items,
        more=live.next,
        ended=[] if cursor else ended.items,
        sent=[] if cursor else [request for request in sent.items if request.state != "approved"],
        phones=phones,
    )


@router.get("/pro/requests/new")
async def ask(page: WorkerPageDep) -> Response:
    """The form of a new request."""
    return await page.show("pro/ask.html", **_values(_blank(page.worker)))


@router.post("/pro/requests/new")
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
        return await page.show_failure(failure, "pro/ask.html", **_values(form))
    return go("/pro/grants", done="asked")


@router.get("/pro/doings")
async def actions(page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What I did, as the log holds it."""
    listed = await entries.list_by_actor(page.services, page.worker, cursor=cursor, limit=LIMIT)
    lines = [(entry, describe(entry, page.language)) for entry in listed.items]
    return await page.show("pro/actions.html", lines=lines, more=listed.next)


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


def _blank(worker: Worker) -> Form:
    """The empty form: the worker's own contact, and the least access to ask for."""
    phone, _, hours = worker.contact.partition(", ")
    return Form(
        (
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


def _values(form: Form) -> dict[str, Any]:
    return {
        "form": form,
        "purposes": catalogue.purposes(),
        "bases": catalogue.legal_bases(),
    }
