"""What a browser asks beside its service worker, and does not read: a download's first request.

Navigation preload is one switch for all pages of the site. The service worker answers a page with
it, and leaves a download to the browser, which then asks again: without this, one opening would be
recorded as two.
"""

import re

from fastapi import Request, Response

DOWNLOADS = r"/content$|\.pdf$|\.json$"
"""Addresses that the service worker leaves to the browser; it reads this pattern too."""
HEADER = "Service-Worker-Navigation-Preload"


def is_unread(request: Request) -> bool:
    """Whether the browser drops the answer, and asks again."""
    return HEADER in request.headers and re.search(DOWNLOADS, request.url.path) is not None


def nothing() -> Response:
    """Opens nothing and tells nothing, so that nothing is to be recorded."""
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
