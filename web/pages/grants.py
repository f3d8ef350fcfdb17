"""Who may see my papers now, who could before, and how to stop it."""

from fastapi import Response

from vault.consent import grants
from web.http.path_ids import PathId
from web.pages.page import PersonPage, go, page_router

router = page_router()
LIMIT = 50


@router.get("/grants")
async def list_(page: PersonPage, cursor: str | None = None) -> Response:
    """My agreements: those that run first."""
    live = await grants.list_grants(
        page.services, page.person, state="live", limit=LIMIT, cursor=cursor
    )
    ended = await grants.list_grants(page.services, page.person, state="ended", limit=10)
    return await page.show(
        "grants.html", live=live.items, more=live.next, ended=[] if cursor else ended.items
    )


@router.get("/grants/{grant_id}/stop")
async def ask_stop(grant_id: PathId, page: PersonPage) -> Response:
    """Are you sure?"""
    return await page.show(
        "stop.html", grant=await grants.see(page.services, page.person, grant_id)
    )


@router.post("/grants/{grant_id}/stop")
async def stop(grant_id: PathId, page: PersonPage) -> Response:
    """Take the agreement back, at once."""
    await page.form()
    await grants.revoke(page.services, page.person, grant_id)
    return go("/grants", done="stopped")
