"""Where a page is, and which page of ours its reader was on before: as the browser says."""

from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from starlette.datastructures import URL


def shown_at(request: Request) -> URL | None:
    """The page that is shown. The answer to a form is shown in the place of the page that sent it:
    the browser says which (`Referrer-Policy`)."""
    return request.url if request.method == "GET" else _sender(request)


def came_from(request: Request) -> str:
    """The page of ours that the browser was on; empty for none."""
    sender = _sender(request)
    return address_of(sender) if sender and sender.path != request.url.path else ""


def _sender(request: Request) -> URL | None:
    try:
        sender = URL(request.headers.get("referer", ""))
        ours = sender.netloc and sender.netloc == request.headers.get("host")
    except ValueError:
        return None
    return sender if ours else None


def address_of(url: URL) -> str:
    """Where the page is, for the way back to it; without what was just done."""
    query = urlencode([pair for pair in parse_qsl(url.query) if pair[0] not in ("done", "of")])
    return f"{url.path}?{query}" if query else url.path
