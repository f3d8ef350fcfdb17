"""The caller's own sessions: a person's or a worker's. Listed, and ended."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from auth import session_list, sessions
from auth.bearer import wrong_caller
from auth.subjects import Client, Person, Worker
from auth.time_zones import zone_of_person
from base.errors import not_found
from vault.services import Services
from web.api.vocabulary import DeviceWord
from web.http.dependencies import CallerDep, ServicesDep
from web.http.path_ids import PathId
from web.http.problems import language_of
from web.http.visitor import VisitorDep
from web.i18n.session_descriptions import describe_session

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


class SessionOut(BaseModel):
    """One open session."""

    id: UUID
    opened_at: datetime
    expires_at: datetime
    device: DeviceWord
    where: Literal["here", "same_network", "elsewhere"] = Field(
        description="`here`: the session of this request; else compared with its network."
    )
    current: bool
    description: str = Field(description="The same in words, in the caller's language.")


class SessionListOut(BaseModel):
    """The newest first."""

    items: list[SessionOut]


class SessionsEnded(BaseModel):
    """How many ended."""

    ended: int


async def _holder(caller: CallerDep) -> Person | Worker:
    """An access token of an administration is no session."""
    if isinstance(caller, Client):
        raise wrong_caller()
    return caller


async def _zone(services: Services, holder: Person | Worker) -> ZoneInfo:
    return await zone_of_person(services, holder) if isinstance(holder, Person) else holder.zone


HolderDep = Annotated[Person | Worker, Depends(_holder)]


@router.get("", operation_id="listSessions")
async def list_(
    services: ServicesDep, holder: HolderDep, visitor: VisitorDep, request: Request
) -> SessionListOut:
    """Where I am signed in: since when, on what, from where."""
    listed = await session_list.list_sessions(services, holder, visitor)
    language = language_of(request)
    zone = await _zone(services, holder)
    return SessionListOut(
        items=[
            SessionOut(
                id=one.id,
                opened_at=one.opened_at,
                expires_at=one.expires_at,
                device=one.device,
                where=one.where,
                current=one.where == "here",
                description=describe_session(one, listed.at, language, zone),
            )
            for one in listed.items
        ]
    )


@router.delete("", operation_id="endOtherSessions")
async def end_others(
    services: ServicesDep,
    holder: HolderDep,
    current: Annotated[bool, Query(description="End the session of this request too.")] = False,
) -> SessionsEnded:
    """End all my other sessions: a phone that was lost. Browsers that signed in before are unknown
    again."""
    return SessionsEnded(ended=await sessions.end_others(services, holder, this_too=current))


@router.delete("/current", operation_id="endCurrentSession", status_code=204)
async def sign_out(services: ServicesDep, caller: CallerDep) -> Response:
    """End the session that this request came with."""
    if isinstance(caller, Client):
        raise not_found()
    await sessions.sign_out(services, caller)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.delete("/{session_id}", operation_id="endSession", status_code=204)
async def end(session_id: PathId, services: ServicesDep, holder: HolderDep) -> Response:
    """End one of my sessions, at once."""
    await sessions.end_one(services, holder, session_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
