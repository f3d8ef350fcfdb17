"""What a page's script asks before it sends a form: is the session still open? It then gives the
token that forms of today's session carry: one may have signed in again beside, in another tab."""

from fastapi import Response
from fastapi.responses import JSONResponse

from web.pages import forms
from web.pages.page import Page, PersonPageDep, WorkerPageDep, page_router

router = page_router()


@router.get("/session")
async def check(page: PersonPageDep) -> Response:
    """The person's; a session that is over leads to signing in."""
    return await _check(page)


@router.get("/pro/session")
async def check_of_worker(page: WorkerPageDep) -> Response:
    """The worker's."""
    return await _check(page)


async def _check(page: Page) -> Response:
    token = await forms.token_for(page.services, page.secret)
    answer = {forms.TOKEN: token, "seconds": page.seconds_left, "who": page.who}
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})
