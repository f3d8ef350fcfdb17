"""What a naming of a trusted person is, and when they vouch, at each edge."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from vault.trusted.trusted_rules import (
    CODE_LIFE,
    TOLD_FOR,
    VOUCHES_AFTER,
    YES_LIFE,
    TrustedFacts,
    is_told,
    may_answer_naming,
    may_vouch,
    state_of_trusted,
)

BEGAN = datetime.fromisoformat("2026-05-03T09:00:00+00:00")
ANSWERED = BEGAN + timedelta(minutes=5)
ACCEPTED = BEGAN + timedelta(minutes=6)
ENDED = ACCEPTED + timedelta(days=30)
AWA, AMINA = UUID(int=1), UUID(int=2)
JUST = timedelta(microseconds=1)


def naming(
    at: datetime,
    *,
    answered: datetime | None = None,
    accepted: datetime | None = None,
    ended: datetime | None = None,
) -> TrustedFacts:
    return TrustedFacts(
        at=at,
        person_id=AMINA,
        trusted_id=None if answered is None else AWA,
        created_at=BEGAN,
        answered_at=answered,
        accepted_at=accepted,
        ended_at=ended,
    )


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (naming(BEGAN), "open"),
        (naming(BEGAN + CODE_LIFE - JUST), "open"),
        (naming(BEGAN + CODE_LIFE), "over"),
        (naming(ANSWERED + YES_LIFE - JUST, answered=ANSWERED), "answered"),
        (naming(ANSWERED + YES_LIFE, answered=ANSWERED), "over"),
        (naming(ENDED, answered=ANSWERED, accepted=ACCEPTED), "accepted"),
        (naming(ENDED, answered=ANSWERED, accepted=ACCEPTED, ended=ENDED), "ended"),
        (naming(ANSWERED, answered=ANSWERED, ended=ANSWERED), "ended"),
    ],
)
def test_how_far_it_is(facts: TrustedFacts, state: str) -> None:
    assert state_of_trusted(facts) == state


def test_who_may_type_its_digits() -> None:
    assert may_answer_naming(naming(BEGAN), person_id=AWA)
    assert not may_answer_naming(naming(BEGAN), person_id=AMINA), "one's own"
    assert not may_answer_naming(None, person_id=AWA)
    assert not may_answer_naming(naming(BEGAN + CODE_LIFE), person_id=AWA)
    assert not may_answer_naming(naming(ANSWERED, answered=ANSWERED), person_id=UUID(int=3))


def test_nobody_vouches_before_a_week_nor_after_the_end() -> None:
    week = ACCEPTED + VOUCHES_AFTER
    given = {"answered": ANSWERED, "accepted": ACCEPTED}
    assert not may_vouch(naming(week - JUST, **given))
    assert may_vouch(naming(week, **given))
    assert not may_vouch(naming(ENDED, **given, ended=ENDED))
    assert not may_vouch(naming(week, answered=ANSWERED)), "who did not say yes"


def test_who_was_removed_is_told_for_a_week() -> None:
    given = {"answered": ANSWERED, "accepted": ACCEPTED}
    assert is_told(naming(ENDED, **given))
    assert is_told(naming(ENDED + TOLD_FOR - JUST, **given, ended=ENDED))
    assert not is_told(naming(ENDED + TOLD_FOR, **given, ended=ENDED))
    assert not is_told(naming(ANSWERED, answered=ANSWERED)), "who was asked alone"
