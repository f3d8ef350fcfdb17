"""What the top bar of every page leads to: the languages, and out of here quickly."""

import re

from fastapi import Response

from base.errors import not_found
from web.http.dependencies import ServicesDep
from web.i18n.translations import LANGUAGES
from web.pages import cookies
from web.pages.page import VisitorPageDep, go, page_router

router = page_router()
_ADDRESS = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9/_-]*)?(?:\?[A-Za-z0-9=&_-]*)?")


@router.get("/language")
async def see_languages(page: VisitorPageDep, back: str = "/") -> Response:
    """Every language, each in its own script."""
    back = _own_address(back)
    return await page.show("language.html", with_forms=False, back=back, here=back)


@router.get("/language/{language}")
async def choose_language(language: str, services: ServicesDep, back: str = "/") -> Response:
    """Remember a language, and return to the same page."""
    if language not in LANGUAGES:
        raise not_found()
    response = go(_own_address(back))
    cookies.put_language(response, services.settings, language)
    return response


@router.get("/second-language/{language}")
async def choose_second_language(language: str, services: ServicesDep, back: str = "/") -> Response:
    """Remember a language to show under the first, or none; and return to the same page."""
    if language not in (*LANGUAGES, cookies.NO_SECOND):
        raise not_found()
    response = go(_own_address(back))
    cookies.put_second_language(response, services.settings, language)
    return response


@router.get("/quick-exit")
async def leave_quickly(services: ServicesDep) -> Response:
    """To a page that tells nothing of this one. It ends no session: a link changes nothing, or
    another site's page could sign somebody out."""
    response = go(services.settings.quick_exit_url)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _own_address(back: str) -> str:
    return back if len(back) < 300 and _ADDRESS.fullmatch(back) else "/"
