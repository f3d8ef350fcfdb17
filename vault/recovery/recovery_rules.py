"""What is enough to open a vault again, when it opens, and what state that is in: plain functions
on plain values. Pure.

Nothing here needs a job: a recovery is judged by the database's clock at the tap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

WAIT = timedelta(hours=48)
"""In which the old means are warned, and stop it in one gesture."""
LONG_WAIT = timedelta(days=7)
"""Where nobody can be warned and nobody was compared with an identity paper; or where it was
stopped before, or two want the same vault."""
SECOND_WITHIN = timedelta(days=14)
"""For the second agent, after the first."""
OPEN_WITHIN = timedelta(days=90)
"""For its person, once it may be opened."""
CONTESTED_FOR = timedelta(days=90)
"""How long a stop without a proof weighs on the next one."""
SENIORITY = timedelta(days=90)
"""Of an agent: somebody whom a colleague invited yesterday vouches for nobody."""
FLOOD = 3
FLOOD_WITHIN = timedelta(hours=24)
"""So many begun for one vault: the next neither open it nor ring."""
REMEMBERED = SECOND_WITHIN + LONG_WAIT + OPEN_WITHIN + CONTESTED_FOR
"""What began before weighs on none any more."""

MeansKind = Literal["card", "phone", "trusted"]
FoundBy = Literal["anchor", "number", "known", "card", "phone", "trusted"]
AnchorSeen = Literal["none", "same", "other"]
"""Of the vault that was found: it has none; it is what the agent read on the paper; it is not."""
EndedBy = Literal["holder", "session", "phone", "trusted", "worker", "waiting", "lapse"]
WEAK_STOPS: frozenset[EndedBy] = frozenset({"session", "phone", "trusted"})
"""By who proved nothing: they weigh on the next recovery, and stop no strong one."""
RecoveryState = Literal[
    "one_agent", "waiting", "later", "ready", "nothing", "rival", "stopped", "opened", "over"
]
NotOpened = Literal[
    "recovery_not_yet",
    "recovery_stopped",
    "recovery_over",
    "recovery_rival",
    "warning_unsent",
]


@dataclass(frozen=True, slots=True)
class Look:
    """What one agent's own look came to: by what the vault was found, None where they found none or
    another one; and its anchor, beside the paper that they read."""

    agent: UUID
    organisation: UUID
    found_by: FoundBy | None = None
    anchor: AnchorSeen = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was shown for one vault. `means`: those of the vault that are still there. `asleep`: it
    was not used for six months. `warned`: a means that was not shown can be warned. `contested`:
    stopped without a proof, lately. `rival`: another recovery of it lives. `flooded`: too many were
    begun in a day."""

    looks: tuple[Look, ...]
    means: frozenset[MeansKind] = field(default_factory=frozenset)
    asleep: bool = False
    warned: bool = False
    contested: bool = False
    rival: bool = False
    flooded: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`after`: how long it waits once it is complete; None where it is not enough, and never opens.
    `strong`: a stop without a proof does not end it."""

    after: timedelta | None
    strong: bool = False


NOT_ENOUGH = Verdict(None)
AT_ONCE = Verdict(timedelta(0))


def judge(shown: Shown) -> Verdict:
    """Whether what was shown opens the vault, and after what wait."""
    found = [look for look in shown.looks if look.found_by is not None]
    if not found or shown.flooded:
        return NOT_ENOUGH
    means = counted_means(shown)
    two_agents = len({look.agent for look in found}) > 1
    two_structures = two_agents and len({look.organisation for look in found}) > 1
    compared = all(look.anchor == "same" for look in found)
    if not (means or two_structures or (two_agents and compared)):
        return NOT_ENOUGH
    if shown.contested or shown.rival or any(look.anchor == "other" for look in found):
        return Verdict(LONG_WAIT, strong=True) if two_structures else NOT_ENOUGH
    vouched = "trusted" in means
    if len(means) > 1 and (compared or vouched):
        # Of a card and a phone alone, both may be in the hands of one household.
        return AT_ONCE
    return Verdict(WAIT if compared or vouched or shown.warned else LONG_WAIT)


def counted_means(shown: Shown) -> frozenset[MeansKind]:
    """The means that say something: the number of a vault that slept may be another person's."""
    return shown.means - {"phone"} if shown.asleep else shown.means


def is_senior(created_at: datetime, at: datetime) -> bool:
    """Whether an account is old enough for an agent's."""
    return at - created_at >= SENIORITY


def earliest(complete_at: datetime, means_shown: int) -> datetime:
    """What agents and the receipt say: it follows from what was typed alone, and tells nothing of
    any vault. A wait that the vault asks for is never shorter."""
    return complete_at if means_shown > 1 else complete_at + WAIT


def opens_at(verdict: Verdict, complete_at: datetime) -> datetime | None:
    """From when on its person may open the vault; None: never."""
    return None if verdict.after is None else complete_at + verdict.after


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryFacts:
    """A recovery's row, read together with `at`, the time of the judgement. `former`: whether a
    vault was found, and is there; `rival`: whether another recovery of it lives."""

    at: datetime
    began_at: datetime
    complete_at: datetime | None = None
    earliest_at: datetime | None = None
    opens_at: datetime | None = None
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    former: bool = False
    rival: bool = False

    @property
    def over_at(self) -> datetime:
        """From when on nothing comes of it, whether or not a job has run."""
        if self.complete_at is None or self.earliest_at is None:
            return self.began_at + SECOND_WITHIN
        return (self.opens_at or self.earliest_at) + OPEN_WITHIN

    @property
    def lives(self) -> bool:
        """Whether something may still come of it."""
        return self.ended_at is None and self.opened_at is None and self.at < self.over_at


def state_of(recovery: RecoveryFacts) -> RecoveryState:
    """How far it is. Until `earliest_at` it is the same whether or not a vault was found."""
    if recovery.opened_at is not None:
        return "opened"
    if recovery.ended_at is not None:
        return "over" if recovery.ended_by == "lapse" else "stopped"
    if recovery.at >= recovery.over_at:
        return "over"
    if recovery.earliest_at is None:
        return "one_agent"
    if recovery.at < recovery.earliest_at:
        return "waiting"
    if recovery.opens_at is None or not recovery.former:
        return "nothing"
    if recovery.rival:
        return "rival"
    return "later" if recovery.at < recovery.opens_at else "ready"


_WHY_NOT: dict[RecoveryState, NotOpened] = {
    "one_agent": "recovery_not_yet",
    "waiting": "recovery_not_yet",
    "later": "recovery_not_yet",
    "rival": "recovery_rival",
    "stopped": "recovery_stopped",
    "nothing": "recovery_over",
    "opened": "recovery_over",
    "over": "recovery_over",
}


def may_open(
    recovery: RecoveryFacts, *, agents_active: bool, warning_waits: bool
) -> NotOpened | None:
    """Why its person may not open the vault now; None where they may. An agent who was barred
    meanwhile vouches for nobody; a warning that was not sent yet could not be answered."""
    state = state_of(recovery)
    if state != "ready":
        return _WHY_NOT[state]
    if not agents_active:
        return "recovery_over"
    return "warning_unsent" if warning_waits else None


def may_stop(recovery: RecoveryFacts, *, strong: bool, by: EndedBy) -> bool:
    """Whether a gesture ends it: one that proves nothing ends no `strong` one."""
    return recovery.lives and not (strong and by in WEAK_STOPS)


def is_contested(stops: Sequence[tuple[EndedBy, datetime]], at: datetime) -> bool:
    """Whether one of the recoveries of a vault that were stopped weighs on the next one."""
    return any(by in WEAK_STOPS and at - ended < CONTESTED_FOR for by, ended in stops)
