"""At the desk: a card that wrong PINs barred, or that was lost. What is said is the same whatever
the card is: only its person may know."""

from collections.abc import Awaitable, Callable

from fastapi import Response

from auth import desk_cards
from auth.services import CoreServices
from auth.subjects import Worker
from base.errors import ErrorKind, ServiceError
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router

router = page_router()
_LONGEST = 400


@router.get("/pro/desk/free")
async def ask_barred(page: WorkerPageDep) -> Response:
    """The code of a card that wrong PINs barred."""
    return await page.show("desk/free.html", typed="")


@router.get("/pro/desk/stop")
async def ask_lost(page: WorkerPageDep) -> Response:
    """What its person has left, and what helps then; once a card was stopped, what is left."""
    return await page.show("desk/stop.html")


@router.get("/pro/desk/stop/sure")
async def confirm_stop(page: WorkerPageDep) -> Response:
    """What a stopped card means for whoever has no other way in, and the other way."""
    return await page.show("desk/stop_sure.html")


@router.get("/pro/desk/stop/code")
async def ask_code(page: WorkerPageDep) -> Response:
    """The code of the lost card, from its spare."""
    return await page.show("desk/stop_code.html", typed="")


@router.post("/pro/desk/free")
async def free(page: WorkerPageDep) -> Response:
    """Give a card's tries back."""
    return await _do(page, desk_cards.free, "free", "desk_freed")


@router.post("/pro/desk/stop")
async def stop(page: WorkerPageDep) -> Response:
    """Stop a lost card."""
    return await _do(page, desk_cards.stop, "stop", "desk_stopped")


async def _do(
    page: WorkerPage,
    act: Callable[[CoreServices, Worker, str], Awaitable[None]],
    name: str,
    done: str,
) -> Response:
    typed = (await page.form()).get("card")[:_LONGEST]
    try:
        await act(page.services, page.worker, typed)
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.INVALID, ErrorKind.TOO_MANY):
            raise
        asked, at = ("stop_code", "/stop/code") if name == "stop" else (name, f"/{name}")
        at = f"/pro/desk{at}"
        return await page.show_failure(failure, f"desk/{asked}.html", at=at, typed=typed)
    return go(f"/pro/desk/{name}", done=done)
