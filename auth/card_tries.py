"""How often a card's PIN may still be tried, as the one number of its row tells it. Pure.

The units are the wrong PINs since the last right one, or since a desk freed the card; the tens, how
often a desk did. So a desk gives tries back, but never without end; and in the database a number
that is smaller than the log tells is one that was put back. The odds are in SECURITY.md, the
reasons in docs/adr/0058-a-card-at-the-desk.md.
"""

from typing import Literal

from auth.pin_rules import TRIES

FREED_AT_DESK = 2
"""How often, between two right PINs."""
STOPPED = 99
"""Of a card that was stopped as lost, by its person or at a desk: no desk frees it."""
_EACH = 10

DeskRefusal = Literal["card_stopped", "card_not_barred", "freed_too_often"]
"""Why a desk frees a card not: stored in the log, only ever added to."""


def is_barred(wrong: int, digits: int) -> bool:
    """Whether no PIN is compared any more; `digits`: of the right one."""
    return wrong % _EACH >= TRIES[digits]


def refused_at_desk(wrong: int, digits: int) -> DeskRefusal | None:
    """Why a desk does not free a card; None when it does."""
    if wrong == STOPPED:
        return "card_stopped"
    if not is_barred(wrong, digits):
        return "card_not_barred"
    return None if wrong // _EACH < FREED_AT_DESK else "freed_too_often"


def freed_at_desk(wrong: int) -> int:
    """The number of a card that a desk just freed."""
    return (wrong // _EACH + 1) * _EACH


def after_new_pin(wrong: int) -> int:
    """The number of a card of whose person another PIN was chosen: a lost one stays stopped."""
    return STOPPED if wrong == STOPPED else 0


def most_tries(digits: int) -> int:
    """How many wrong PINs of a card are compared at most between two right ones, if only desks free
    it."""
    return TRIES[digits] * (1 + FREED_AT_DESK)
