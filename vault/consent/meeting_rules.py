"""What may become of a meeting, and when: plain functions on plain values. Pure.

A code serves five minutes; both have ten to say yes; half an hour is left to use the agreement,
once. See docs/adr/0053-meetings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from auth.subjects import Party
from vault.rules import Allowed, Judgement, Reason, Refused

CODE_LIFE = timedelta(minutes=5)
ANSWER_LIFE = timedelta(minutes=10)
AGREEMENT_LIFE = timedelta(minutes=30)
OVER_AFTER = timedelta(hours=1)
"""A meeting that began so long ago is over in every case."""

ENTERS = "enters"
"""In the sealed part of an invitation: from which session of its worker it was opened."""

MeetingState = Literal["open", "answered", "agreed", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingFacts:
    """A meeting's row, read together with `at`, the time of the judgement."""

    at: datetime
    opened_by: str
    person_id: UUID | None
    worker_id: UUID | None
    created_at: datetime
    answered_at: datetime | None
    person_agreed_at: datetime | None
    worker_agreed_at: datetime | None
    ended_at: datetime | None
    used_at: datetime | None

    @property
    def ends_at(self) -> datetime:
        """Until when what comes next may be done."""
        if self.answered_at is None:
            return self.created_at + CODE_LIFE
        if self.person_agreed_at is None or self.worker_agreed_at is None:
            return self.answered_at + ANSWER_LIFE
        return max(self.person_agreed_at, self.worker_agreed_at) + AGREEMENT_LIFE

    def agreed_at(self, kind: str) -> datetime | None:
        """When one side said yes."""
        return self.person_agreed_at if kind == "person" else self.worker_agreed_at


def state_of_meeting(meeting: MeetingFacts) -> MeetingState:
    """`open`: the code waits; `answered`: both are known; `agreed`: both said yes; `over`."""
    if meeting.ended_at is not None or meeting.used_at is not None or meeting.at >= meeting.ends_at:
        return "over"
    if meeting.answered_at is None:
        return "open"
    both = meeting.person_agreed_at is not None and meeting.worker_agreed_at is not None
    return "agreed" if both else "answered"


def is_invitation(values: Mapping[str, Any]) -> bool:
    """Whether a row is of an invitation (`invitations`), by its sealed part."""
    return ENTERS in values


def are_together(meeting: MeetingFacts) -> bool:
    """Whether the two, who both said yes, still stand face to face: for half an hour, also once the
    meeting was used."""
    return meeting.ended_at is None and meeting.at < meeting.ends_at


def may_answer_code(meeting: MeetingFacts | None, *, caller: Party) -> Judgement:
    """Whether a code that was typed links the two: it is there, it lives, and the other kind opened
    it. Every refusal is the same, for whoever guesses learns which codes are there."""
    living = meeting is not None and state_of_meeting(meeting) == "open"
    if meeting is None or not living or meeting.opened_by == caller.kind:
        return Refused(Reason.MEETING_CODE)
    return Allowed()


def may_see_meeting(meeting: MeetingFacts | None, *, caller: Party) -> Judgement:
    """Whether a caller is one of the two."""
    if meeting is None:
        return Refused(Reason.NOT_FOUND)
    side = meeting.person_id if caller.kind == "person" else meeting.worker_id
    return Allowed() if side == caller.id else Refused(Reason.NOT_RECIPIENT)


def may_confirm(meeting: MeetingFacts | None, *, caller: Party, agree: bool) -> Judgement:
    """Whether a caller may say yes, or no: a no also ends what waits, or what both agreed to."""
    seen = may_see_meeting(meeting, caller=caller)
    if isinstance(seen, Refused) or meeting is None:
        return seen
    state = state_of_meeting(meeting)
    if state == "over":
        return Refused(Reason.MEETING_OVER)
    if agree and state == "open":
        return Refused(Reason.MEETING_WAITS)
    return Allowed()


def may_use(meeting: MeetingFacts | None, *, caller: Party) -> Judgement:
    """Whether a caller may send the one request, or give the one grant, of a meeting."""
    seen = may_see_meeting(meeting, caller=caller)
    if isinstance(seen, Refused) or meeting is None:
        return seen
    state = state_of_meeting(meeting)
    if state == "agreed":
        return Allowed()
    return Refused(Reason.MEETING_OVER if state == "over" else Reason.MEETING_WAITS)
