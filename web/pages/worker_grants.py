"""One grant that a worker was given: what it opens, what it says without a file; given back."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from base.errors import ServiceError, invalid
from vault.consent import grants
from vault.consent.evidence import Evidence, evidence
from vault.consent.grants import GrantView
from vault.consent.people import known_by_grant
from vault.consent.scopes import MAX_SCOPE_ITEMS
from vault.documents import retrieval
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
        came=came_from(back),
    )


@router.get("/pro/grants/{grant_id}/give-back")
async def ask_return(grant_id: PathId, page: WorkerPageDep) -> Response:
    """The page that asks for confirmation."""
    return await page.show(
        "pro/give_back.html",
        known=await known_by_grant(page.services, page.worker, grant_id),
        grant=await live_grant(page, grant_id),
    )


@router.post("/pro/grants/{grant_id}/give-back")
async def give_back(grant_id: PathId, page: WorkerPageDep) -> Response:
    """End a grant from my side, at once and for good."""
    await page.form()
    await grants.give_back(page.services, page.worker, grant_id)
    return go("/pro/people", done="given_back")


async def live_grant(page: WorkerPage, grant_id: UUID) -> GrantView:
    """A live grant of the list, which is not recorded; any other is looked up, recorded. Raises
    `not_found`."""
    cursor: str | None = None
    while True:
        listed = await grants.list_grants(
            page.services, page.worker, state="live", limit=100, cursor=cursor
        )
        for grant in listed.items:
            if grant.id == grant_id:
                return grant
        if listed.next is None:
            return await grants.see(page.services, page.worker, grant_id)
        cursor = listed.next


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
