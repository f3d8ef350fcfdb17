"""The cookies of the pages: who is signed in, a visitor's own secret, the browser's, the languages,
the page to go on to, whether the name is shown, what the next page says, a visit at the desk, a
card to print; what a worker chose before somebody entered beside them; that somebody left here;
the own session of somebody who is in the papers of whom they represent.

A person and the worker beside them may share one browser, so each has a cookie of their own.
"""

import re
import secrets
from typing import Literal

from fastapi import Request, Response

from auth.browsers import BROWSER_LIFE
from auth.shared_devices import is_shared
from base.settings import Settings
from web.i18n.languages import SOURCE, languages
from web.i18n.translations import LANGUAGES, preferred

CookieKind = Literal[
    "person",
    "worker",
    "visit",
    "browser",
    "language",
    "second",
    "next",
    "discreet",
    "told",
    "desk",
    "card",
    "aside",
    "left",
    "own",
]
Choice = Literal["language", "second", "discreet"]
NO_SECOND = "none"
SPOKEN = "language"
"""The name of the language in the address of a goodbye."""
OF_PERSON: tuple[CookieKind, ...] = ("person", "visit", "next", "told", "card", "own")
"""What is of whoever is inside, or on the way in: their session, the secret that the steps of a
sign-in are bound to, where they go on to, what the next page says, a card to print, their own
session while they are in the papers of whom they represent."""
_CHOICES: tuple[Choice, ...] = ("language", "second", "discreet")
_TO_APPROVE = ("/requests/", "/grants/new")
_YEAR = 365 * 24 * 3600
_ASIDE = re.compile(r"([a-z-]{0,12})\.([a-z-]{0,12})\.([a-z-]{0,12})")
_VISIT = re.compile(r"[A-Za-z0-9_-]{32}")


def name_of(settings: Settings, kind: CookieKind) -> str:
    """Over https the name itself keeps other hosts from setting it (RFC 6265bis, `__Host-`)."""
    return f"{'__Host-' if _secure(settings) else ''}unefois-{kind}"


def read(request: Request, settings: Settings, kind: CookieKind) -> str | None:
    """What the browser sent back."""
    return request.cookies.get(name_of(settings, kind))


def put(
    response: Response,
    settings: Settings,
    kind: CookieKind,
    value: str,
    *,
    seconds: int | None = None,
) -> None:
    """Set one; it ends with the browser's session when `seconds` is None."""
    response.set_cookie(
        name_of(settings, kind),
        value,
        max_age=seconds,
        path="/",
        secure=_secure(settings),
        httponly=True,
        samesite="lax",
    )


def drop(response: Response, settings: Settings, kind: CookieKind) -> None:
    """Make the browser delete one."""
    put(response, settings, kind, "", seconds=0)


def put_session(response: Response, settings: Settings, kind: CookieKind, token: str) -> None:
    """Keep a session's token. A person's is kept on their own device; a worker's, and any on a
    device that others use, ends with the browser's session."""
    kept = kind == "person" and not is_shared(token)
    put(
        response,
        settings,
        kind,
        token,
        seconds=settings.person_session_hours * 3600 if kept else None,
    )


def put_own_aside(response: Response, settings: Settings, own: str, token: str) -> None:
    """Keep one's own session, while another one is open here: the papers of whom one represents. No
    page of before is left for « Back »."""
    seconds = None if is_shared(own) else settings.person_session_hours * 3600
    put(response, settings, "own", own, seconds=seconds)
    put_session(response, settings, "person", token)
    response.headers["Clear-Site-Data"] = '"cache"'


def put_back_own(response: Response, settings: Settings, own: str | None) -> Response:
    """One's own session again, if it is kept; who lost it enters again."""
    if own:
        put_session(response, settings, "person", own)
    else:
        drop(response, settings, "person")
    drop(response, settings, "own")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def put_browser(response: Response, settings: Settings, secret: str) -> None:
    """Keep the secret by which a browser that signed in is known again; it opens nothing."""
    put(response, settings, "browser", secret, seconds=int(BROWSER_LIFE.total_seconds()))


def on_shared_device(request: Request, settings: Settings) -> bool:
    """Whether a person entered here and said that others use this device."""
    return is_shared(read(request, settings, "person"))


def may_be_shared(request: Request, settings: Settings) -> bool:
    """Whether others use this device, or nobody said yet whose it is."""
    known = any(read(request, settings, kind) for kind in ("person", "browser"))
    return not known or on_shared_device(request, settings)


def end_with_window(request: Request, response: Response, settings: Settings) -> None:
    """What was chosen before entering on a shared device ends with the browser's session, too."""
    for kind in _CHOICES:
        value = read(request, settings, kind)
        if value:
            put(response, settings, kind, value)


def set_choices_aside(request: Request, response: Response, settings: Settings) -> None:
    """Keep what a worker chose, before somebody enters beside them; what was not put back yet
    stays."""
    if read(request, settings, "aside") is None:
        chosen = [read(request, settings, kind) or "" for kind in _CHOICES]
        put(response, settings, "aside", ".".join(chosen))


def put_choices_back(request: Request, response: Response, settings: Settings) -> None:
    """What the worker chose, in the place of what was chosen by whoever was beside them."""
    kept = _ASIDE.fullmatch(read(request, settings, "aside") or "")
    if kept is None:
        return
    for kind, value in zip(_CHOICES, kept.groups(), strict=True):
        put(response, settings, kind, value, seconds=_YEAR if value else 0)
    drop(response, settings, "aside")


def leave_nothing(
    request: Request, response: Response, settings: Settings, *, beside: bool
) -> None:
    """Make the browser forget a person who entered on a shared device: their cookies, what was
    chosen, the pages and files that it keeps of this site. Until its window closes it knows that
    somebody left: a page of theirs that « Back » asks for is not kept (`return_address.keep`).

    `beside`: a worker is signed in there too: what they had chosen, and what the browser stores,
    stays. A cookie alone does not say so: its session may be over.
    """
    put(response, settings, "left", "yes")
    if beside:
        put_choices_back(request, response, settings)
    for kind in OF_PERSON if beside else (*OF_PERSON, *_CHOICES, "aside"):
        drop(response, settings, kind)
    response.headers["Clear-Site-Data"] = '"cache"' if beside else '"cache", "storage"'


def leaving(request: Request, settings: Settings, response: Response, *, beside: bool) -> Response:
    """A redirect to the page that says goodbye, and nothing is left. The page speaks the language
    that was chosen, which its address says instead of a cookie."""
    language = chosen_language(request, settings)
    if language and language != preferred(request.headers.get("accept-language")):
        address = response.headers["location"]
        response.headers["location"] = f"{address}&{SPOKEN}={language}"
    leave_nothing(request, response, settings, beside=beside)
    return response


def visit_of(request: Request, settings: Settings) -> tuple[str, bool]:
    """A visitor's secret, which their forms are bound to, and whether it is new."""
    known = read(request, settings, "visit")
    if known is not None and _VISIT.fullmatch(known):
        return known, False
    return secrets.token_urlsafe(24), True


def put_choice(
    request: Request, response: Response, settings: Settings, kind: Choice, value: str
) -> None:
    """Remember what was chosen for this browser: for a year, or until its window closes where
    others use the device. An empty value is forgotten."""
    seconds = None if on_shared_device(request, settings) else _YEAR
    put(response, settings, kind, value, seconds=seconds if value else 0)


def is_discreet(request: Request, settings: Settings) -> bool:
    """Whether the name of this site is not shown in this browser."""
    return read(request, settings, "discreet") == "yes"


def chosen_language(request: Request, settings: Settings) -> str:
    """The language that was chosen in this browser; nothing where none was."""
    chosen = read(request, settings, "language")
    return chosen if chosen in LANGUAGES else ""


def language_of(request: Request, settings: Settings) -> str:
    """The language chosen, or that of a goodbye, or the one that the browser prefers."""
    if chosen := chosen_language(request, settings):
        return chosen
    said = request.query_params.get(SPOKEN, "") if request.url.path == "/" else ""
    return said if said in LANGUAGES else preferred(request.headers.get("accept-language"))


def second_language_of(request: Request, settings: Settings, language: str) -> str:
    """The language under the first, or nothing. Unless it was chosen: French, under a translation
    that nobody whose language it is has read. What a person says yes to has French in any case."""
    spoken, chosen = languages()[language], read(request, settings, "second")
    french = spoken.tag == SOURCE
    if not french and request.url.path.startswith(_TO_APPROVE):
        return SOURCE
    if chosen in LANGUAGES:
        return "" if chosen == language else chosen
    return SOURCE if spoken.unread and not french and chosen != NO_SECOND else ""


def _secure(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")
