"""The person's grants, by person: live ones, ended ones, and how to revoke one, or all of them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Response

from base.ids import parse_id
from vault.consent import grants, request_views
from vault.consent.grants import GrantView
from vault.consent.request_views import ReceivedRequest
from vault.consent.scopes import Scope
from vault.document_view import DocumentView
from vault.documents import own_documents
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.pages.acts import act_on
from web.pages.documents import documents_by_id, waiting_requests
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
LIMIT = 10
_JUST_NOW = timedelta(minutes=2)
_MOST_SHOWN = 100
_STOPPED = {"stopped", "stopped_one", "stopped_all"}
_KINDS = ("read", "attest", "deposit")
"""What a grant permits, the most first: a person is listed once, under the first that they have."""


@router.get("/grants")
async def list_(page: PersonPageDep, cursor: str | None = None) -> Response:
    """Who may see my papers now, each person once; then the grants that ended."""
    ended = await grants.list_grants(
        page.services, page.person, state="ended", limit=LIMIT, cursor=cursor
    )
    live = [] if cursor else await live_grants(page)
    said = {} if cursor else await _what_was_done(page, live)
    waiting = await _still_waiting(page)
    stopped = said.get("stopped")
    return await page.show(
        "grants.html",
        **said,
        people=_by_kind(live),
        kind_of=_kind,
        waiting=waiting,
        asks_still=any(stopped and one.requester_id == stopped.recipient_id for one in waiting),
        chosen=await _chosen(page, [*live, *ended.items]),
        receiving=len(_by_person(live)),
        seeing={grant.recipient_id for grant in live},
        services_too=any(one.recipient_kind == "client" for one in live),
        ended=ended.items,
        more=ended.next,
        first=not cursor,
    )


@router.get("/grants/stop-all")
async def ask_stop_all(page: PersonPageDep, recipient: str | None = None) -> Response:
    """The page that asks for confirmation: everyone who sees nothing more; or the one
    `recipient`, what stops for them, and what goes on for the others."""
    live = await live_grants(page)
    people = _by_person(live)
    one, kind = None, ""
    if recipient is not None:
        id_ = parse_id(recipient)
        one = next((grants for grants in people if grants[0].recipient_id == id_), None)
        if one is None:
            return go("/grants")
        kind = _kind(min(one, key=_most))
    stopped = people if one is None else [one]
    return await page.show(
        "stop_all.html",
        people=stopped,
        one=one,
        kind=kind,
        untouched=[grants[0].recipient for grants in people if grants is not one] if one else [],
        chosen=await _chosen(page, [grant for grants in stopped for grant in grants]),
    )


@router.post("/grants/stop-all")
async def stop_all(page: PersonPageDep) -> Response:
    """Revoke every grant, at once; or every one of the recipient whom the page named."""
    form = await page.form()
    act = act_on(page, "stop_all.html")
    if not form.has("recipient"):
        await grants.revoke_all(page.services, page.person, act)
        return go("/grants", done="stopped_all")
    recipient_id = parse_id(form.get("recipient"))
    if recipient_id is None:
        return go("/grants")
    ended = await grants.revoke_all_to(page.services, page.person, recipient_id, act)
    if not ended:
        return go("/grants")
    return go("/grants", done="stopped", of=min(ended, key=_most).id)


@router.get("/grants/{grant_id}/stop")
async def ask_stop(grant_id: PathId, page: PersonPageDep) -> Response:
    """The page that asks for confirmation: what stops, and what goes on."""
    grant = await grants.see(page.services, page.person, grant_id)
    others = await _others(page, grant)
    return await page.show(
        "stop.html",
        grant=grant,
        others=others,
        chosen=await _chosen(page, [grant, *others]),
        untouched=await _untouched(page, grant),
        kind=_kind(grant),
    )


@router.post("/grants/{grant_id}/stop")
async def stop(grant_id: PathId, page: PersonPageDep) -> Response:
    """Revoke the grant, at once."""
    await page.form()
    grant = await grants.revoke(page.services, page.person, grant_id, act_on(page, "stop.html"))
    others = await _others(page, grant)
    return go("/grants", done="stopped_one" if others else "stopped", of=grant.id)


async def live_grants(page: PersonPage) -> list[GrantView]:
    """Every living grant of the person, newest first."""
    found: list[GrantView] = []
    cursor: str | None = None
    while True:
        listed = await grants.list_grants(
            page.services, page.person, state="live", limit=100, cursor=cursor
        )
        found += listed.items
        cursor = listed.next
        if cursor is None:
            return found


async def given_already(page: PersonPage, recipient_id: UUID) -> dict[str, Any]:
    """What a recipient may do already, said before a yes to more; for `grant_parts.html`."""
    already = [one for one in await live_grants(page) if one.recipient_id == recipient_id]
    kinds = {one.id: _kind(one) for one in already}
    return {"already": already, "kinds": kinds, "chosen": await _chosen(page, already)}


async def _others(page: PersonPage, grant: GrantView) -> list[GrantView]:
    """What the same recipient may still do by other grants."""
    return [
        one
        for one in await live_grants(page)
        if one.recipient_id == grant.recipient_id and one.id != grant.id
    ]


async def _untouched(page: PersonPage, grant: GrantView) -> list[dict[str, str]]:
    """Everybody else who may do something: for them, nothing changes."""
    people = _by_person(await live_grants(page)) if grant.state == "live" else []
    return [one[0].recipient for one in people if one[0].recipient_id != grant.recipient_id]


async def _what_was_done(page: PersonPage, live: list[GrantView]) -> dict[str, Any]:
    """The grant that was just given or stopped, as it is now, to be said by name. Of what is not
    so, nothing is said, whatever the address says."""
    done, id_ = page.done, parse_id(page.request.query_params.get("of", ""))
    given = next((one for one in live if one.id == id_), None) if done == "given" else None
    if done == "approved" and live and live[0].as_of - live[0].given_at < _JUST_NOW:
        return await _answered(page, live[0])
    stopped = await _ended(page, id_) if id_ and done in ("stopped", "stopped_one") else None
    said: dict[str, Any] = {"given": given, "stopped": stopped}
    if given:
        said["shown"] = await shown_by(page, given)
        alike = [one for one in live if one.recipient_id == given.recipient_id]
        said["also_given"] = len(alike) > 1
    if stopped:
        said["goes_on"] = [one for one in live if one.recipient_id == stopped.recipient_id]
        said["kind"] = _kind(stopped)
    return said | ({"done": ""} if done == "stopped_all" and live else {})


async def _answered(page: PersonPage, given: GrantView) -> dict[str, Any]:
    """What was just said yes to, and which of the papers that were asked for it does not show:
    not told beside a worker, who would read it. Of a mandate, which gives several things, only to
    whom."""
    kind = _kind(given)
    alone = given.mandate_id is None and kind != "deposit"
    shown = await shown_by(page, given) if alone else []
    withheld: list[DocumentView] = []
    if alone and given.request_id is not None and page.person.beside is None:
        asked = await request_views.see_received(page.services, page.person, given.request_id)
        ids = {one.id for one in shown}
        found = await _papers_of(page, asked.asked.scope)
        withheld = [
            one
            for one in found
            if one.id not in ids and not await is_seen_by(page, given.recipient_id, one.id)
        ]
    said = {"answered": given, "kind": kind, "shown": shown, "withheld": withheld}
    return said | {"done": ""}


async def is_seen_by(
    page: PersonPage, recipient_id: UUID, document_id: UUID, but: Collection[UUID] = ()
) -> bool:
    """Whether somebody sees a paper now, by another grant than `but` these."""
    return any(
        one.recipient_id == recipient_id
        and one.id not in but
        and GrantAction.READ in one.terms.scope.actions
        for one in await grants.live_on(page.services, page.person, document_id)
    )


async def shown_by(page: PersonPage, grant: GrantView) -> list[DocumentView]:
    """The papers that a grant shows now: those picked, and the first of its types."""
    scope = grant.terms.scope
    picked = set(scope.document_ids)
    found = await _papers_of(page, scope)
    return [one for one in found if one.id in picked or not one.metadata.sensitive]


async def _papers_of(page: PersonPage, scope: Scope) -> list[DocumentView]:
    """The papers that a scope names, and the first of its types."""
    ids = set(scope.document_ids)
    found = await documents_by_id(page, ids, pictured=False) if ids else {}
    if scope.document_types:
        listed = await own_documents.list_own(
            page.services, page.person, cursor=None, limit=_MOST_SHOWN
        )
        of_types = (one for one in listed.items if one.metadata.type in scope.document_types)
        found |= {one.id: one for one in of_types}
    return list(found.values())


async def _ended(page: PersonPage, id_: UUID) -> GrantView | None:
    """An ended grant of the person."""
    cursor: str | None = None
    while True:
        listed = await grants.list_grants(
            page.services, page.person, state="ended", limit=100, cursor=cursor
        )
        found = next((one for one in listed.items if one.id == id_), None)
        cursor = listed.next
        if found is not None or cursor is None:
            return found


def _kind(grant: GrantView) -> str:
    """The most that it permits."""
    actions = {action.value for action in grant.terms.scope.actions}
    return next(kind for kind in _KINDS if kind in actions)


def _most(grant: GrantView) -> int:
    """The place of what it permits: the most first."""
    return _KINDS.index(_kind(grant))


async def _still_waiting(page: PersonPage) -> list[ReceivedRequest]:
    """Once something was stopped: the requests that it does not answer."""
    stopped = page.done in _STOPPED
    return await waiting_requests(page) if stopped else []


def _by_person(live: list[GrantView]) -> list[list[GrantView]]:
    """The grants of each recipient together, the one of the newest grant first."""
    found: dict[UUID, list[GrantView]] = {}
    for grant in live:
        found.setdefault(grant.recipient_id, []).append(grant)
    return list(found.values())


def _by_kind(live: list[GrantView]) -> list[tuple[str, list[list[GrantView]]]]:
    """Each person once, with all their grants, those that permit the most first."""
    people = [sorted(one, key=_most) for one in _by_person(live)]
    return [(kind, [one for one in people if _kind(one[0]) == kind]) for kind in _KINDS]


async def _chosen(page: PersonPage, shown: list[GrantView]) -> dict[UUID, Any]:
    """The papers that were picked one by one, by id."""
    ids = {id_ for grant in shown for id_ in grant.terms.scope.document_ids}
    return await documents_by_id(page, ids, pictured=False) if ids else {}
