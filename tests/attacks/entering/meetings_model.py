"""When two are linked by a meeting, as docs/adr/0053 says it: dicts, and none of our code."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tests.attacks.entering.model import Bucket

CODE, ANSWER, AGREED = timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=30)


@dataclass(slots=True)
class Meeting:
    """Its sides by kind, `person` and `worker`; when each said yes."""

    id: str
    code: str = field(repr=False)
    opened_by: str
    opened: datetime
    sides: dict[str, UUID]
    answered: datetime | None = None
    yes: dict[str, datetime] = field(default_factory=dict)
    ended: bool = False
    used: bool = False

    def state(self, now: datetime) -> str:
        if self.ended or self.used:
            return "over"
        if self.answered is None:
            return "open" if now < self.opened + CODE else "over"
        if len(self.yes) == 2:
            return "agreed" if now < max(self.yes.values()) + AGREED else "over"
        return "answered" if now < self.answered + ANSWER else "over"


class Table:
    """Everyone's meetings."""

    def __init__(self) -> None:
        self.meetings: list[Meeting] = []
        self.guesses: dict[UUID, Bucket] = {}

    def bucket(self, caller: UUID) -> Bucket:
        return self.guesses.setdefault(caller, Bucket(timedelta(minutes=12)))

    def open(self, meeting: Meeting) -> None:
        """The code that the same account had serves no more."""
        opener = meeting.sides[meeting.opened_by]
        for one in self.meetings:
            if one.answered is None and one.sides.get(one.opened_by) == opener:
                one.ended = True
        self.meetings.append(meeting)

    def type_code(self, kind: str, caller: UUID, code: str, now: datetime) -> tuple[str, str]:
        """Which meeting links them, if one does, and why."""
        bucket = self.bucket(caller)
        if not bucket.take(now):
            return "", "too many wrong codes"
        same = [one for one in self.meetings if one.code == code]
        living = [one for one in same if one.state(now) == "open"]
        found = next((one for one in living if one.opened_by != kind), None)
        if found is None:
            return "", "own kind" if living else "dead code" if same else "unknown code"
        bucket.level += 1
        found.answered, found.sides[kind] = now, caller
        return found.id, "linked"

    def say(self, kind: str, caller: UUID, meeting: Meeting, now: datetime, *, yes: bool) -> str:
        """Yes or no, of a side or of somebody else."""
        state = meeting.state(now)
        if meeting.sides.get(kind) != caller:
            return "not a side"
        if state == "over":
            return "over"
        if not yes:
            meeting.ended = True
            return "no"
        if state == "open":
            return "not yet"
        if kind in meeting.yes:
            return "yes again"
        meeting.yes[kind] = now
        return "both yes" if len(meeting.yes) == 2 else "one yes"

    def use(self, kind: str, caller: UUID, meeting: Meeting, now: datetime) -> str:
        """One request of the worker, or one gift of the person."""
        if meeting.sides.get(kind) != caller:
            return "not a side"
        if meeting.used:
            return "twice"
        state = meeting.state(now)
        if state != "agreed":
            return "one yes only" if meeting.yes and state == "answered" else f"while {state}"
        meeting.used = True
        return "used"
