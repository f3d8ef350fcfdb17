"""What went wrong with a form that holds a secret, where no page of its own says it."""

from fastapi import Request, Response

from base.errors import ErrorKind
from vault.services import Services
from web.pages import failure_notes
from web.pages.page import SIGN_IN_PAGES, Area, go, page_router, visitor, with_secret

router = page_router()


@router.get("/failed")
async def see(request: Request) -> Response:
    """Of a person's or a visitor's form."""
    return await _see(request, "person")


@router.get("/pro/failed")
async def see_at_work(request: Request) -> Response:
    """Of a worker's."""
    return await _see(request, "worker")


async def _see(request: Request, area: Area) -> Response:
    """It is said once: loaded again, the page leads to the first one."""
    services: Services = request.app.state.services
    page, back = with_secret(await visitor(request, services), area), SIGN_IN_PAGES[area]
    note = await failure_notes.waiting(request, services, page.secret)
    if note is None:
        return go(back)
    with_forms = note.failures[0].kind is not ErrorKind.UNAVAILABLE
    return await page.show("failure.html", with_forms=with_forms, back=back)
