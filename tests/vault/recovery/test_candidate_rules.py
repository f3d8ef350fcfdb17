"""Which one vault several ways point at: row by row, and what holds in every case."""

from itertools import product
from uuid import UUID

import pytest

from vault.recovery.candidate_rules import OnPhone, Ways, means_of, pick

A, B = UUID(int=1), UUID(int=2)
AWAKE, ASLEEP = OnPhone(A), OnPhone(A, asleep=True)
OTHER, OTHER_ASLEEP = OnPhone(B), OnPhone(B, asleep=True)


@pytest.mark.parametrize(
    ("ways", "found"),
    [
        (Ways(), None),
        (Ways(anchor=A), (A, "anchor")),
        (Ways(card=A), (A, "card")),
        (Ways(card=A, stopped=True), (A, "card")),
        (Ways(trusted=A), (A, "trusted")),
        (Ways(known=A), (A, "known")),
        (Ways(anchor=A, card=A, known=A), (A, "anchor")),
        # Two ways that point at two vaults.
        (Ways(anchor=A, card=B), None),
        (Ways(card=A, known=B), None),
        (Ways(card=A, trusted=B), None),
        (Ways(card=A, reached=(OTHER,)), None),
        (Ways(anchor=A, card=B, number=(AWAKE,)), None),
        # A phone that answers: of one vault, of two, of one that slept.
        (Ways(reached=(AWAKE,)), (A, "phone")),
        (Ways(reached=(AWAKE, OTHER)), None),
        (Ways(card=A, reached=(AWAKE, OTHER)), (A, "card")),
        (Ways(card=A, reached=(OTHER_ASLEEP,)), (A, "card")),
        (Ways(reached=(ASLEEP,)), (A, "number")),
        (Ways(reached=(AWAKE, OTHER_ASLEEP)), (A, "phone")),
        # The number that the person had helps where nothing else leads anywhere.
        (Ways(number=(AWAKE,)), (A, "number")),
        (Ways(number=(ASLEEP,)), (A, "number")),
        (Ways(number=(AWAKE, OTHER)), None),
        (Ways(number=(AWAKE, OTHER_ASLEEP)), (B, "number")),
        (Ways(number=(ASLEEP, OTHER_ASLEEP)), None),
        (Ways(card=A, number=(OTHER,)), (A, "card")),
        (Ways(reached=(ASLEEP,), number=(OTHER,)), None),
        (Ways(reached=(ASLEEP,), number=(ASLEEP,)), (A, "number")),
    ],
)
def test_which_vault(ways: Ways, found: tuple[UUID, str] | None) -> None:
    assert pick(ways) == found


@pytest.mark.parametrize(
    ("ways", "means"),
    [
        (Ways(anchor=A, known=A, number=(AWAKE,)), set()),
        (Ways(card=A), {"card"}),
        (Ways(card=A, stopped=True), set()),
        (Ways(card=B), set()),
        (Ways(reached=(AWAKE, OTHER)), {"phone"}),
        (Ways(reached=(ASLEEP,)), set()),
        (Ways(trusted=A), {"trusted"}),
        (Ways(card=A, trusted=A, reached=(AWAKE,)), {"card", "phone", "trusted"}),
    ],
)
def test_which_means_are_of_it(ways: Ways, means: set[str]) -> None:
    assert means_of(ways, A) == means


def test_in_every_case_what_is_found_is_of_each_way_that_says_whose_it_is() -> None:
    ids = (None, A, B)
    phones = ((), (AWAKE,), (ASLEEP,), (OTHER,), (AWAKE, OTHER_ASLEEP), (AWAKE, OTHER))
    cases = 0
    for anchor, card, trusted, known in product(ids, repeat=4):
        for reached, number in product(phones, repeat=2):
            cases += 1
            ways = Ways(
                anchor=anchor,
                card=card,
                trusted=trusted,
                known=known,
                reached=reached,
                number=number,
            )
            said = {one for one in (anchor, card, trusted, known) if one is not None}
            awake = {one.id for one in reached if not one.asleep}
            found = pick(ways)
            if found is None:
                continue
            vault, by = found
            assert said <= {vault}
            assert not awake or vault in awake
            if by == "number":
                assert not said | awake
                assert not means_of(ways, vault), "a number proves nothing"
    assert cases == 81 * 36
