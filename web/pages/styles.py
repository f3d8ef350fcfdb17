"""Every component in every state, on one page: in the demonstration only."""

from fastapi import Response

from base.errors import ErrorKind, ServiceError, not_found
from web.pages.assets import drawings
from web.pages.page import VisitorPageDep, page_router

router = page_router()
_FAILURES = tuple(
    ServiceError(ErrorKind.INVALID, code)
    for code in ("phone_invalid", "type_missing", "purpose_missing", "date_unreadable")
)
"""One for each kind of field that the page shows as wrong."""


@router.get("/styles")
async def show_styles(page: VisitorPageDep) -> Response:
    """The living page of the components."""
    if page.services.settings.mode != "demo":
        raise not_found()
    return await page.show("styles.html", failures=_FAILURES, drawings=drawings())
