"""« Arrêter une demande »: the digits of a message stop a recovery, without entering. What is said
is the same whatever the digits are."""

from fastapi import Response

from vault.recovery import stops
from web.pages.page import VisitorPageDep, go, page_router
from web.pages.sign_in import visitor_here

router = page_router()
AT = "/stop-recovery"
_LONGEST = 40


@router.get(AT)
async def ask(page: VisitorPageDep) -> Response:
    """The field for the digits."""
    return await page.show("stop_recovery.html")


@router.post(AT)
async def stop(page: VisitorPageDep) -> Response:
    """It is noted: if there is such a recovery, it is stopped."""
    code = (await page.form()).get("code")[:_LONGEST]
    await stops.stop_by_code(page.services, code, visitor_here(page).network)
    return go(AT, done="recovery_stop_noted")
