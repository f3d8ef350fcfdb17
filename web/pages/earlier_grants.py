"""What a worker may do already of what they are about to ask the same person for.

By the agreements' terms, and by what was asked where the person picked papers one by one: what a
worker knows without looking. Whether a paper is there is said, and recorded, elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vault.consent import grants
from vault.consent.grants import GrantView
from vault.consent.people import KnownPerson, known_by_grants
from vault.consent.scopes import Scope
from vault.rules import GrantAction
from web.pages.page import WorkerPage
from web.pages.request_form import whose

_KNOWING = frozenset({GrantAction.READ, GrantAction.ATTEST})


@dataclass(frozen=True, slots=True)
class EarlierGrant:
    """A live agreement, and the kinds asked for that it is about: none where it is about all.
    `picked`: the person picked its papers, which may be others."""

    grant: GrantView
    types: tuple[str, ...]
    picked: bool


async def earlier_grants(
    page: WorkerPage, known: KnownPerson | None, phone: str, scope: Scope
) -> tuple[KnownPerson | None, list[EarlierGrant]]:
    """Whom a request to a number goes to, as far as its sender knows, and their live agreements
    with this worker that already allow of it. Nobody, where the number is not said to be that
    person's, or was that of two."""
    person = await _holder(page, known, phone)
    if person is None:
        return None, []
    asked = {one.id: one.asked.scope for one in person.approved}
    live = await grants.live_from(page.services, page.worker, person.person_id)
    found = [
        _allowed(one, asked.get(one.request_id) if one.request_id else None, scope) for one in live
    ]
    return person, [one for one in found if one is not None]


async def _holder(page: WorkerPage, known: KnownPerson | None, phone: str) -> KnownPerson | None:
    if known is not None:
        return known if whose(known, phone) == "theirs" else None
    every = await known_by_grants(page.services, page.worker)
    theirs = {one.id: one for one in every.values() if whose(one, phone) == "theirs"}
    return theirs.popitem()[1] if len(theirs) == 1 else None


def _allowed(grant: GrantView, asked: Scope | None, wanted: Scope) -> EarlierGrant | None:
    """What a grant already allows of what is wanted; None if nothing."""
    has = grant.terms.scope
    if GrantAction.READ in wanted.actions:
        knows = GrantAction.READ in has.actions
    else:
        knows = GrantAction.ATTEST in wanted.actions and bool(_KNOWING & set(has.actions))
    adds = GrantAction.DEPOSIT in wanted.actions and GrantAction.DEPOSIT in has.actions
    if not (knows or adds):
        return None
    every = adds and has.only_adds and not has.document_types
    if every and not wanted.document_types:
        return EarlierGrant(grant, (), picked=False)
    named = _shared(wanted, has.document_types) if not every else wanted.document_types
    if named:
        return EarlierGrant(grant, named, picked=False)
    picked = _shared(wanted, asked.document_types) if knows and asked and has.document_ids else ()
    return EarlierGrant(grant, picked, picked=True) if picked else None


def _shared(wanted: Scope, types: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for code in wanted.document_types if code in types)
