"""Somebody asks at a desk to open my papers again: who is with them, stopped in one gesture; or
« c’est moi », with a proof, which opens them at once in the new place."""

from typing import Any
from uuid import UUID

from fastapi import Response

from auth.holder_proofs import NO_PROOF
from base.errors import ErrorKind, ServiceError
from vault.recovery import confirmations, recovery_views, stops
from vault.recovery.recovery_views import RecoveryOnMine
from web.http.path_ids import PathId
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()


@router.get("/recoveries/{recovery_id}")
async def see_asked(recovery_id: PathId, page: PersonPageDep, sent: str = "") -> Response:
    """Somebody asks to open my papers again: who is with them, and what I can do."""
    found = await _on_mine(page, recovery_id)
    if found is None:
        return go("/documents", done="recovery_gone")
    return await page.show("own_recovery/asked.html", **await _asked_values(page, found, sent))


@router.post("/recoveries/{recovery_id}/stop")
async def stop(recovery_id: PathId, page: PersonPageDep) -> Response:
    """It is not me: in one gesture, unless only a proof stops it."""
    form = await page.form()
    proof = proof_in(page, form) if form.has("proof") else NO_PROOF
    try:
        await stops.stop(page.services, page.person, recovery_id, proof)
    except ServiceError as failure:
        return await _asked_again(page, recovery_id, failure, form.get("sent"))
    return go("/documents", done="recovery_stopped")


@router.post("/recoveries/{recovery_id}/confirm")
async def confirm(recovery_id: PathId, page: PersonPageDep) -> Response:
    """It is me: what I had opens now in the new place."""
    form = await page.form()
    try:
        await confirmations.confirm(page.services, page.person, recovery_id, proof_in(page, form))
    except ServiceError as failure:
        return await _asked_again(page, recovery_id, failure, form.get("sent"))
    return go("/documents", done="recovery_confirmed")


@router.post("/trusted/{naming_id}/stop")
async def stop_for_another(naming_id: PathId, page: PersonPageDep) -> Response:
    """It is not the person who trusts me. Nothing tells whether there was something."""
    await page.form()
    try:
        await stops.stop_by_trusted(page.services, page.person, naming_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        return go("/me/trusted", done="trust_gone")
    return go(f"/trusted/{naming_id}", done="recovery_stop_trusted")


async def _asked_again(
    page: PersonPage, recovery_id: UUID, failure: ServiceError, sent: str
) -> Response:
    """The page of one that is asked for, with what went wrong."""
    found = await _on_mine(page, recovery_id)
    if found is None or failure.kind is ErrorKind.NOT_FOUND:
        return go("/documents", done="recovery_gone")
    values, at = await _asked_values(page, found, sent), with_code(_address(recovery_id), sent)
    return await page.show_failure(failure, "own_recovery/asked.html", at=at, **values)


async def _on_mine(page: PersonPage, recovery_id: UUID) -> RecoveryOnMine | None:
    found = await recovery_views.on_my_vault(page.services, page.person)
    return next((one for one in found if one.id == recovery_id), None)


async def _asked_values(page: PersonPage, found: RecoveryOnMine, sent: str) -> dict[str, Any]:
    return {"found": found, "proof": await shown_on(page, sent), "sent": sent}


def _address(recovery_id: UUID) -> str:
    return f"/recoveries/{recovery_id}"
