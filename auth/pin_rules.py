"""Which PINs may be chosen, and how often a wrong one is compared. Pure.

Six digits, or four for those who cannot. What people choose first is refused: repeats, sequences,
patterns of the keys, years, days of birth. See docs/adr/0051 for the odds.
"""

from itertools import pairwise

from base.errors import ServiceError, invalid
from base.user_text import digits_of

SIX, FOUR = 6, 4
TRIES = {SIX: 5, FOUR: 3}
"""Wrong PINs that are compared, by the digits of the right one: of a card until it is freed, of a
phone in a day."""
PHONE_TRIES = TRIES[SIX]
VAULTS_ON_A_PHONE = 2

# Chosen most often in published lists of leaked codes, where no rule below refuses them.
_LEAKED = """
    007007 102030 112233 113355 121314 123654 131420 135790 142536 147258 147852 147896 159357
    159753 159951 246810 252525 258456 258852 321456 357159 369258 420420 456852 520131 520520
    696969 741258 741852 753951 789456 852456 951753 963852 987456 998877
    0007 0070 0852 1004 1122 1313 1357 1379 1470 2468 2580 4321 5683 6969 7410 8520 9630
"""
_COMMON = frozenset(_LEAKED.split())
_MONTHS, _DAYS = range(1, 13), range(1, 32)


def read_pin(pin: str, again: str) -> str:
    """The digits of a PIN that was typed twice.

    Raises `ServiceError` INVALID `pin_digits`, `pin_again`, `pin_weak`.
    """
    digits = digits_of(pin)
    if len(digits) not in TRIES:
        raise invalid("pin_digits", fields=[("pin",)])
    if digits_of(again) != digits:
        raise invalid("pin_again", fields=[("again",)])
    if is_weak(digits):
        raise pin_weak()
    return digits


def pin_weak() -> ServiceError:
    """The PIN cannot be chosen. Why is not said: another's may be the reason."""
    return invalid("pin_weak", fields=[("pin",)])


def is_weak(digits: str) -> bool:
    """Whether many people would choose it."""
    return (
        digits in _COMMON
        or len(set(digits)) <= 2
        or _is_sequence(digits)
        or _repeats(digits)
        or digits == digits[::-1]
        or _is_date(digits)
    )


def _is_sequence(digits: str) -> bool:
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    return len(steps) == 1 and steps <= {0, 1, 2, 8, 9}


def _repeats(digits: str) -> bool:
    return any(digits == digits[:size] * (len(digits) // size) for size in (1, 2, 3))


def _is_date(digits: str) -> bool:
    """A year; a day of birth as people write it, or backwards; a month and its year."""
    if len(digits) == FOUR:
        return digits[:2] in {"19", "20"}
    pairs = [int(digits[at : at + 2]) for at in (0, 2, 4)]
    first, middle, last = pairs
    return (
        (middle in _MONTHS and (first in _DAYS or last in _DAYS))
        or (first in _MONTHS and middle in {19, 20})
        or (last in _MONTHS and first in {19, 20})
    )
