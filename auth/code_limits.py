"""How many codes are sent and tried for one address, so that strangers neither guess nor bar.

Plain values and rules. Two lanes count apart: browsers that signed in to the account before, and
everyone else. Tries are budgeted by the length of the code: when strangers have spent a length, the
next code is longer, so that there is always one that its holder can use. See
docs/adr/0023-sign-in-under-attack.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Lane = Literal["known", "new"]
CountedLane = Literal["known", "new", "pin", "proof", "choice", "barred"]
"""`pin`: PINs after a phone's code; `proof`: those that confirm a change of means. Both are limited
by `auth/pin_rules.py`. `choice`: PINs that a person chose, right or not (`auth/pins.py`). `barred`:
lines about one barred card (`auth/pin_sign_ins.py`)."""
CodeLane = Literal["known", "new", "shared", "spare"]
"""`shared`: one code for all that ask while many do. `spare`: a code that is sent to nobody, so
that those who join a shared one leave the same rows."""
WrongCodes = Mapping[tuple[str, int], int]
"""How many wrong codes were typed in a day, by lane and number of digits."""

BUDGETS: dict[Lane, dict[int, int]] = {
    "known": {6: 20},
    "new": {6: 30, 8: 2_000, 10: 150_000, 12: 10_000_000, 14: 400_000_000},
}
"""Most wrong codes in any 24 hours, by number of digits. Each is compared with one code, so that
the odds of a guess are at most the sum of `budget / 10**digits`: below 1e-4 a day."""

CODE_LIFE = timedelta(minutes=10)
SHARED_CODE_LIFE = timedelta(minutes=20)
SHARED_CODE_EVERY = timedelta(minutes=10)
"""Whoever joins a shared code has `CODE_LIFE` left at least."""
AGAIN_AFTER = timedelta(seconds=60)
"""A message takes as long: who asks again sooner has two codes on their way."""
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
KNOWN_CODES = 5
NEW_CODES = 4
"""Codes of their own that askers of each lane get in an hour; later ones of `new` share."""
SHARED_DIGITS = 8
TRIES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for an address in the last hour: codes of `known` and `new`, and the sign-ins
    that the asker's network began."""

    known: int
    new: int
    from_network: int


@dataclass(frozen=True, slots=True)
class Choice:
    """The code that an asker gets: its lane, its digits, and the tries that the sign-in has."""

    lane: CodeLane
    digits: int
    tries: int = TRIES


def budget_lane(lane: CodeLane) -> Lane:
    """In which lane the tries on a code count."""
    return "known" if lane == "known" else "new"


def is_spent(lane: Lane, digits: int, wrong: WrongCodes) -> bool:
    """Whether no code of that length is compared any more for now."""
    return wrong.get((lane, digits), 0) >= BUDGETS[lane].get(digits, 0)


def shortest(wrong: WrongCodes, at_least: int = 0) -> int:
    """The shortest length of the lane `new` that is not spent; the longest when all are."""
    lengths = [digits for digits in sorted(BUDGETS["new"]) if digits >= at_least]
    return next((one for one in lengths if not is_spent("new", one, wrong)), lengths[-1])


def choose(known_browser: bool, asked: Asked, wrong: WrongCodes, sign_ins_per_hour: int) -> Choice:
    """What the next asker gets. Nobody is refused: beyond its quota, a known browser is served like
    a new one, new ones share a code, and a network that asks too often has one try a sign-in."""
    if known_browser and asked.known < KNOWN_CODES and not is_spent("known", 6, wrong):
        return Choice("known", 6)
    tries = TRIES if asked.from_network < sign_ins_per_hour else 1
    if asked.new < NEW_CODES:
        return Choice("new", shortest(wrong), tries)
    return Choice("shared", shortest(wrong, SHARED_DIGITS), tries)
