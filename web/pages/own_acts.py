"""Whom one's own acts are about: who got a grant, lost it, or was told no. For their lines of the
log: nothing is told here that the pages of grants and requests do not tell their owner."""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from audit.events import Action, Outcome
from vault.access_log.entries import EntryView, is_owner
from vault.consent import grants, request_views
from vault.consent.grants import GrantView
from vault.consent.request_views import ReceivedRequest
from vault.cursors import Page
from vault.rules import GrantAction
from web.pages.page import PersonPage

Item = TypeVar("Item", GrantView, ReceivedRequest)
_OF_GRANTS = {Action.GIVE.value, Action.APPROVE.value, Action.REVOKE.value}
_OF_REQUESTS = {Action.REFUSE.value, Action.NOT_ME.value}


@dataclass(frozen=True, slots=True)
class Other:
    """Who an act is about: their name on the day of the grant or the request, when the grant was to
    end, and the sorts of papers that it shows; `ends_at` is None for a request."""

    name: str = field(repr=False)
    ends_at: datetime | None = None
    types: tuple[str, ...] = ()
    shows: bool = False


async def others_of(page: PersonPage, entries: Iterable[EntryView]) -> dict[str, Other]:
    """Whom the person's own acts are about, by the id of the grant or of the request."""
    own = [one for one in entries if is_owner(one) and one.outcome == Outcome.ALLOWED]
    given = {one.grant for one in own if one.grant and one.action in _OF_GRANTS}
    asked = {one.request for one in own if one.request and one.action in _OF_REQUESTS}

    async def next_grants(cursor: str | None) -> Page[GrantView]:
        return await grants.list_grants(page.services, page.person, limit=100, cursor=cursor)

    async def next_requests(cursor: str | None) -> Page[ReceivedRequest]:
        return await request_views.list_received(
            page.services, page.person, limit=100, cursor=cursor
        )

    found_grants = await _found(given, next_grants)
    found_requests = await _found(asked, next_requests)
    return {id_: _of_grant(grant) for id_, grant in found_grants.items()} | {
        id_: Other(request.requester.get("name", "")) for id_, request in found_requests.items()
    }


async def _found(
    wanted: Collection[str], next_page: Callable[[str | None], Awaitable[Page[Item]]]
) -> dict[str, Item]:
    """Those of the wanted ids; reads as few pages as needed, and none for nothing."""
    found: dict[str, Item] = {}
    cursor: str | None = None
    while len(found) < len(wanted):
        listed = await next_page(cursor)
        found |= {str(one.id): one for one in listed.items if str(one.id) in wanted}
        cursor = listed.next
        if cursor is None:
            break
    return found


def _of_grant(grant: GrantView) -> Other:
    return Other(
        name=grant.recipient.get("name", ""),
        ends_at=grant.ends_at,
        types=tuple(grant.terms.scope.document_types),
        shows=GrantAction.READ in grant.terms.scope.actions,
    )
