"""Meetings: a person and a professional who stand face to face, without a phone number."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from auth.bearer import wrong_caller
from auth.subjects import Client, Person, Worker
from vault.consent import meetings
from vault.consent.meeting_rules import MeetingState
from vault.consent.meetings import MeetingView
from vault.services import Services
from web.api.shapes import Strict
from web.http.dependencies import CallerDep, ServicesDep
from web.http.path_ids import PathId

router = APIRouter(prefix="/v1/meetings", tags=["meetings"])


async def side(subject: CallerDep) -> Person | Worker:
    """One of the two who may stand face to face."""
    if isinstance(subject, Client):
        raise wrong_caller()
    return subject


SideDep = Annotated[Person | Worker, Depends(side)]


class CodeIn(Strict):
    """The six digits that the other side shows."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class ConfirmIn(Strict):
    """Yes: this is the one before me, and both read the same word. No ends the meeting."""

    agree: StrictBool


class OtherSideOut(BaseModel):
    """Who the other one is. `name` is null for a person who chose none."""

    name: str | None
    job: str
    organisation: str


class MeetingOut(BaseModel):
    """A meeting as its two sides see it. `open`: the code waits to be typed; `answered`: both see
    who the other is; `agreed`: both said yes; `over`: used, ended, or too late."""

    id: UUID
    state: MeetingState
    opened_by: Literal["person", "worker"]
    ends_at: datetime = Field(description="Until when what comes next may be done.")
    other: OtherSideOut | None = Field(description="While it is answered or agreed.")
    word: str | None = Field(
        description="The same for both: whoever reads another word is not the one before you."
    )
    you_agreed: bool
    used: bool = Field(description="Its one request was sent, or its one grant given.")
    code: str | None = Field(description="For who opened it, while it is open: six digits.")
    address: str | None = Field(
        description="To be drawn as a QR code: the page that takes the code, which stands in the"
        " fragment, where no server reads it."
    )


@router.post("", operation_id="openMeeting", status_code=201)
async def open_(services: ServicesDep, subject: SideDep) -> MeetingOut:
    """Get six digits to show to whom you stand before. The code of before serves no more."""
    return _out(services, await meetings.open_meeting(services, subject))


@router.post("/answer", operation_id="answerMeeting")
async def answer(body: CodeIn, services: ServicesDep, subject: SideDep) -> MeetingOut:
    """Type the code that the other side shows. One that does not exist, that was typed, that is
    over, or that your own kind opened is refused alike; five wrong ones in an hour, and then one
    every twelve minutes."""
    return _out(services, await meetings.answer_meeting(services, subject, body.code))


@router.get("/{meeting_id}", operation_id="getMeeting")
async def see(meeting_id: PathId, services: ServicesDep, subject: SideDep) -> MeetingOut:
    """How far a meeting is, to its two sides."""
    return _out(services, await meetings.see_meeting(services, subject, meeting_id))


@router.post("/{meeting_id}/confirm", operation_id="confirmMeeting")
async def confirm(
    meeting_id: PathId, body: ConfirmIn, services: ServicesDep, subject: SideDep
) -> MeetingOut:
    """Say yes, or no, to whom you stand before. A second time changes nothing."""
    met = await meetings.confirm_meeting(services, subject, meeting_id, agree=body.agree)
    return _out(services, met)


def _out(services: Services, meeting: MeetingView) -> MeetingOut:
    other, path = meeting.other, meetings.answering_path(meeting)
    base = services.settings.public_url.rstrip("/")
    return MeetingOut(
        id=meeting.id,
        state=meeting.state,
        opened_by=meeting.opened_by,
        ends_at=meeting.ends_at,
        other=None
        if other is None
        else OtherSideOut(name=other.name, job=other.job, organisation=other.organisation),
        word=meeting.word,
        you_agreed=meeting.you_agreed,
        used=meeting.used,
        code=meeting.code,
        address=None if path is None else base + path,
    )
