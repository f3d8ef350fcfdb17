"""« Personne de confiance »: whom I trust to say at a desk that it is me, and who trusts me."""

from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault.trusted import naming, trusted_ends, trusted_views, vouching
from vault.trusted.naming import LONGEST
from vault.trusted.trusted_rules import AT_MOST
from vault.trusted.trusted_views import TrustedView
from web.http.path_ids import PathId
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
TRUSTED = "/me/trusted"
_NEW = "/me/trusted/new"


@router.get(TRUSTED)
async def list_(page: PersonPageDep) -> Response:
    """Both sides."""
    mine = await trusted_views.list_mine(page.services, page.person)
    for_me = await trusted_views.list_for_me(page.services, page.person)
    full = sum(one.state == "accepted" for one in mine) >= AT_MOST
    return await page.show("trusted/list.html", mine=mine, for_me=for_me, full=full)


@router.get(_NEW)
async def ask_whom(page: PersonPageDep, sent: str = "") -> Response:
    """What each calls the other, and the proof."""
    return await page.show("trusted/new.html", **await _new_values(page, sent, {}))


@router.post(_NEW)
async def name(page: PersonPageDep) -> Response:
    """Show digits."""
    form = await page.form()
    typed = {word: form.get(word) for word in ("label", "own_name")}
    try:
        named = await naming.name(
            page.services, page.person, typed["label"], typed["own_name"], proof_in(page, form)
        )
    except ServiceError as failure:
        sent = form.get("sent")
        values = await _new_values(page, sent, typed)
        return await page.show_failure(
            failure, "trusted/new.html", at=with_code(_NEW, sent), **values
        )
    return go(f"{TRUSTED}/{named.id}")


@router.get("/me/trusted/{naming_id}")
async def see_mine(naming_id: PathId, page: PersonPageDep) -> Response:
    """The digits, or what became of them."""
    found = _of(await trusted_views.list_mine(page.services, page.person), naming_id)
    if found is None:
        return go(TRUSTED, done="trust_gone")
    return await page.show("trusted/mine.html", found=found)


@router.get("/me/trusted/{naming_id}/remove")
async def ask_to_remove(naming_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """The proof alone."""
    found = _of(await trusted_views.list_mine(page.services, page.person), naming_id)
    if found is None or found.state == "ended":
        return go(TRUSTED, done="trust_gone")
    return await page.show("trusted/remove.html", found=found, proof=await shown_on(page, sent))


@router.post("/me/trusted/{naming_id}/remove")
async def remove(naming_id: PathId, page: PersonPageDep) -> Response:
    """Trust them no more, or not after all."""
    form = await page.form()
    found = _of(await trusted_views.list_mine(page.services, page.person), naming_id)
    if found is None:
        return go(TRUSTED, done="trust_gone")
    try:
        proof = proof_in(page, form)
        await trusted_ends.end_mine(page.services, page.person, naming_id, proof)
    except ServiceError as failure:
        sent = form.get("sent")
        at = with_code(f"{TRUSTED}/{naming_id}/remove", sent)
        proof_asked = await shown_on(page, sent)
        return await page.show_failure(
            failure, "trusted/remove.html", at=at, found=found, proof=proof_asked
        )
    return go(TRUSTED, done="trust_ended")


@router.get("/trusted/code")
async def type_code(page: PersonPageDep) -> Response:
    """The field for the digits that the other one shows."""
    return await page.show("trusted/code.html")


@router.post("/trusted/code")
async def answer(page: PersonPageDep) -> Response:
    """Type them: who it is is shown, and a yes is asked."""
    form = await page.form()
    try:
        found = await naming.answer(page.services, page.person, form.get("code")[:32])
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.REFUSED, ErrorKind.TOO_MANY):
            raise
        return await page.show_failure(failure, "trusted/code.html")
    return go(_for_me(found.id))


@router.get("/trusted/{naming_id}")
async def see_for_me(naming_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """Who trusts me, or asks to; the digits for the desk."""
    found = _of(await trusted_views.list_for_me(page.services, page.person), naming_id)
    if found is None:
        return go(TRUSTED, done="trust_gone")
    return await page.show("trusted/for_me.html", found=found, proof=await shown_on(page, sent))


@router.post("/trusted/{naming_id}/accept")
async def accept(naming_id: PathId, page: PersonPageDep) -> Response:
    """Say yes."""
    await page.form()
    try:
        await naming.accept(page.services, page.person, naming_id)
    except ServiceError as failure:
        if failure.kind in (ErrorKind.NOT_FOUND, ErrorKind.CONFLICT):
            return await page.show_failure(failure, "failure.html", back=TRUSTED)
        raise
    return go(_for_me(naming_id), done="trust_accepted")


@router.post("/trusted/{naming_id}/vouch")
async def vouch(naming_id: PathId, page: PersonPageDep) -> Response:
    """Show digits for the desk."""
    form = await page.form()
    try:
        await vouching.vouch(page.services, page.person, naming_id, proof_in(page, form))
    except ServiceError as failure:
        found = _of(await trusted_views.list_for_me(page.services, page.person), naming_id)
        if found is None:
            return go(TRUSTED, done="trust_gone")
        sent = form.get("sent")
        at, proof = with_code(_for_me(naming_id), sent), await shown_on(page, sent)
        return await page.show_failure(
            failure, "trusted/for_me.html", at=at, found=found, proof=proof
        )
    return go(_for_me(naming_id))


@router.post("/trusted/{naming_id}/end")
async def leave(naming_id: PathId, page: PersonPageDep) -> Response:
    """Say no, or be trusted no more."""
    await page.form()
    try:
        await trusted_ends.end_for_me(page.services, page.person, naming_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return go(TRUSTED, done="trust_gone")
    return go(TRUSTED, done="trust_ended")


def _of(listed: list[TrustedView], naming_id: UUID) -> TrustedView | None:
    return next((one for one in listed if one.id == naming_id), None)


def _for_me(naming_id: UUID) -> str:
    return f"/trusted/{naming_id}"


async def _new_values(page: PersonPage, sent: str, typed: dict[str, str]) -> dict[str, Any]:
    shown = {word: typed.get(word, "")[: 4 * LONGEST] for word in ("label", "own_name")}
    return {"proof": await shown_on(page, sent), "typed": shown, "longest": LONGEST}
