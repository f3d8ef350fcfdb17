"""Somebody enters their own vault on a worker's device by a yes on their own phone: the worker
shows six digits, the person types them, reads who it is, and says yes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from auth.bearer import wrong_caller
from auth.subjects import Client, Person, Worker
from vault.consent import invitations
from vault.consent.invitation_rules import InvitationState
from vault.consent.invitations import InvitationView
from vault.services import Services
from web.api.assisted_sessions import AssistedSession
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import (
    CallerDep,
    PersonDep,
    ServicesDep,
    WorkerDep,
    remember_session,
)
from web.http.path_ids import PathId
from web.http.visitor import visitor_of

router = APIRouter(prefix="/v1/assisted-sessions/invitations", tags=["desk"])


async def side(subject: CallerDep) -> Person | Worker:
    """The person, or the worker beside them."""
    if isinstance(subject, Client):
        raise wrong_caller()
    return subject


SideDep = Annotated[Person | Worker, Depends(side)]


class InvitationCodeIn(Strict):
    """The six digits that the worker shows."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class YesIn(ProvedIn):
    """Yes: this is the worker beside me, both read the same word, and my vault opens on their
    screen. With the `proof` that `GET /v1/me/means` asks for, where that is a PIN. No ends it."""

    agree: StrictBool


class WorkerBesideOut(BaseModel):
    """Who the worker is, on whose screen it opens."""

    name: str
    job: str
    organisation: str


class InvitationOut(BaseModel):
    """An invitation as its two sides see it. `open`: the code waits to be typed; `answered`: the
    person reads who the worker is; `confirmed`: they said yes; `inside`: they are in their vault on
    the worker's device; `over`: ended, used, or too late."""

    id: UUID
    state: InvitationState
    ends_at: datetime = Field(
        description="Until when what comes next may be done; of who is inside, the latest end."
    )
    worker: WorkerBesideOut | None = Field(description="For the person, until it is over.")
    word: str | None = Field(
        description="The same for both: who reads another word is not beside whom they think."
    )
    code: str | None = Field(description="For the worker, while it is open: six digits.")
    address: str | None = Field(
        description="To be drawn as a QR code: the page that takes the code, which stands in the"
        " fragment, where no server reads it."
    )


@router.post("", operation_id="inviteToEnter", status_code=201)
async def invite(services: ServicesDep, worker: WorkerDep) -> InvitationOut:
    """Get six digits to show to whom you sit beside, who enters their own vault on this device by a
    yes on their phone. The code of before serves no more."""
    return _out(services, await invitations.invite(services, worker))


@router.post("/answer", operation_id="answerInvitation")
async def answer(body: InvitationCodeIn, services: ServicesDep, person: PersonDep) -> InvitationOut:
    """Type the code that a worker shows, to see who they are: nothing opens yet. A code that does
    not exist, that was typed, that is over or of a meeting is refused alike, and counted with those
    of meetings: five wrong ones in an hour, and then one every twelve minutes."""
    return _out(services, await invitations.answer_invitation(services, person, body.code))


@router.get("/{invitation_id}", operation_id="getInvitation")
async def see(invitation_id: PathId, services: ServicesDep, subject: SideDep) -> InvitationOut:
    """How far an invitation is, to its two sides: the worker in the session that opened it."""
    return _out(services, await invitations.see_invitation(services, subject, invitation_id))


@router.post("/{invitation_id}/confirm", operation_id="confirmInvitation")
async def confirm(
    invitation_id: PathId, body: YesIn, services: ServicesDep, person: PersonDep
) -> InvitationOut:
    """Say yes or no, on my own device: neither in an assisted session nor on a shared device. A no
    also ends the session that it opened."""
    if body.agree:
        proof = proof_in(body)
        seen = await invitations.say_yes(services, person, invitation_id, proof)
    else:
        seen = await invitations.end_invitation(services, person, invitation_id)
    return _out(services, seen)


@router.delete("/{invitation_id}", operation_id="endInvitation", status_code=204)
async def end(invitation_id: PathId, services: ServicesDep, worker: WorkerDep) -> Response:
    """Wait no more. What is over stays so."""
    await invitations.end_invitation(services, worker, invitation_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/{invitation_id}/enter", operation_id="enterByInvitation", status_code=201)
async def enter(
    invitation_id: PathId,
    request: Request,
    response: Response,
    services: ServicesDep,
    worker: WorkerDep,
) -> AssistedSession:
    """Let the person in, who said yes, on my device: as by a card. Only the session that opened the
    invitation may, once."""
    response.headers["Cache-Control"] = "no-store"
    opened = await invitations.enter(services, worker, invitation_id, visitor_of(request))
    remember_session(request, opened)
    return AssistedSession(token=opened.token, expires_at=opened.expires_at)


def _out(services: Services, seen: InvitationView) -> InvitationOut:
    path, worker = invitations.confirming_path(seen), seen.worker
    base = services.settings.public_url.rstrip("/")
    return InvitationOut(
        id=seen.id,
        state=seen.state,
        ends_at=seen.ends_at,
        worker=None
        if worker is None
        else WorkerBesideOut(
            name=worker.name or "", job=worker.job, organisation=worker.organisation
        ),
        word=seen.word,
        code=seen.code,
        address=None if path is None else base + path,
    )
