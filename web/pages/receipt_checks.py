"""What the code of a printed receipt tells whoever scans it, who holds the paper: for a clerk.

It says what `GET /v1/verify/{code}` says, and nothing else: no name, no date of the grant.
"""

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.consent import receipt_codes
from web.pages.page import VisitorPageDep, page_router

router = page_router()


@router.get("/verify/{code}")
async def check(code: str, page: VisitorPageDep) -> Response:
    """Whether the receipt is one of ours, and whether its grant is live now."""
    try:
        found = await receipt_codes.state_behind(page.services, code)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return await page.show("receipt_check.html", status=404, found=None)
    return await page.show("receipt_check.html", found=found)
