"""Which code the next asker gets, and when a length is spent: rules on plain values."""

import pytest

from auth.code_limits import BUDGETS, Asked, Choice, choose, is_spent, shortest

QUIET = Asked(known=0, new=0, from_network=0)


def test_the_odds_of_a_guess_in_a_day_are_below_one_in_ten_thousand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    odds = {
        (lane, digits): most / 10**digits
        for lane, lengths in BUDGETS.items()
        for digits, most in lengths.items()
    }
    with capsys.disabled():
        for (lane, digits), one in odds.items():
            most = f"{BUDGETS[lane][digits]:>11,}"
            print(
                f"\n  {lane:5} {digits:2} digits: {most} wrong codes a day, odds {one:.1e}", end=""
            )
        print(f"\n  together: {sum(odds.values()):.2e} a phone and day")
    assert sum(odds.values()) <= 1e-4


def test_a_known_browser_has_a_quota_of_its_own_then_is_served_like_a_new_one() -> None:
    spent = {("new", digits): most for digits, most in BUDGETS["new"].items()}
    busy = Asked(known=0, new=4, from_network=99)
    assert choose(True, busy, spent, 10) == Choice("known", 6)
    assert choose(True, Asked(5, 0, 0), {}, 10).lane == "new"
    assert choose(True, QUIET, {("known", 6): 20}, 10).lane == "new"
    assert choose(True, QUIET, {("known", 6): 19}, 10).lane == "known"


def test_the_first_askers_get_a_code_of_their_own_and_later_ones_share() -> None:
    assert choose(False, Asked(5, 3, 0), {}, 10) == Choice("new", 6)
    assert choose(False, Asked(0, 4, 0), {}, 10) == Choice("shared", 8)


def test_a_network_that_asks_too_often_has_one_try_and_is_not_refused() -> None:
    assert choose(False, Asked(0, 0, 9), {}, 10).tries == 5
    assert choose(False, Asked(0, 0, 10), {}, 10) == Choice("new", 6, 1)
    assert choose(False, Asked(0, 9, 9999), {}, 10) == Choice("shared", 8, 1)


def test_when_a_length_is_spent_the_next_code_is_longer() -> None:
    wrong: dict[tuple[str, int], int] = {}
    for digits, following in ((6, 8), (8, 10), (10, 12), (12, 14)):
        wrong["new", digits] = BUDGETS["new"][digits] - 1
        assert shortest(wrong) == digits
        wrong["new", digits] += 1
        assert is_spent("new", digits, wrong)
        assert shortest(wrong) == following
    wrong["new", 14] = BUDGETS["new"][14]
    assert is_spent("new", shortest(wrong), wrong), "then none is compared"
    assert not is_spent("known", 6, wrong)


def test_no_code_of_a_length_without_a_budget_is_compared() -> None:
    assert is_spent("known", 8, {})
    assert is_spent("new", 5, {})
