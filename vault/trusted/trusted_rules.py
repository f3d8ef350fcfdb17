"""What a naming of a trusted person is, and when they may vouch: plain functions on plain values.
Pure.

The digits of a naming serve ten minutes, and the yes to it thirty; then it is begun again. Whoever
was named less than a week ago vouches for nobody: its person was told, and has the time to see it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

CODE_LIFE = timedelta(minutes=10)
YES_LIFE = timedelta(minutes=30)
VOUCH_LIFE = timedelta(minutes=30)
"""Of the digits that are typed at the desk, where other things are asked before."""
VOUCHES_AFTER = timedelta(days=7)
TOLD_FOR = timedelta(days=7)
"""How long somebody who was removed is still told of a recovery."""
OVER_AFTER = timedelta(hours=1)
"""What began so long ago and was not accepted is over in every case."""
ENDED_KEPT = timedelta(days=30)
"""How long one that ended is still shown."""
AT_MOST = 2
"""How many a person trusts."""
FOR_AT_MOST = 10
"""For how many somebody vouches."""

TrustedState = Literal["open", "answered", "accepted", "ended", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedFacts:
    """A naming's row, read together with `at`, the time of the judgement."""

    at: datetime
    person_id: UUID
    trusted_id: UUID | None
    created_at: datetime
    answered_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None

    @property
    def ends_at(self) -> datetime | None:
        """Until when what comes next may be done; None once it is accepted."""
        if self.accepted_at is not None:
            return None
        if self.answered_at is None:
            return self.created_at + CODE_LIFE
        return self.answered_at + YES_LIFE

    @property
    def vouches_from(self) -> datetime | None:
        """From when on the one who was named may vouch; None before they accept."""
        return None if self.accepted_at is None else self.accepted_at + VOUCHES_AFTER


def state_of_trusted(facts: TrustedFacts) -> TrustedState:
    """How far it is."""
    if facts.ended_at is not None:
        return "ended"
    if facts.ends_at is None:
        return "accepted"
    if facts.at >= facts.ends_at:
        return "over"
    return "open" if facts.answered_at is None else "answered"


def may_answer_naming(facts: TrustedFacts | None, *, person_id: UUID) -> bool:
    """Whether somebody may type its digits: they serve, and are another's."""
    return facts is not None and facts.person_id != person_id and state_of_trusted(facts) == "open"


def may_vouch(facts: TrustedFacts) -> bool:
    """Whether whoever was named may vouch: for a week they have been trusted, and are still."""
    since = facts.vouches_from
    return state_of_trusted(facts) == "accepted" and since is not None and facts.at >= since


def is_told(facts: TrustedFacts) -> bool:
    """Whether they are told of a recovery: trusted now, or until a week ago at least."""
    if facts.accepted_at is None:
        return False
    return facts.ended_at is None or facts.at < facts.ended_at + TOLD_FOR
