"""The response that carries a page: its headers, and gzip where it tells a stranger nothing."""

from collections.abc import Sequence

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from base.errors import ServiceError
from web.http.content_policy import PAGE_POLICY
from web.http.problems import retry_after
from web.i18n.languages import languages as all_languages
from web.pages.compression import VARY, compress, may_compress

_HEADERS = {
    "Cache-Control": "no-store",
    # Unlike `no-referrer`, it lets browsers say which site a form came from.
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": PAGE_POLICY,
    "Vary": VARY,
}


def page_response(
    request: Request, html: bytes, languages: Sequence[str], status: int, *, private: bool
) -> Response:
    """`languages`: the one or two that it is written in. `private`: it is about somebody."""
    tags = [all_languages()[code].tag for code in languages]
    headers = {**_HEADERS, "Content-Language": ", ".join(dict.fromkeys(tags))}
    if may_compress(request, private=private):
        compressed = compress(html)
        if compressed is not None:
            html, headers["Content-Encoding"] = compressed, "gzip"
    return HTMLResponse(html, status, headers)


def say_when(response: Response, failures: Sequence[ServiceError]) -> None:
    """`Retry-After`, where one of them says when it may be tried again."""
    wait = next((each.retry_after for each in failures if each.retry_after is not None), None)
    if wait is not None:
        response.headers["Retry-After"] = retry_after(wait)
