"""How often a card's PIN may be tried: the number of its row, and the odds in SECURITY.md."""

from itertools import product

import pytest

from auth import card_tries
from auth.card_tries import FREED_AT_DESK, STOPPED, freed_at_desk, is_barred, refused_at_desk
from auth.pin_rules import FOUR, SIX, TRIES

CHOSEN = {SIX: 928_658, FOUR: 9_121}
"""How many PINs may be chosen (`test_pin_rules.py`), of which one in twenty is refused."""


@pytest.mark.parametrize("digits", [SIX, FOUR])
def test_desks_free_a_card_until_its_tries_are_spent(digits: int) -> None:
    """Whoever guesses and has desks free the card, as often as they do."""
    wrong = guesses = freed = 0
    while refused_at_desk(wrong, digits) != "freed_too_often":
        if is_barred(wrong, digits):
            wrong, freed = freed_at_desk(wrong), freed + 1
        else:
            wrong, guesses = wrong + 1, guesses + 1
    assert freed == FREED_AT_DESK
    assert guesses == card_tries.most_tries(digits) == TRIES[digits] * 3


@pytest.mark.parametrize("digits", [SIX, FOUR])
def test_the_number_only_grows_until_a_right_pin(digits: int) -> None:
    """So that a smaller one is named as put back."""
    wrong = 0
    for _ in range(100):
        after = wrong + 1 if not is_barred(wrong, digits) else freed_at_desk(wrong)
        assert after > wrong
        wrong = after
        if refused_at_desk(wrong, digits) == "freed_too_often":
            break
    assert wrong < STOPPED
    assert card_tries.after_new_pin(wrong) == 0


@pytest.mark.parametrize("digits", [SIX, FOUR])
def test_a_stopped_card_stays_stopped(digits: int) -> None:
    assert is_barred(STOPPED, digits)
    assert refused_at_desk(STOPPED, digits) == "card_stopped"
    assert card_tries.after_new_pin(STOPPED) == STOPPED


def test_a_card_that_works_is_not_freed() -> None:
    for tens, units in product(range(FREED_AT_DESK + 1), range(TRIES[SIX])):
        assert refused_at_desk(10 * tens + units, SIX) == "card_not_barred"


def test_the_odds_of_a_stolen_card_that_desks_free() -> None:
    odds = {digits: card_tries.most_tries(digits) / (CHOSEN[digits] * 0.95) for digits in CHOSEN}
    assert f"{odds[SIX]:.1e}" == "1.7e-05"
    assert f"{odds[FOUR]:.1e}" == "1.0e-03"
