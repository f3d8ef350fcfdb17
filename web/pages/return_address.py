"""Where one goes back to: a page of this site, never another one.

An address is ours when it is a plain path and query of letters, digits, `-`, `_` and `/`: nothing
that a browser could read as another host (`//`, `/\\`), nothing encoded, nothing with a dot.
"""

import re
from urllib.parse import quote, unquote

from fastapi import Request, Response
from starlette.datastructures import URL

from base.settings import Settings
from web.pages import cookies

_ADDRESS = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9/_-]*)?(?:\?[A-Za-z0-9=&_-]*)?")
LONGEST = 4000
"""What was chosen so far is part of some addresses."""
UNKNOWN_PAGE = "before"
"""Said for an address by a page that stands at the addresses of others: the browser knows which."""
_LONGEST_KEPT = 300
_MINUTES = 15
_FILES = re.compile(r"/(?:content|preview|thumbnail|pages/[0-9]+)$")
"""What is below a page and is none: one returns to the page."""


def own_address(text: str, otherwise: str = "/", longest: int = LONGEST) -> str:
    """The address if it is one of ours, or another."""
    return text if len(text) < longest and _ADDRESS.fullmatch(text) else otherwise


def keep(response: Response, settings: Settings, kind: str, url: URL | None) -> None:
    """Remember the page that a browser asked for, until its reader has signed in.

    `kind`: `person` or `worker`.
    """
    if url is None:
        return
    path = _FILES.sub("", url.path)
    address = _of_kind(kind, f"{path}?{url.query}" if url.query else path)
    if address:
        seconds = _MINUTES * 60
        cookies.put(response, settings, "next", quote(address, safe=""), seconds=seconds)


def kept(request: Request, settings: Settings, kind: str) -> str:
    """The page that was asked for before signing in; empty without one."""
    return _of_kind(kind, unquote(cookies.read(request, settings, "next") or ""))


def _of_kind(kind: str, text: str) -> str:
    """Whose page an address is: a worker's are below `/pro`."""
    address = own_address(text, "", _LONGEST_KEPT)
    workers = re.split(r"[?/]", address)[1:2] == ["pro"]
    return address if workers == (kind == "worker") and address != "/" else ""
