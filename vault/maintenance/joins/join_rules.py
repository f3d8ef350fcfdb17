"""What may become of a join, and when: plain functions on plain values. Pure.

The digits serve ten minutes, and what would happen is shown for thirty; then it is begun again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

CODE_LIFE = timedelta(minutes=10)
YES_LIFE = timedelta(minutes=30)
OVER_AFTER = timedelta(hours=1)
"""What began so long ago and was not made is over in every case."""

JoinState = Literal["open", "answered", "joined", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFacts:
    """A join's row, read together with `at`, the time of the judgement."""

    at: datetime
    person_id: UUID
    stays_id: UUID | None
    created_at: datetime
    answered_at: datetime | None
    joined_at: datetime | None

    @property
    def ends_at(self) -> datetime:
        """Until when what comes next may be done."""
        if self.answered_at is None:
            return self.created_at + CODE_LIFE
        return self.answered_at + YES_LIFE


def state_of_join(join: JoinFacts) -> JoinState:
    """How far it is."""
    if join.joined_at is not None:
        return "joined"
    if join.at >= join.ends_at:
        return "over"
    return "open" if join.answered_at is None else "answered"


def may_answer_join(join: JoinFacts | None, *, person_id: UUID) -> bool:
    """Whether somebody may type its digits: they serve, and are another vault's."""
    if join is None or join.person_id == person_id:
        return False
    return state_of_join(join) == "open"
