"""Erasing one's vault: what ends, a code, seven days to change one's mind."""

from typing import Any

from fastapi import Response

from auth.holder_proofs import Proof
from base.errors import ServiceError
from vault.maintenance import erasure_codes, erasure_requests
from web.pages.demonstration import demo_message
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()


@router.get("/erasure")
async def see(page: PersonPageDep) -> Response:
    """What ends, or when it does."""
    return await page.show(
        "erasure.html", **await _values(page, code_sent=page.done == "erasure_code")
    )


@router.post("/erasure/code")
async def send_code(page: PersonPageDep) -> Response:
    """Send a code to the person's phone."""
    await page.form()
    try:
        await erasure_codes.send_code(page.services, page.person)
    except ServiceError as failure:
        values = await _values(page, code_sent=False)
        return await page.show_failure(failure, "erasure.html", **values)
    return go("/erasure", done="erasure_code")


@router.post("/erasure")
async def ask(page: PersonPageDep) -> Response:
    """Have the vault erased in seven days."""
    form = await page.form()
    try:
        proof = Proof(pin=form.get("pin")[:32], card=form.get("card")[:320])
        code = form.get("code")[:32]
        await erasure_requests.ask(page.services, page.person, code, proof=proof)
    except ServiceError as failure:
        again = failure.code == "erasure_code_wrong"
        values = await _values(page, code_sent=again)
        at = "/erasure?done=erasure_code" if again else "/erasure"
        return await page.show_failure(failure, "erasure.html", at=at, **values)
    return go("/erasure", done="erasure_asked")


@router.post("/erasure/cancel")
async def cancel(page: PersonPageDep) -> Response:
    """Keep the vault."""
    await page.form()
    await erasure_requests.cancel(page.services, page.person)
    return go("/documents", done="erasure_cancelled")


async def _values(page: PersonPage, *, code_sent: bool) -> dict[str, Any]:
    return {
        "erases_at": await erasure_requests.erases_at(page.services, page.person),
        "ends": await erasure_requests.what_ends(page.services, page.person),
        "code_sent": code_sent,
        "by_card": await erasure_requests.is_by_card(page.services, page.person),
        "shown": await demo_message(page, "sms") if code_sent else None,
    }
