"""« Comment j’entre »: a person's phone and cards, with their last use; what ends one, or frees it;
the PIN that they share. Each change takes a proof of now (`web/pages/own_proofs.py`), but for a
lost card, which is stopped at once."""

from typing import Any, Literal
from uuid import UUID

from fastapi import Response

from auth import means, pins
from auth.card_means import MAX_CARDS
from auth.means import MeansView
from base.errors import ErrorKind, ServiceError
from vault.maintenance.erasure_requests import keep_vault
from web.http.path_ids import PathId
from web.pages.goodbyes import say_goodbye
from web.pages.own_proofs import MEANS, proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
_ChangeKind = Literal["remove", "free"]


@router.get(MEANS)
async def list_(page: PersonPageDep) -> Response:
    """By what I enter, and when each let me in last."""
    return await page.show("means/list.html", **await _values(page))


@router.get("/me/means/{means_id}/remove")
async def ask_to_remove(means_id: PathId, page: PersonPageDep) -> Response:
    """What ends with it, and the proof."""
    return await _ask(page, means_id, "remove")


@router.get("/me/means/{means_id}/free")
async def ask_to_free(means_id: PathId, page: PersonPageDep) -> Response:
    """The proof alone."""
    return await _ask(page, means_id, "free")


@router.post("/me/means/{means_id}/remove")
async def remove(means_id: PathId, page: PersonPageDep) -> Response:
    """End a means, at once."""
    form = await page.form()
    one = await _one(page, means_id)
    try:
        await means.remove(page.services, page.person, means_id, proof=proof_in(page, form))
    except ServiceError as failure:
        return await _not_done(page, failure, one, "remove")
    return go(MEANS, done="phone_removed" if one and one.kind == "phone" else "card_stopped")


@router.post("/me/means/{means_id}/stop")
async def stop(means_id: PathId, page: PersonPageDep) -> Response:
    """A card is lost: it is stopped in this one gesture, and everything is closed, here too."""
    await page.form()
    try:
        await means.stop(page.services, page.person, means_id, keep_vault)
    except ServiceError as failure:
        if failure.code in ("not_found", "card_is_stopped"):
            return go(MEANS, done="means_gone" if failure.code == "not_found" else failure.code)
        if failure.code != "last_means":
            raise
        return await page.show_failure(failure, "means/list.html", **await _values(page))
    return await say_goodbye(page, "person", "card_lost")


@router.post("/me/means/{means_id}/free")
async def free(means_id: PathId, page: PersonPageDep) -> Response:
    """Free a card that wrong PINs barred."""
    form = await page.form()
    one = await _one(page, means_id)
    try:
        await means.free(page.services, page.person, means_id, proof=proof_in(page, form))
    except ServiceError as failure:
        return await _not_done(page, failure, one, "free")
    return go(MEANS, done="card_freed")


@router.get("/me/pin")
async def ask_pin(page: PersonPageDep, sent: str = "") -> Response:
    """The fields for another PIN."""
    return await page.show("means/pin.html", **await _pin_values(page, sent))


@router.post("/me/pin")
async def choose_pin(page: PersonPageDep) -> Response:
    """Choose the PIN of all my means. A phone of mine asks it too from now on."""
    form = await page.form()
    pin, again = form.get("pin")[:32], form.get("again")[:32]
    try:
        await means.choose_pin(page.services, page.person, pin, again, proof=proof_in(page, form))
    except ServiceError as failure:
        sent = form.get("sent")
        values = await _pin_values(page, sent)
        return await page.show_failure(
            failure, "means/pin.html", at=with_code("/me/pin", sent), **values
        )
    return go(MEANS, done="pin_chosen")


async def _one(page: PersonPage, means_id: UUID) -> MeansView | None:
    found = await means.list_means(page.services, page.person)
    return next((one for one in found if one.id == means_id), None)


async def _ask(page: PersonPage, means_id: UUID, act: _ChangeKind) -> Response:
    one = await _one(page, means_id)
    if one is None or (act == "free" and one.kind != "card"):
        return go(MEANS, done="means_gone")
    return await page.show("means/change.html", **await _change_values(page, one, act))


async def _not_done(
    page: PersonPage, failure: ServiceError, one: MeansView | None, act: _ChangeKind
) -> Response:
    """The page again, and why; or the list. What is no longer there was ended in another tab."""
    if failure.kind is ErrorKind.NOT_FOUND or one is None:
        return go(MEANS, done="means_gone")
    if failure.code == "last_means":
        return await page.show_failure(failure, "means/list.html", at=MEANS, **await _values(page))
    values = await _change_values(page, one, act)
    return await page.show_failure(failure, "means/change.html", **values)


async def _change_values(page: PersonPage, one: MeansView, act: _ChangeKind) -> dict[str, Any]:
    found = await means.list_means(page.services, page.person)
    values = {"one": one, "act": act, "may_remove": means.may_remove(found, one)}
    return {**values, "proof": await shown_on(page)}


async def _values(page: PersonPage) -> dict[str, Any]:
    found = await means.list_means(page.services, page.person)
    cards: list[MeansView] = [one for one in found if one.kind == "card"]
    return {
        "phone": next((one for one in found if one.kind == "phone"), None),
        "cards": cards,
        "removable": {one.id for one in found if means.may_remove(found, one)},
        "has_pin": await pins.has_pin(page.services, page.person),
        "full": len(cards) >= MAX_CARDS,
        "most": MAX_CARDS,
        "proof": await shown_on(page),
    }


async def _pin_values(page: PersonPage, sent: str) -> dict[str, Any]:
    return {
        "proof": await shown_on(page, sent),
        "has_pin": await pins.has_pin(page.services, page.person),
        "found": await means.list_means(page.services, page.person),
    }
