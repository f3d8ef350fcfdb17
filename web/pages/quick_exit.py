"""« Cacher »: out of here, to a page that tells nothing of this one, at once."""

from html import escape
from urllib.parse import urlsplit

from fastapi import Response
from fastapi.responses import HTMLResponse

from auth import sessions
from base.errors import ServiceError
from base.outages import unavailable
from base.settings import Settings
from storage.row_macs import RowAltered
from vault.decisions import record_altered_row
from web.http.dependencies import ServicesDep
from web.pages import cookies, forms
from web.pages.page import Page, VisitorPageDep, go, page_router, signed_in, worker_beside

router = page_router()
_QUIET = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@router.get("/quick-exit")
async def leave_by_link(services: ServicesDep) -> Response:
    """To the other page. It ends no session: a link changes nothing, or another site's page could
    sign somebody out."""
    response = go(services.settings.quick_exit_url)
    response.headers.update(_QUIET)
    return response


@router.post("/quick-exit")
async def leave(page: VisitorPageDep) -> Response:
    """End the person's session, and lead to the other page, whatever fails."""
    response = _elsewhere(page.services.settings)
    try:
        await _check_ours(page)
        # Whatever fails from here on, nothing of the person stays.
        response = _forgetting(page, beside=False)
        await _end_session(page)
        if await worker_beside(page.request, page.services):
            response = _forgetting(page, beside=True)
    except RowAltered as failure:
        await record_altered_row(page.services, failure)
    except ServiceError:
        pass  # not our form: nobody is signed out
    except Exception as error:
        if unavailable(error) is None:
            raise
    return response


def _forgetting(page: Page, *, beside: bool) -> Response:
    settings = page.services.settings
    response = _elsewhere(settings)
    if cookies.may_be_shared(page.request, settings):
        cookies.leave_nothing(page.request, response, settings, beside=beside)
    else:
        for kind in cookies.OF_PERSON:
            cookies.drop(response, settings, kind)
    return response


async def _check_ours(page: Page) -> None:
    """Raise `form_expired` unless our own page sent the form. The browser says so; an older one
    says the site or the page it came from; else the form has a token of the session, or of the
    visit: a page for visitors has the second one, whoever reads it. Some pages have none."""
    request, settings = page.request, page.services.settings
    forms.check_origin(request, settings)
    site = request.headers.get("sec-fetch-site")
    if site == "same-origin" or (site is None and forms.names_ours(request, settings)):
        return
    token = (await forms.read(request)).get(forms.TOKEN)
    try:
        await forms.check(page.services, page.secret, token)
    except ServiceError:
        secret = cookies.read(request, settings, "person")
        if secret is None:
            raise
        await forms.check(page.services, secret, token)


async def _end_session(page: Page) -> None:
    """A crash after this leaves no session; the browser's cookie opens nothing."""
    subject, _ = await signed_in(page.request, page.services, "person")
    if subject is not None:
        await sessions.sign_out_here(page.services, subject)


def _elsewhere(settings: Settings) -> Response:
    """A page that goes on by itself: a redirection would be refused, as the answer to a form, by
    our own policy (`form-action`). It says nothing of this site."""
    url = settings.quick_exit_url
    link = f'<a rel="noreferrer" href="{escape(url)}">{escape(urlsplit(url).netloc)}</a>'
    html = f'<!doctype html><html lang="fr"><title>{escape(urlsplit(url).netloc)}</title>{link}'
    return HTMLResponse(html, headers={**_QUIET, "Refresh": f"0;url={url}"})
