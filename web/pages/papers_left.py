"""The papers that an answered request asked for and that its sender does not see yet: each may
still be added and given, on the terms of that answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from base import clock
from vault import catalogue, durations
from vault.consent import grants
from vault.consent.grants import GrantView
from vault.consent.request_views import CoveredType, ReceivedRequest
from vault.rules import GrantAction
from web.pages.grants import live_grants
from web.pages.page import PersonPage

_A_WHILE = timedelta(days=30)
"""For how long they are told of, from the day of the request."""
_MOST_REQUESTS = 5
_MOST_PAPERS = 20


@dataclass(frozen=True, slots=True)
class PaperLeft:
    """A sort of paper that was asked for, and is not shown; `held`: there is one. `address`: the
    page that adds one, or chooses it, and leads to a grant that says what the answer said."""

    code: str
    held: bool
    address: str


async def papers_left(
    page: PersonPage, requests: Sequence[ReceivedRequest]
) -> dict[UUID, list[PaperLeft]]:
    """Of the newest of the requests that were approved for a while: what is left of each, by id.
    Where its grant was stopped, nothing: that answer stands; nor beside a worker, who would read
    what is kept from them."""
    if page.person.beside is not None:
        return {}
    since = clock.now() - _A_WHILE
    recent = [
        one
        for one in requests
        if one.state == "approved" and one.requester_kind == "worker" and one.asked_at > since
    ][:_MOST_REQUESTS]
    live = await live_grants(page) if recent else []
    found = {one.id: await _left_of(page, one, live) for one in recent}
    return {id_: left for id_, left in found.items() if left}


async def _left_of(
    page: PersonPage, request: ReceivedRequest, live: Sequence[GrantView]
) -> list[PaperLeft]:
    given = next((one for one in live if one.id == request.grant_id), None)
    if given is None or GrantAction.READ not in given.terms.scope.actions:
        return []
    seen = [
        one
        for one in live
        if one.recipient_id == request.requester_id and GrantAction.READ in one.terms.scope.actions
    ]
    return [
        PaperLeft(covered.type, bool(covered.document_ids), _address(page, request, given, covered))
        for covered in request.covers
        if not catalogue.is_retired(covered.type) and not await _is_shown(page, covered, seen)
    ]


async def _is_shown(page: PersonPage, covered: CoveredType, seen: Sequence[GrantView]) -> bool:
    """Whether one such paper is seen, or will be once it is added."""
    if any(one.covers_future and covered.type in one.terms.scope.document_types for one in seen):
        return True
    ids = {one.id for one in seen}
    for document_id in covered.document_ids[:_MOST_PAPERS]:
        showing = await grants.live_on(page.services, page.person, document_id)
        if any(one.id in ids for one in showing):
            return True
    return False


def _address(
    page: PersonPage, request: ReceivedRequest, given: GrantView, covered: CoveredType
) -> str:
    """Ids and codes alone: the reason that was asked for, whom, and an end no later than what was
    said."""
    said = {
        "purpose_code": request.asked.purpose_code,
        "worker": request.requester_id,
        "duration": "day",
        "day": _last_day(page, given).isoformat(),
    }
    if covered.document_ids:
        return f"/grants/new?{urlencode(said)}"
    then = f"/grants/new/check?{urlencode(said)}"
    return f"/documents/add?{urlencode({'type': covered.type, 'then': then})}"


def _last_day(page: PersonPage, given: GrantView) -> date:
    """The last day that is whole before a grant ends, so that nothing lasts longer than what was
    said; the day itself, where it is today."""
    day = given.ends_at.astimezone(page.zone).date()
    if durations.day_end(day, page.zone) <= given.ends_at:
        return day
    return max(day - timedelta(days=1), clock.now().astimezone(page.zone).date())
