"""A worker's own account: how people see them, and where they are signed in."""

from fastapi import Response

from auth import session_list
from web.http.visitor import visitor_of
from web.pages.page import WorkerPageDep, page_router

router = page_router()


@router.get("/pro/account")
async def see(page: WorkerPageDep) -> Response:
    """What people read of me, which my organisation changes."""
    listed = await session_list.list_sessions(page.services, page.worker, visitor_of(page.request))
    phone, _, hours = page.worker.contact.partition(", ")
    return await page.show(
        "pro/account.html",
        worker=page.worker,
        phone=phone,
        hours=hours,
        sessions=len(listed.items),
    )
