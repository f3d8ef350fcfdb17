"""One grant that a worker was given: what it opens, what it says without a file; given back."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from base.errors import ServiceError, invalid
from base.ids import parse_id
from vault.consent import grants
from vault.consent.evidence import Evidence, evidence
from vault.consent.grants import GrantView
from vault.consent.people import KnownPerson, known_by_grant
from vault.consent.scopes import MAX_SCOPE_ITEMS, Scope
from vault.documents import retrieval
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.way_back import came_from

router = page_router()
LIMIT = 50


@router.get("/pro/grants")
async def home() -> Response:
    """The page of before, whose place the list of people took."""
    return go("/pro/people")


@router.get("/pro/grants/{grant_id}")
async def see(grant_id: PathId, page: WorkerPageDep, cursor: str | None = None) -> Response:
    """What a grant opens."""
    listed, may_read = await retrieval.list_covered(
        page.services, page.worker, grant_id, cursor=cursor, limit=LIMIT
    )
    return await page.show(
        "pro/grant.html",
        known=await known_by_grant(page.services, page.worker, grant_id),
        grant=await live_grant(page, grant_id),
        documents=listed.items,
        more=listed.next,
        may_read=may_read,
    )


@router.get("/pro/grants/{grant_id}/evidence")
async def attest(
    grant_id: PathId,
    page: WorkerPageDep,
    type: Annotated[tuple[str, ...], Query()] = (),  # noqa: A002  (the contract's word)
    back: str = "",
) -> Response:
    """Whether papers are held, and their dates; no file. Each one that is asked for is recorded."""
    wanted = [code[:64] for code in dict.fromkeys(type)][:MAX_SCOPE_ITEMS]
    if not wanted:
        raise invalid("type_missing")
    answers = [await _answer(page, grant_id, code, alone=len(wanted) == 1) for code in wanted]
    return await page.show(
        "pro/evidence.html",
        known=await known_by_grant(page.services, page.worker, grant_id),
        answers=answers,
        grant_id=grant_id,
        grant=await listed_grant(page, grant_id),
        came=came_from(back),
    )


@router.get("/pro/grants/{grant_id}/give-back")
async def ask_return(grant_id: PathId, page: WorkerPageDep) -> Response:
    """The page that asks for confirmation."""
    grant = await live_grant(page, grant_id)
    known = await known_by_grant(page.services, page.worker, grant_id)
    goes_on = await _goes_on(page, known, grant)
    return await page.show("pro/give_back.html", known=known, grant=grant, goes_on=goes_on)


@router.post("/pro/grants/{grant_id}/give-back")
async def give_back(grant_id: PathId, page: WorkerPageDep) -> Response:
    """End a grant from my side, at once and for good."""
    await page.form()
    await grants.give_back(page.services, page.worker, grant_id)
    return go("/pro/people", done="given_back", of=grant_id)


async def just_given_back(page: WorkerPage) -> dict[str, Any]:
    """The grant that was just given back, and what goes on; of what is not so, nothing is said,
    whatever the address says."""
    id_ = parse_id(page.request.query_params.get("of", ""))
    grant = await listed_grant(page, id_) if id_ and page.done == "given_back" else None
    if grant is None or grant.ended_by != "recipient":
        return {"given_back": None} | ({"done": ""} if page.done == "given_back" else {})
    known = await known_by_grant(page.services, page.worker, grant.id)
    return {"given_back": grant, "goes_on": await _goes_on(page, known, grant)}


async def live_grant(page: WorkerPage, grant_id: UUID) -> GrantView:
    """A live grant of the list, which is not recorded; any other is looked up, recorded. Raises
    `not_found`."""
    listed = await listed_grant(page, grant_id)
    if listed is not None and listed.state == "live":
        return listed
    return await grants.see(page.services, page.worker, grant_id)


async def listed_grant(page: WorkerPage, grant_id: UUID) -> GrantView | None:
    """A grant of the list, live or ended, which is not recorded."""
    return await grants.find(page.services, page.worker, grant_id)


async def _goes_on(
    page: WorkerPage, known: KnownPerson | None, grant: GrantView
) -> dict[str, list[GrantView]]:
    """By each action of a grant, the same person's other live grants that may allow the same. By
    their terms alone: whether a paper is there is said, and recorded, elsewhere."""
    if known is None:
        return {action.value: [] for action in grant.terms.scope.actions}
    live = await grants.live_from(page.services, page.worker, known.person_id)
    others = [(one, one.terms.scope) for one in live if one.id != grant.id]
    return {
        action.value: [one for one, scope in others if _may_also(action, scope, grant.terms.scope)]
        for action in grant.terms.scope.actions
    }


def _may_also(action: GrantAction, other: Scope, scope: Scope) -> bool:
    """Whether one scope may allow what another does: it may cover one of its papers."""
    allowed = {action, GrantAction.READ} if action is GrantAction.ATTEST else {action}
    if not allowed & set(other.actions):
        return False
    if _share(other.document_types, scope.document_types):
        return True
    if action is GrantAction.DEPOSIT:
        return not (other.document_types and scope.document_types)  # without any: all of them
    # A paper that was picked may be of a type that the other names.
    mixed = (other.document_types and scope.document_ids) or (
        other.document_ids and scope.document_types
    )
    return bool(mixed) or _share(other.document_ids, scope.document_ids)


def _share(some: Sequence[Any], others: Sequence[Any]) -> bool:
    return not set(some).isdisjoint(others)


async def _answer(
    page: WorkerPage, grant_id: UUID, code: str, *, alone: bool
) -> tuple[str, Evidence | None]:
    """The answer about one type; None where the grant does not cover it, when others do."""
    try:
        return code, await evidence(page.services, page.worker, grant_id, code)
    except ServiceError as failure:
        if alone or failure.code != "outside_scope":
            raise
        return code, None
