"""Is the session still open? A page's script asks before it sends a form, and gets the token that
forms of today's session carry: one may have signed in again beside, in another tab. A page that
is shown on a shared device looks whether it was ended elsewhere, and goes to the end of it."""

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from auth.bearer import unauthenticated
from auth.subjects import Person
from web.http.dependencies import ServicesDep
from web.pages import cookies, forms
from web.pages.page import (
    Page,
    PersonPage,
    VisitorPageDep,
    WorkerPageDep,
    page_router,
    signed_in,
    worker_beside,
)

router = page_router()


@router.get("/session")
async def check(request: Request, services: ServicesDep) -> Response:
    """The person's; a session that is over leads to signing in. `?used=no`: asked by a page that
    nobody touched, which is no use of the session and does not put off its end."""
    used = request.query_params.get("used") != "no"
    subject, secret = await signed_in(request, services, "person", used=used)
    if not isinstance(subject, Person):
        raise unauthenticated()
    return await _check(
        PersonPage(
            request=request,
            services=services,
            language=cookies.language_of(request, services.settings),
            area="person",
            secret=secret,
            person=subject,
            ends_at=subject.session_ends_at,
        )
    )


@router.get("/pro/session")
async def check_of_worker(page: WorkerPageDep) -> Response:
    """The worker's."""
    return await _check(page)


@router.get("/session/over")
async def over(page: VisitorPageDep) -> Response:
    """In the place of a page that was left on a shared device. Nobody asked for it: it is no use of
    the session, which may go on in another tab."""
    subject, _ = await signed_in(page.request, page.services, "person", used=False)
    response = await page.show("welcome.html", kind="person", typed="", owner="", done="signed_out")
    if subject is None and cookies.on_shared_device(page.request, page.services.settings):
        beside = await worker_beside(page.request, page.services)
        settings = page.services.settings
        cookies.leave_nothing(page.request, response, settings, beside=beside)
    return response


async def _check(page: Page) -> Response:
    token = await forms.token_for(page.services, page.secret)
    answer = {forms.TOKEN: token, "seconds": page.seconds_left, "who": page.who}
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})
