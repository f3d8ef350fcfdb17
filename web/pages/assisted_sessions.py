"""« Entrer avec la personne »: into their own vault, on the worker's device, by their card; or by a
yes on their own phone (`invitations`)."""

from fastapi import Response

from auth import assisted_sessions, pin_sign_ins, sessions
from auth.bearer import unauthenticated
from auth.session_start import NewSession
from auth.subjects import Worker
from base.errors import ServiceError, about
from web.http.dependencies import remember_session
from web.http.visitor import visitor_of
from web.pages import cookies
from web.pages.page import Page, VisitorPageDep, WorkerPageDep, go, page_router, signed_in

router = page_router()
_LONGEST = 320


@router.get("/pro/beside")
async def ask(page: WorkerPageDep) -> Response:
    """What happens, the card's code, the PIN that its person types."""
    return await page.show("pro/beside.html", typed="")


@router.post("/pro/beside")
async def enter(page: WorkerPageDep) -> Response:
    """Let the person in. Whoever was in their vault in this browser before is so no more, and no
    page of the worker's is left for « Back ». The worker's own account is what is counted: nobody
    behind the same address keeps them from it."""
    form = await page.form()
    typed = form.get("card")[:_LONGEST]
    try:
        with about("card"):
            begun = await pin_sign_ins.begin_with_card(page.services, typed)
        opened = await assisted_sessions.enter(
            page.services,
            page.worker,
            begun.id,
            secret=begun.secret,
            pin=form.get("code")[:32],
            visitor=visitor_of(page.request),
        )
    except ServiceError as failure:
        return await page.show_failure(failure, "pro/beside.html", typed=typed)
    return await let_in(page, opened)


async def let_in(page: Page, opened: NewSession) -> Response:
    """The worker's browser becomes the person's, for as long as it is assisted."""
    before, _ = await signed_in(page.request, page.services, "person", used=False)
    if before is not None:
        await sessions.sign_out(page.services, before)
    remember_session(page.request, opened)
    response = go("/documents")
    cookies.put_session(response, page.services.settings, "person", opened.token)
    cookies.drop(response, page.services.settings, "next")
    cookies.set_choices_aside(page.request, response, page.services.settings)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@router.post("/pro/beside/end")
async def end(page: VisitorPageDep) -> Response:
    """End it, for the worker whose own pages are locked by it."""
    services = page.services
    worker, secret = await signed_in(page.request, services, "worker", used=False, locked_too=True)
    if not isinstance(worker, Worker):
        raise unauthenticated()
    page.secret = secret
    await page.form()
    await assisted_sessions.end(services, worker)
    response = go("/pro/people", done="beside_ended")
    cookies.leave_nothing(page.request, response, services.settings, beside=True)
    return response
