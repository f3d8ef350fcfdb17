"""What the top bar of every page leads to: the languages, and a name that tells nothing."""

from typing import Annotated

from fastapi import Query, Request, Response

from base.errors import not_found
from web.http.dependencies import ServicesDep
from web.i18n.translations import LANGUAGES
from web.pages import cookies
from web.pages.page import Page, PersonPageDep, VisitorPageDep, go, page_router
from web.pages.page_address import came_from
from web.pages.return_address import UNKNOWN_PAGE, own_address

router = page_router()


@router.get("/language")
async def see_languages(page: VisitorPageDep, back: str = "/") -> Response:
    """Every language alone, then with French under it: each in its own words."""
    back = own_address(came_from(page.request) if back == UNKNOWN_PAGE else back)
    return await page.show("language.html", back=back, here=back)


@router.get("/language/{language}")
async def choose_language(
    language: str,
    request: Request,
    services: ServicesDep,
    back: str = "/",
    second: Annotated[str, Query(alias="with")] = "",
) -> Response:
    """Remember a language, and return to the same page. `second`: one to show under it, or none;
    what was chosen before, unless it says."""
    if language not in LANGUAGES or second not in ("", cookies.NO_SECOND, *LANGUAGES):
        raise not_found()
    response = go(own_address(back))
    cookies.put_choice(request, response, services.settings, "language", language)
    if second:
        cookies.put_choice(request, response, services.settings, "second", second)
    return response


@router.get("/second-language/{language}")
async def choose_second_language(
    language: str, request: Request, services: ServicesDep, back: str = "/"
) -> Response:
    """Remember a language to show under the first, or none; and return to the same page."""
    if language not in (*LANGUAGES, cookies.NO_SECOND):
        raise not_found()
    response = go(own_address(back))
    cookies.put_choice(request, response, services.settings, "second", language)
    return response


@router.post("/discreet")
async def be_discreet(page: VisitorPageDep) -> Response:
    """Show a name and a sign that tell nothing, or ours again, in this browser."""
    return await _be_discreet(page)


@router.post("/me/discreet")
async def be_discreet_from_my_page(page: PersonPageDep) -> Response:
    """The same: a form of a person's own page is bound to their session."""
    return await _be_discreet(page)


async def _be_discreet(page: Page) -> Response:
    form = await page.form()
    response = go(own_address(form.get("back")))
    hidden = "yes" if form.get("discreet") == "yes" else ""
    cookies.put_choice(page.request, response, page.services.settings, "discreet", hidden)
    return response
