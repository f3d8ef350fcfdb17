"""Into one's own vault on a worker's device, by a yes on one's own phone: the worker's pages that
show the code and wait, the person's page that says what a yes opens, and ends it.

The pages that wait look again by themselves, as those of meetings do.
"""

from typing import Any

from fastapi import Response

from auth import holder_proofs
from base.errors import ErrorKind, ServiceError
from vault.consent import invitations
from vault.consent.invitations import InvitationView
from web.http.path_ids import PathId
from web.http.visitor import visitor_of
from web.pages.assisted_sessions import let_in
from web.pages.meetings import LOOK_AGAIN, draw_address
from web.pages.own_proofs import proof_in
from web.pages.page import (
    PersonPage,
    PersonPageDep,
    WorkerPageDep,
    go,
    page_router,
)
from web.pages.sign_in import beside_worker

router = page_router()


@router.post("/pro/invitations")
async def invite(page: WorkerPageDep) -> Response:
    """Get digits to show to the person."""
    await page.form()
    opened = await invitations.invite(page.services, page.worker)
    return go(f"/pro/invitations/{opened.id}")


@router.get("/pro/invitations/{invitation_id}")
async def wait(invitation_id: PathId, page: WorkerPageDep) -> Response:
    """The digits, the word, then the button by which the person is let in."""
    seen = await invitations.see_invitation(page.services, page.worker, invitation_id)
    return await page.show(
        "invitations/worker.html",
        seen=seen,
        look_again=LOOK_AGAIN if seen.state in ("open", "answered") else 0,
        drawn=draw_address(page, invitations.confirming_path(seen)),
    )


@router.post("/pro/invitations/{invitation_id}")
async def stop(invitation_id: PathId, page: WorkerPageDep) -> Response:
    """Wait no more."""
    await page.form()
    await invitations.end_invitation(page.services, page.worker, invitation_id)
    return go("/pro/beside")


@router.post("/pro/invitations/{invitation_id}/enter")
async def enter(invitation_id: PathId, page: WorkerPageDep) -> Response:
    """Let the person in, who said yes."""
    await page.form()
    visitor = visitor_of(page.request)
    try:
        opened = await invitations.enter(page.services, page.worker, invitation_id, visitor)
    except ServiceError as failure:
        # The page of an invitation that is over, or has no yes, says so.
        if failure.kind is not ErrorKind.CONFLICT:
            raise
        return go(f"/pro/invitations/{invitation_id}")
    return await let_in(page, opened)


@router.get("/invitations/{invitation_id}")
async def see(invitation_id: PathId, page: PersonPageDep) -> Response:
    """Who it is, what a yes opens; then that it is open, and how to end it."""
    return await page.show("invitations/person.html", **await _values(page, invitation_id))


@router.post("/invitations/{invitation_id}")
async def confirm(invitation_id: PathId, page: PersonPageDep) -> Response:
    """Yes, or no. A yes in a browser where a worker is signed in is not on one's own phone."""
    form = await page.form()
    services, person = page.services, page.person
    if form.get("agree") != "yes":
        await invitations.end_invitation(services, person, invitation_id)
        return go(f"/invitations/{invitation_id}")
    if instead := await beside_worker(page):
        return instead
    try:
        await invitations.say_yes(services, person, invitation_id, proof_in(page, form))
    except ServiceError as failure:
        if failure.kind is ErrorKind.CONFLICT:
            return go(f"/invitations/{invitation_id}")
        if failure.kind is ErrorKind.NOT_FOUND:
            raise
        values = await _values(page, invitation_id)
        return await page.show_failure(failure, "invitations/person.html", **values)
    return go(f"/invitations/{invitation_id}")


async def _values(page: PersonPage, invitation_id: PathId) -> dict[str, Any]:
    seen: InvitationView = await invitations.see_invitation(
        page.services, page.person, invitation_id
    )
    asked = await holder_proofs.asked_of(page.services, page.person)
    return {
        "seen": seen,
        "asked": "" if asked.kind == "code" else asked.kind,
        "look_again": LOOK_AGAIN if seen.state == "confirmed" else 0,
    }
