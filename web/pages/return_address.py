"""Where one goes back to: a page of this site, never another one.

An address is ours when its path is of letters, digits, `-`, `_` and `/`: nothing that a browser
could read as another host (`//`, `/\\`), nothing encoded, nothing with a dot. Its query may hold
words in any script, encoded, such as those of a search; no slash, and nothing that is not seen.
"""

import re
from urllib.parse import quote, unquote

from fastapi import Request, Response
from starlette.datastructures import URL

from base.settings import Settings
from web.pages import cookies

_QUERY = r"\?(?P<query>(?:[A-Za-z0-9=&_.~+-]|%[0-9A-Fa-f]{2})*)"
_ADDRESS = re.compile(rf"/(?:[A-Za-z0-9_-][A-Za-z0-9/_-]*)?(?:{_QUERY})?")
LONGEST = 4000
"""What was chosen so far is part of some addresses."""
UNKNOWN_PAGE = "before"
"""Said for an address by a page that stands at the addresses of others: the browser knows which."""
_LONGEST_KEPT = 300
_MINUTES = 15
_FILES = re.compile(r"/(?:content|preview|thumbnail|pages/[0-9]+)$")
"""What is below a page and is none: one returns to the page."""
_QUESTIONS = ("/session", "/pro/session")
"""Asked by scripts of pages, of which they are none either."""


def own_address(text: str, otherwise: str = "/", longest: int = LONGEST) -> str:
    """The address if it is one of ours, or another."""
    shape = _ADDRESS.fullmatch(text) if len(text) < longest else None
    return text if shape and _is_seen(shape["query"] or "") else otherwise


def _is_seen(query: str) -> bool:
    """Whether all that a query encodes are characters that one sees, and no slashes."""
    try:
        words = unquote(query, errors="strict")
    except UnicodeDecodeError:
        return False
    return words.isprintable() and not {"/", "\\"} & {*words}


def keep(
    request: Request, response: Response, settings: Settings, kind: str, url: URL | None
) -> None:
    """Remember the page that a browser asked for, until its reader has signed in. Not a person's
    where another one left a shared device: « Back » asks for theirs, and whoever enters next would
    be led there.

    `kind`: `person` or `worker`.
    """
    if (
        url is None
        or url.path in _QUESTIONS
        or (kind == "person" and cookies.read(request, settings, "left"))
    ):
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
