"""Somebody enters their own vault on a worker's device, the worker beside: by their card, or by a
yes on their own phone."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from auth import assisted_sessions
from web.api.means import Pin
from web.api.shapes import Strict
from web.http.dependencies import ServicesDep, WorkerBesideDep, WorkerDep, remember_session
from web.http.visitor import visitor_of

router = APIRouter(prefix="/v1/assisted-sessions", tags=["desk"])


class AssistedSessionIn(Strict):
    """A sign-in that a card began (`POST /v1/sign-ins`), its secret, and the PIN, which the person
    types themselves."""

    sign_in: UUID
    secret: Annotated[str, StringConstraints(max_length=64)]
    pin: Pin


class AssistedSession(BaseModel):
    """The token is shown this once, and is the person's: nothing makes its session longer."""

    token: str
    expires_at: datetime = Field(description="In fifteen minutes, or when my own session ends.")


@router.post("", operation_id="enterBesideWorker", status_code=201)
async def enter(
    body: AssistedSessionIn,
    request: Request,
    response: Response,
    services: ServicesDep,
    worker: WorkerDep,
) -> AssistedSession:
    """Let somebody into their own vault on my device, by their card. My name is in every line of
    it, and my own session answers 403 `session_locked` until it ends."""
    response.headers["Cache-Control"] = "no-store"
    opened = await assisted_sessions.enter(
        services,
        worker,
        body.sign_in,
        secret=body.secret,
        pin=body.pin,
        visitor=visitor_of(request),
    )
    remember_session(request, opened)
    return AssistedSession(token=opened.token, expires_at=opened.expires_at)


@router.delete("/current", operation_id="endAssistedSession", status_code=204)
async def end(services: ServicesDep, worker: WorkerBesideDep) -> Response:
    """End the session of who is in their own vault on my device; mine goes on."""
    await assisted_sessions.end(services, worker)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
