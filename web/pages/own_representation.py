"""« Tutelle »: who represents me, named by digits; whom I represent, and into whose papers I go."""

from typing import Any
from uuid import UUID

from fastapi import Response

from auth import sessions
from base.errors import ErrorKind, ServiceError
from vault.representation import (
    entrances,
    representation_ends,
    representation_views,
    representatives,
)
from vault.representation.representation_rules import AT_MOST
from vault.representation.representation_views import RepresentationView
from vault.representation.representatives import LONGEST, living_views
from web.http.dependencies import remember_session
from web.http.path_ids import PathId
from web.http.visitor import visitor_of
from web.pages import cookies
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
MINE = "/me/representative"
_NEW = "/me/representative/new"
_OFFER = "/represented/new"
_CODE = "/represented/code"


@router.get(MINE)
async def list_(page: PersonPageDep) -> Response:
    """Both sides."""
    mine = await representation_views.list_mine(page.services, page.person)
    theirs = await representation_views.list_represented(page.services, page.person)
    full = living_views(mine) >= AT_MOST
    return await page.show("representation/list.html", mine=mine, theirs=theirs, full=full)


@router.get(_NEW)
async def ask_whom(page: PersonPageDep, sent: str = "") -> Response:
    """What each calls the other, and the proof."""
    return await page.show("representation/new.html", **await _new_values(page, sent, {}))


@router.post(_NEW)
async def name(page: PersonPageDep) -> Response:
    """Show digits."""
    form = await page.form()
    typed = {word: form.get(word) for word in ("label", "own_name")}
    try:
        named = await representatives.name(
            page.services, page.person, typed["label"], typed["own_name"], proof_in(page, form)
        )
    except ServiceError as failure:
        sent = form.get("sent")
        values = await _new_values(page, sent, typed)
        at = with_code(_NEW, sent)
        return await page.show_failure(failure, "representation/new.html", at=at, **values)
    return go(f"{MINE}/{named.id}")


@router.get("/me/representative/{representation_id}")
async def see_mine(representation_id: PathId, page: PersonPageDep) -> Response:
    """The digits, or what became of them."""
    found = await _mine(page, representation_id)
    if found is None:
        return go(MINE, done="representation_gone")
    return await page.show("representation/mine.html", found=found)


@router.get("/me/representative/{representation_id}/remove")
async def ask_to_remove(representation_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """The proof alone."""
    found = await _mine(page, representation_id)
    if found is None or found.state == "ended":
        return go(MINE, done="representation_gone")
    proof = await shown_on(page, sent)
    return await page.show("representation/remove.html", found=found, proof=proof)


@router.post("/me/representative/{representation_id}/remove")
async def remove(representation_id: PathId, page: PersonPageDep) -> Response:
    """Be represented by them no more, or not after all."""
    form = await page.form()
    found = await _mine(page, representation_id)
    if found is None:
        return go(MINE, done="representation_gone")
    try:
        proof = proof_in(page, form)
        await representation_ends.end_mine(page.services, page.person, representation_id, proof)
    except ServiceError as failure:
        sent = form.get("sent")
        at = with_code(f"{MINE}/{representation_id}/remove", sent)
        asked = await shown_on(page, sent)
        return await page.show_failure(
            failure, "representation/remove.html", at=at, found=found, proof=asked
        )
    return go(MINE, done="representation_ended")


@router.get(_CODE)
async def ask_code(page: PersonPageDep) -> Response:
    """The field for the digits that the person shows."""
    return await page.show("representation/code.html")


@router.post(_CODE)
async def answer(page: PersonPageDep) -> Response:
    """Type them."""
    form = await page.form()
    try:
        found = await representatives.answer(page.services, page.person, form.get("code")[:32])
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.REFUSED, ErrorKind.TOO_MANY):
            raise
        return await page.show_failure(failure, "representation/code.html")
    return go(_theirs(found.id))


@router.get(_OFFER)
async def ask_offer(page: PersonPageDep, sent: str = "") -> Response:
    """Whom I represent, who has no papers here."""
    return await page.show("representation/offer.html", **await _new_values(page, sent, {}))


@router.post(_OFFER)
async def offer(page: PersonPageDep) -> Response:
    """Show digits for the desk."""
    form = await page.form()
    typed = {"own_name": form.get("own_name")}
    try:
        made = await representatives.offer(
            page.services, page.person, typed["own_name"], proof_in(page, form)
        )
    except ServiceError as failure:
        sent = form.get("sent")
        values = await _new_values(page, sent, typed)
        at = with_code(_OFFER, sent)
        return await page.show_failure(failure, "representation/offer.html", at=at, **values)
    return go(_theirs(made.id))


@router.post("/represented/leave")
async def leave(page: PersonPageDep) -> Response:
    """Back from the papers of somebody else to one's own."""
    await page.form()
    by, settings = page.person.represented_by, page.services.settings
    if by is None:
        return go("/documents")
    own = cookies.read(page.request, settings, "own")
    await sessions.sign_out(page.services, page.person)
    return cookies.put_back_own(go(MINE), settings, own)


@router.get("/represented/{representation_id}")
async def see_theirs(representation_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """What was read of the judgement; digits for the desk; the way in."""
    found = await _represented(page, representation_id)
    if found is None:
        return go(MINE, done="representation_gone")
    proof = await shown_on(page, sent)
    return await page.show("representation/theirs.html", found=found, proof=proof)


@router.post("/represented/{representation_id}/desk")
async def show(representation_id: PathId, page: PersonPageDep) -> Response:
    """Show digits for the desk."""
    form = await page.form()
    try:
        await representatives.show(
            page.services, page.person, representation_id, proof_in(page, form)
        )
    except ServiceError as failure:
        return await _failed(page, representation_id, failure, form.get("sent"))
    return go(_theirs(representation_id))


@router.post("/represented/{representation_id}/enter")
async def enter(representation_id: PathId, page: PersonPageDep) -> Response:
    """Into their papers: this browser is in them until I come back, or for an hour."""
    form = await page.form()
    try:
        opened = await entrances.enter(
            page.services,
            page.person,
            representation_id,
            proof_in(page, form),
            visitor_of(page.request),
        )
    except ServiceError as failure:
        return await _failed(page, representation_id, failure, form.get("sent"))
    remember_session(page.request, opened)
    response = go("/documents")
    cookies.put_own_aside(response, page.services.settings, page.secret, opened.token)
    return response


@router.post("/represented/{representation_id}/end")
async def end(representation_id: PathId, page: PersonPageDep) -> Response:
    """Represent somebody no more."""
    await page.form()
    try:
        await representation_ends.end_for(page.services, page.person, representation_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return go(MINE, done="representation_gone")
    return go(MINE, done="representation_ended")


async def _failed(
    page: PersonPage, representation_id: UUID, failure: ServiceError, sent: str
) -> Response:
    found = await _represented(page, representation_id)
    if found is None:
        return go(MINE, done="representation_gone")
    at, proof = with_code(_theirs(representation_id), sent), await shown_on(page, sent)
    return await page.show_failure(
        failure, "representation/theirs.html", at=at, found=found, proof=proof
    )


async def _mine(page: PersonPage, representation_id: UUID) -> RepresentationView | None:
    return _of(await representation_views.list_mine(page.services, page.person), representation_id)


async def _represented(page: PersonPage, representation_id: UUID) -> RepresentationView | None:
    listed = await representation_views.list_represented(page.services, page.person)
    return _of(listed, representation_id)


def _of(listed: list[RepresentationView], representation_id: UUID) -> RepresentationView | None:
    return next((one for one in listed if one.id == representation_id), None)


def _theirs(representation_id: UUID) -> str:
    return f"/represented/{representation_id}"


async def _new_values(page: PersonPage, sent: str, typed: dict[str, str]) -> dict[str, Any]:
    shown = {word: typed.get(word, "")[: 4 * LONGEST] for word in ("label", "own_name")}
    return {"proof": await shown_on(page, sent), "typed": shown, "longest": LONGEST}
