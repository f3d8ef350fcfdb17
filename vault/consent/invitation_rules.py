"""What may become of an invitation, and when: plain functions on plain values. Pure.

Its code serves five minutes; the person has ten to say yes, and to be let in. See
docs/adr/0059-assisted-sessions.md.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from auth.subjects import Party
from vault.consent.meeting_rules import MeetingFacts
from vault.rules import Allowed, Judgement, Reason, Refused

InvitationState = Literal["open", "answered", "confirmed", "inside", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFacts:
    """An invitation's row, and what was read with it. `enters`: the worker's session that it was
    opened from, and `lent`: whether that one lives and is not locked. `whole`: whether the session
    in which the person said yes still lives. `inside`: whether they are in."""

    row: MeetingFacts
    enters: UUID
    lent: bool
    whole: bool
    inside: bool

    @property
    def ends_at(self) -> datetime:
        """Until when what comes next may be done."""
        return self.row.ends_at


def state_of_invitation(invitation: InvitationFacts) -> InvitationState:
    """`open`: the code waits; `answered`: the person sees who the worker is; `confirmed`: they said
    yes; `inside`: they are in their vault on the worker's device; `over`."""
    row = invitation.row
    if row.used_at is not None:
        return "inside" if invitation.inside else "over"
    if row.ended_at is not None or row.at >= row.ends_at or not invitation.lent:
        return "over"
    if row.answered_at is None:
        return "open"
    if row.person_agreed_at is None:
        return "answered"
    return "confirmed" if invitation.whole else "over"


def may_answer_invitation(invitation: InvitationFacts | None) -> Judgement:
    """Whether a code that a person typed links the two. Every refusal is the same, for whoever
    guesses learns which codes are there."""
    if invitation is None or state_of_invitation(invitation) != "open":
        return Refused(Reason.MEETING_CODE)
    return Allowed()


def may_see_invitation(
    invitation: InvitationFacts | None, *, caller: Party, session_id: UUID | None
) -> Judgement:
    """Whether a caller is one of the two: the person, or the worker in the session that it was
    opened from."""
    if invitation is None:
        return Refused(Reason.NOT_FOUND)
    if caller.kind == "person":
        mine = invitation.row.person_id == caller.id
    else:
        mine = invitation.row.worker_id == caller.id and invitation.enters == session_id
    return Allowed() if mine else Refused(Reason.NOT_RECIPIENT)


def may_say_yes(invitation: InvitationFacts) -> Judgement:
    """Whether its person may say yes; a second time changes nothing."""
    said = state_of_invitation(invitation) in ("answered", "confirmed")
    return Allowed() if said else Refused(Reason.MEETING_OVER)


def may_enter(invitation: InvitationFacts) -> Judgement:
    """Whether its person is let in, once."""
    state = state_of_invitation(invitation)
    if state == "confirmed":
        return Allowed()
    waits = state in ("open", "answered")
    return Refused(Reason.MEETING_WAITS if waits else Reason.MEETING_OVER)
