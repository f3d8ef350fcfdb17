"""A worker's own account: how people see them, and where they are signed in."""

from fastapi import Response

from web.pages.page import WorkerPageDep, page_router

router = page_router()


@router.get("/pro/account")
async def see(page: WorkerPageDep) -> Response:
    """What people read of me, which my organisation changes."""
    phone, _, hours = page.worker.contact.partition(", ")
    return await page.show(
        "pro/account.html",
        worker=page.worker,
        phone=phone,
        hours=hours,
    )
