"""What a representation is, and what may become of it: plain functions on plain values. Pure.

The digits of a naming serve ten minutes. Whoever typed them, or asks before there is a vault, has a
month to go to a desk with the judgement. It lasts until the end of the day that this says, and no
longer than the law lets one (Code civil, articles 441 and 442).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from auth.representation_terms import lives
from base.errors import about, invalid
from base.time_zones import PARIS

CODE_LIFE = timedelta(minutes=10)
DESK_CODE_LIFE = timedelta(minutes=30)
"""Of the digits for the desk, where other things are done before."""
UNBEGUN_LIFE = timedelta(days=31)
"""Until a judgement is read for it; then it is begun again."""
OVER_AFTER = timedelta(days=32)
"""What was begun so long ago without a judgement is over in every case."""
ENDED_KEPT = timedelta(days=30)
"""How long one that was ended is still shown."""
LONGEST_YEARS = 20
AT_MOST = 2
"""How many represent one person: two parents, often."""
FOR_AT_MOST = 100
"""How many people somebody represents: whose work it is has dozens."""

RepresentationState = Literal["open", "answered", "live", "lapsed", "ended", "over"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentationFacts:
    """A representation's row, read together with `at`, the time of the judgement."""

    at: datetime
    person_id: UUID | None
    representative_id: UUID | None
    created_at: datetime
    answered_at: datetime | None
    began_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None

    @property
    def waits_until(self) -> datetime | None:
        """Until when what comes next may be done; None once it began."""
        if self.began_at is not None:
            return None
        if self.answered_at is None:
            return self.created_at + CODE_LIFE
        return self.answered_at + UNBEGUN_LIFE


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a worker reads on the judgement: whom it names as the representative, which court, of
    which day, and its last day."""

    representative: str
    court: str
    decided_on: date
    ends_on: date


def state_of_representation(facts: RepresentationFacts) -> RepresentationState:
    """How far it is. `lapsed`: its last day is over, and a new judgement makes it go on."""
    if facts.ended_at is not None:
        return "ended"
    if facts.waits_until is None:
        live = lives(facts.began_at, facts.ends_at, facts.ended_at, facts.at)
        return "live" if live else "lapsed"
    if facts.at >= facts.waits_until:
        return "over"
    return "open" if facts.answered_at is None else "answered"


def may_answer(facts: RepresentationFacts | None, *, person_id: UUID) -> bool:
    """Whether somebody may type the digits of a naming: they serve, and are another's."""
    if facts is None or facts.person_id == person_id:
        return False
    return state_of_representation(facts) == "open"


def may_be_read_for(facts: RepresentationFacts) -> bool:
    """Whether a worker may read a judgement for it: the first one, or the one that follows."""
    return state_of_representation(facts) in ("answered", "live", "lapsed")


def end_of(judgement: Judgement, at: datetime) -> datetime:
    """The end of the last day, where courts tell the time.

    Raises `ServiceError` INVALID `judgement_date` for one that was not decided yet, is over, or
    lasts longer than any may.
    """
    today = at.astimezone(PARIS).date()
    with about("judgement", "decided_on"):
        if judgement.decided_on > today:
            raise invalid("judgement_date")
    with about("judgement", "ends_on"):
        if judgement.ends_on < today or judgement.ends_on <= judgement.decided_on:
            raise invalid("judgement_date")
        if _years_after(judgement.decided_on, LONGEST_YEARS) < _parts(judgement.ends_on):
            raise invalid("judgement_date")
    after = judgement.ends_on + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=PARIS)


def _years_after(day: date, years: int) -> tuple[int, int, int]:
    return day.year + years, day.month, day.day


def _parts(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day
