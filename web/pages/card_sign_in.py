"""Entering by a card: its code as it is typed, or what its QR holds; then the PIN.

The QR's address leads to the first page with the secret after `#`, which no browser sends. The
page's script takes it out of the history and posts it (`static/script/card.js`); without script the
code is typed. Neither is ever in an address that a server sees.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from fastapi import Depends, Response

from auth import pin_sign_ins
from base.errors import ServiceError
from web.http.path_ids import PathId
from web.http.rate_limit import limit_sign_ins
from web.pages import cookies
from web.pages.page import Page, VisitorPageDep, go, page_router, signed_in
from web.pages.sign_in import beside_worker, open_here, visitor_here

router = page_router()
LONGEST = 320
"""As many characters as the API takes of a card."""


@router.get("/card")
async def ask_card(page: VisitorPageDep) -> Response:
    """The field for a card's code."""
    return await page.show("card/code.html", **await _values(page))


@router.post("/card", dependencies=[Depends(limit_sign_ins)])
async def show_card(page: VisitorPageDep) -> Response:
    """Take what a card shows. The language comes first, once in each browser."""
    form = await page.form()
    if instead := await beside_worker(page):
        return instead
    typed = form.get("card")[:LONGEST]
    try:
        begun = await pin_sign_ins.begin_with_card(page.services, typed, secret=page.secret)
    except ServiceError as failure:
        # What a camera read is not for anybody's eyes; what was typed is compared with the card.
        shown = "" if form.get("scanned") else typed
        return await page.show_failure(failure, "card/code.html", **await _values(page, shown))
    address = _address(begun.id)
    if cookies.read(page.request, page.services.settings, "language") is None:
        return go(f"/language?back={address}")
    return go(address)


@router.get("/card/{step_id}")
async def ask_pin(step_id: PathId, page: VisitorPageDep) -> Response:
    """The field for the PIN, in the browser that showed the card."""
    if not await _is_begun(page, step_id):
        return go("/card", done="card_late")
    return await page.show("card/pin.html", action=_address(step_id), owner="")


@router.post("/card/{step_id}")
async def enter(step_id: PathId, page: VisitorPageDep) -> Response:
    """Exchange the PIN for a session. Whoever does not say whose device it is, is on a shared one:
    nothing stays there."""
    form = await page.form()
    if instead := await beside_worker(page):
        return instead
    device = form.get("device")
    visitor = replace(visitor_here(page), shared=device != "own")
    try:
        opened = await pin_sign_ins.redeem_pin(
            page.services, step_id, secret=page.secret, pin=form.get("code")[:32], visitor=visitor
        )
    except ServiceError as failure:
        if not await _is_begun(page, step_id):
            return go("/card", done="card_late")
        values = {"action": _address(step_id), "owner": device}
        return await page.show_failure(failure, "card/pin.html", **values)
    return await open_here(page, opened)


async def _is_begun(page: Page, step_id: UUID) -> bool:
    return await pin_sign_ins.is_begun(page.services, step_id, page.secret)


async def _values(page: Page, typed: str = "") -> dict[str, Any]:
    """`open_already`: somebody's papers are open in this browser; looking is no use of them."""
    subject, _ = await signed_in(page.request, page.services, "person", used=False)
    return {"typed": typed, "open_already": subject is not None}


def _address(step_id: UUID) -> str:
    return f"/card/{step_id}"
