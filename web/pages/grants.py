"""The person's grants: live ones, ended ones, and how to revoke one."""

from fastapi import Response

from vault.consent import grants
from vault.consent.grants import GrantView
from web.http.path_ids import PathId
from web.pages.documents import documents_by_id
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
LIMIT = 50


@router.get("/grants")
async def list_(page: PersonPageDep, cursor: str | None = None) -> Response:
    """My grants, the live ones first."""
    live = await grants.list_grants(
        page.services, page.person, state="live", limit=LIMIT, cursor=cursor
    )
    ended = await grants.list_grants(page.services, page.person, state="ended", limit=10)
    ids = {id_ for grant in live.items for id_ in grant.terms.scope.document_ids}
    return await page.show(
        "grants.html",
        live=live.items,
        more=live.next,
        ended=[] if cursor else ended.items,
        chosen=await documents_by_id(page, ids) if ids else {},
    )


@router.get("/grants/{grant_id}/stop")
async def ask_stop(grant_id: PathId, page: PersonPageDep) -> Response:
    """The page that asks for confirmation: what stops, and what goes on."""
    grant = await grants.see(page.services, page.person, grant_id)
    others = await _others(page, grant)
    ids = {id_ for one in (grant, *others) for id_ in one.terms.scope.document_ids}
    chosen = await documents_by_id(page, ids) if ids else {}
    return await page.show("stop.html", grant=grant, others=others, chosen=chosen)


@router.post("/grants/{grant_id}/stop")
async def stop(grant_id: PathId, page: PersonPageDep) -> Response:
    """Revoke the grant, at once."""
    await page.form()
    grant = await grants.revoke(page.services, page.person, grant_id)
    others = await _others(page, grant)
    return go("/grants", done="stopped_one" if others else "stopped")


async def _others(page: PersonPage, grant: GrantView) -> list[GrantView]:
    """What the same recipient may still do by other grants."""
    found: list[GrantView] = []
    cursor: str | None = None
    while True:
        listed = await grants.list_grants(
            page.services, page.person, state="live", limit=100, cursor=cursor
        )
        found += [
            one
            for one in listed.items
            if one.recipient_id == grant.recipient_id and one.id != grant.id
        ]
        cursor = listed.next
        if cursor is None:
            return found
