"""Giving papers unasked, one thing a page: which, why, until when, to whom; then a summary."""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import Response

from auth.subjects import snapshot
from base import clock
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import parse_id
from vault import catalogue
from vault.consent import grant_issue, grants
from vault.consent.grants import GrantView
from vault.consent.meetings import MeetingView, see_meeting
from vault.document_view import DocumentView
from vault.documents import own_documents
from vault.rules import GrantAction
from web.pages.acts import act_on
from web.pages.answer_steps import chosen_in, only
from web.pages.documents import documents_by_id
from web.pages.forms import Form
from web.pages.grants import given_already, is_seen_by, shown_by
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.partial_grants import NAMES, TOO_LONG, PartialGrant, page_of_meeting

router = page_router()
_LIMIT = 50
_SOMEONE_ELSE = "other"
_GENERAL = "social_follow_up"
"""The reason that is offered first: the one of most."""
_LONGER = ("stop", "keep")
"""What becomes of the grants by which the same one sees these papers for longer."""
_STEP_OF = {"unknown_document": "papers", TOO_LONG: "until"}
_KNOWN = 100


@router.get("/grants/new")
async def which(page: PersonPageDep, cursor: str | None = None) -> Response:
    """The papers to choose from; nothing is ticked beforehand."""
    return await _show(page, await _from_address(page), "papers", cursor=cursor)


@router.get("/grants/new/why")
async def why(page: PersonPageDep) -> Response:
    """The reason."""
    return await _step(page, "why")


@router.get("/grants/new/until")
async def until(page: PersonPageDep) -> Response:
    """For how long."""
    return await _step(page, "until")


@router.get("/grants/new/who")
async def who(page: PersonPageDep) -> Response:
    """To whom: those of before by name, or the e-mail address of somebody new."""
    current = await _from_address(page)
    if current.met is not None:
        return go(current.address("until"))
    return await _step(page, "who")


@router.get("/grants/new/check")
async def see_check(page: PersonPageDep) -> Response:
    """The summary, where an address says all of it: somebody known, and papers."""
    return await _step(page, "check")


@router.post("/grants/new/check")
async def check(page: PersonPageDep) -> Response:
    """The summary."""
    current = await _sent(page, await page.form())
    unsaid = current.first_unsaid("check")
    return await _show(page, current, *(unsaid or ("check",)))


@router.post("/grants/new")
async def give(page: PersonPageDep) -> Response:
    """Give what the summary said, once. Sent again after a meeting that was used by it, or too late
    for that: the page of the meeting says which, and what was chosen is not lost."""
    form = await page.form()
    try:
        return await _give(page, form)
    except ServiceError as failure:
        meeting_id = parse_id(form.get("meeting"))
        if failure.code != "meeting_over" or meeting_id is None:
            raise
        return go(page_of_meeting(form, meeting_id))


async def _give(page: PersonPage, form: Form) -> Response:
    current = await _sent(page, form)
    unsaid = current.first_unsaid("check")
    if unsaid is not None:
        return await _show(page, current, *unsaid)
    longer = await _seen_longer(page, current)
    seen = current.seen(longer)
    choice = form.get("longer")
    if not hmac.compare_digest(seen.encode(), form.get("seen").encode()):
        return await _show(page, current, "check", invalid("answer_changed"))
    if longer and choice not in _LONGER:
        return await _show(page, current, "check", invalid("longer_unsaid"))
    once = form.get("once")[:64] or None
    try:
        grant = await grant_issue.give(
            page.services,
            page.person,
            current.draft(tuple(one.id for one in longer) if choice == "stop" else ()),
            idempotency_key=once,
            act=act_on(page, "new_grant/check.html", seen),
        )
    except ServiceError as failure:
        step = _STEP_OF.get(failure.code, "who")
        if failure.kind is not ErrorKind.INVALID and step != "until":
            raise
        return await _show(page, current, step, failure)
    return go("/grants", done="given", of=grant.id)


async def _step(page: PersonPage, step: str) -> Response:
    current = await _from_address(page)
    unsaid = current.first_unsaid(step)
    return await _show(page, current, *(unsaid or (step,)))


async def _from_address(page: PersonPage) -> PartialGrant:
    return await _partial(page, chosen_in(page.request.url.query, NAMES), "")


async def _sent(page: PersonPage, form: Form) -> PartialGrant:
    return await _partial(page, only(form, NAMES), form.get("email")[:320])


async def _partial(page: PersonPage, chosen: Form, email: str) -> PartialGrant:
    ids = {id_ for text in chosen.all("document") if (id_ := parse_id(text)) is not None}
    held = await documents_by_id(page, ids) if ids else {}
    # Another person's, or one that was deleted: it is not there.
    kept = [(n, v) for n, v in chosen.pairs if n != "document" or parse_id(v) in held]
    return PartialGrant(
        chosen=Form(tuple(kept)),
        documents=held,
        known=await _known(page),
        beside=None if page.person.beside is None else page.person.beside.id,
        at=clock.now(),
        zone=page.zone,
        email=email,
        met=await _met(page, chosen),
    )


async def _met(page: PersonPage, chosen: Form) -> MeetingView | None:
    """Whom one stands before. Raises `not_found`, recorded; `meeting_over`, where it serves no
    more."""
    meeting_id = parse_id(chosen.get("meeting"))
    if meeting_id is None:
        return None
    met = await see_meeting(page.services, page.person, meeting_id)
    if met.state != "agreed":
        raise ServiceError(ErrorKind.CONFLICT, "meeting_over")
    return met


async def _known(page: PersonPage) -> dict[UUID, Mapping[str, str]]:
    """Who is beside the person, then each worker whom they gave papers to, by their last grant; the
    newest first."""
    found: dict[UUID, Mapping[str, str]] = {}
    if page.person.beside is not None:
        found[page.person.beside.id] = snapshot(page.person.beside)
    listed = await grants.list_grants(page.services, page.person, limit=_KNOWN)
    for grant in listed.items:
        if grant.recipient_kind == "worker":
            found.setdefault(grant.recipient_id, grant.recipient)
    return found


async def _seen_longer(page: PersonPage, current: PartialGrant) -> list[GrantView]:
    """The grants by which the chosen one sees one of these papers for longer than they are given
    it now: the new end does not end them."""
    if current.worker is None:
        return []
    found: dict[UUID, GrantView] = {}
    for document_id in current.documents:
        for grant in await grants.live_on(page.services, page.person, document_id):
            if grant.recipient_id == current.worker and grant.ends_at > current.ends_at:
                found[grant.id] = grant
    return [one for one in found.values() if GrantAction.READ in one.terms.scope.actions]


async def _papers_of(
    page: PersonPage, current: PartialGrant, grant: GrantView
) -> list[DocumentView]:
    """The papers that a grant shows, those chosen first: of its types not what came later."""
    scope = grant.terms.scope
    found = [*current.documents.values(), *await shown_by(page, grant)]
    shown = [
        one
        for one in found
        if one.id in scope.document_ids
        or (
            one.metadata.type in scope.document_types
            and not one.metadata.sensitive
            and (grant.covers_future or one.created_at <= grant.given_at)
        )
    ]
    return list({one.id: one for one in shown}.values())


async def _apart(
    page: PersonPage, current: PartialGrant, papers: Mapping[UUID, list[DocumentView]]
) -> dict[str, list[DocumentView]]:
    """Of the papers that the longer grants show, each once: those given now, and those that are
    lost where these grants stop, as no other one shows them."""
    found = {one.id: one for each in papers.values() for one in each}
    given = [one for id_, one in found.items() if id_ in current.documents]
    others = [one for id_, one in found.items() if id_ not in current.documents]
    lost = [
        one
        for one in others
        if current.worker is None or not await is_seen_by(page, current.worker, one.id, papers)
    ]
    return {"longer_given": given, "longer_lost": lost}


async def _already(page: PersonPage, current: PartialGrant) -> dict[str, Any]:
    """What the chosen one sees already. Of an address nothing: only the answer says whose it is."""
    if current.worker is None:
        return {"already": [], "kinds": {}}
    return await given_already(page, current.worker)


async def _show(
    page: PersonPage,
    current: PartialGrant,
    step: str,
    *failed: ServiceError,
    cursor: str | None = None,
) -> Response:
    values: dict[str, Any] = {"current": current, "step": step, "steps": current.steps}
    if step == "papers":
        listed = await own_documents.list_own(
            page.services, page.person, cursor=cursor, limit=_LIMIT, pictured=True
        )
        # What was chosen first, on whatever page of the list it is.
        others = [one for one in listed.items if one.id not in current.documents]
        values |= {"listed": [*current.documents.values(), *others], "more": listed.next}
    elif step == "why":
        values["purposes"] = sorted(catalogue.purposes(), key=lambda one: one.code != _GENERAL)
    elif step == "until":
        values["ends"] = current.ends
    elif step == "check":
        values |= {
            "ends_at": current.ends_at,
            "once": secrets.token_urlsafe(24),
            **(await _already(page, current)),
        }
        longer = await _seen_longer(page, current)
        values |= {"longer": longer, "seen": current.seen(longer)}
        papers = {one.id: await _papers_of(page, current, one) for one in longer}
        values |= {
            "longer_papers": papers,
            **await _apart(page, current, papers),
            "stopped": {parse_id(text) for text in current.chosen.all("stop")},
        }
    template = f"new_grant/{step}.html"
    if failed:
        return await page.show_failure(failed[0], template, **values)
    return await page.show(template, **values)
