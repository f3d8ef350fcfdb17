"""What a device keeps of this site: the service worker, the page for no network, the manifest.

All of it is the same for everybody, except the page for no network: in the language of who asks for
it, under the name that they see.
"""

import json
from functools import cache

from fastapi import Request, Response

from web.http.public_resources import TEN_MINUTES, public_answer
from web.i18n.languages import SOURCE, languages
from web.i18n.translations import LANGUAGES, translations
from web.pages.assets import address, assets
from web.pages.labels import DISCREET_NAME
from web.pages.page import VisitorPageDep, page_router
from web.pages.preloads import DOWNLOADS
from web.pages.return_address import UNKNOWN_PAGE

router = page_router()
_OF_OFFLINE = ("style.css", "script/page.js", "icon.svg", "icon-discreet.svg")
NAME = "Unefois"


@router.get("/service-worker.js")
async def service_worker(request: Request) -> Response:
    """The service worker. Below no folder: it is for every page."""
    return public_answer(request, _worker(), "text/javascript; charset=utf-8", cache=TEN_MINUTES)


@router.get("/offline")
async def no_network(page: VisitorPageDep) -> Response:
    """What is shown when there is no network: kept by the service worker, asked for by it alone.

    It stands at the address of the page that could not be opened, and its button asks for that
    address again. Whoever comes here by this address has a network: the button leads home.
    """
    page.new_visit = False  # asked beside a page: its forms keep their secret
    opened = page.request.headers.get("sec-fetch-mode") == "navigate"
    return await page.show(
        "offline.html", with_forms=False, here=UNKNOWN_PAGE, again="/" if opened else ""
    )


@router.get("/manifest.webmanifest")
async def manifest(request: Request, language: str = SOURCE, discreet: str = "") -> Response:
    """What the site is called once it is installed, and its sign."""
    content = _manifest(language if language in LANGUAGES else SOURCE, discreet == "yes")
    return public_answer(request, content, "application/manifest+json", cache=TEN_MINUTES)


@cache
def _worker() -> bytes:
    files = [address(name) for name in _OF_OFFLINE]
    version = assets()["script/worker.js"].fingerprint
    told = {"FILES": files, "VERSION": version, "DOWNLOADS": DOWNLOADS}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in told.items()]
    return "".join(lines).encode() + assets()["script/worker.js"].content


@cache
def _manifest(language: str, discreet: bool) -> bytes:
    name = translations(language).gettext(DISCREET_NAME) if discreet else NAME
    icon = address("icon-discreet.svg" if discreet else "icon.svg")
    values = {
        "id": "/",
        "name": name,
        "short_name": name,
        "lang": languages()[language].tag,
        "dir": languages()[language].direction,
        "start_url": "/documents",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f7f5f0",
        "theme_color": "#f7f5f0",
        "icons": [{"src": icon, "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    return json.dumps(values, ensure_ascii=False).encode()
