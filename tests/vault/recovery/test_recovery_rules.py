"""What is enough for a recovery, when it opens, and its states: row by row, and what holds in every
case that there is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args
from uuid import UUID

import pytest

from vault.recovery.recovery_rules import (
    AT_ONCE,
    LONG_WAIT,
    NOT_ENOUGH,
    OPEN_WITHIN,
    SECOND_WITHIN,
    SENIORITY,
    WAIT,
    WEAK_STOPS,
    AnchorSeen,
    EndedBy,
    FoundBy,
    Look,
    MeansKind,
    RecoveryFacts,
    RecoveryState,
    Shown,
    Verdict,
    earliest,
    is_contested,
    is_senior,
    judge,
    may_open,
    may_stop,
    opens_at,
    state_of,
)

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
A, B = UUID(int=1), UUID(int=2)
ONE, TWO = UUID(int=11), UUID(int=12)
SOON, LATE = Verdict(WAIT), Verdict(LONG_WAIT)
STRONG = Verdict(LONG_WAIT, strong=True)
KINDS: tuple[MeansKind, ...] = get_args(MeansKind)


def looks(
    *found: FoundBy | None, anchor: AnchorSeen = "none", structures: int = 1
) -> tuple[Look, ...]:
    """One look of each of two agents, or of the first alone."""
    agents = ((A, ONE), (B, TWO if structures > 1 else ONE))
    return tuple(
        Look(agent, organisation, by, anchor)
        for (agent, organisation), by in zip(agents, found, strict=False)
    )


def shown(of: tuple[Look, ...], *means: MeansKind, **more: bool) -> Shown:
    return Shown(looks=of, means=frozenset(means), **more)


PAIR = looks("anchor", "anchor", anchor="same")
PAIR_OF_TWO = looks("anchor", "anchor", anchor="same", structures=2)
STRANGERS = looks("number", "known", structures=2)
OTHERS = looks("number", "number", anchor="other", structures=2)
ALONE = looks("number")
WITH_ANCHOR = looks("anchor", anchor="same")
WITH_OTHER = looks("card", anchor="other")


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        # Two agents who show nothing.
        (shown(PAIR), SOON),
        (shown(PAIR_OF_TWO), SOON),
        (shown(PAIR, warned=True), SOON),
        (shown(looks("number", "number")), NOT_ENOUGH),
        (shown(looks("known", "known"), warned=True), NOT_ENOUGH),
        (shown(STRANGERS, warned=True), SOON),
        (shown(STRANGERS), LATE),
        (shown(OTHERS), STRONG),
        (shown(looks("number", "number", anchor="other")), NOT_ENOUGH),
        # One agent alone, who shows nothing.
        (shown(WITH_ANCHOR, warned=True), NOT_ENOUGH),
        (shown(ALONE, warned=True), NOT_ENOUGH),
        # The second found nothing, or another vault: as the first alone.
        (shown(looks("anchor", None, anchor="same")), NOT_ENOUGH),
        (shown(looks("anchor", None, anchor="same", structures=2)), NOT_ENOUGH),
        (shown(looks(None, "anchor", anchor="same"), "card"), SOON),
        # One agent and one means.
        *((shown(WITH_ANCHOR, kind), SOON) for kind in KINDS),
        *((shown(looks(kind), kind, warned=True), SOON) for kind in KINDS),
        (shown(looks("card"), "card"), LATE),
        (shown(looks("phone"), "phone"), LATE),
        (shown(looks("trusted"), "trusted"), SOON),
        *((shown(WITH_OTHER, kind, warned=True), NOT_ENOUGH) for kind in KINDS),
        # One agent and two means.
        (shown(WITH_ANCHOR, "card", "phone"), AT_ONCE),
        (shown(looks("card"), "card", "trusted"), AT_ONCE),
        (shown(looks("phone"), "phone", "trusted"), AT_ONCE),
        (shown(looks("card"), "card", "phone", warned=True), SOON),
        (shown(looks("card"), "card", "phone"), LATE),
        (shown(WITH_OTHER, "card", "phone"), NOT_ENOUGH),
        # The number of a vault that slept may be another person's.
        (shown(looks("phone"), "phone", asleep=True), NOT_ENOUGH),
        (shown(WITH_ANCHOR, "phone", asleep=True), NOT_ENOUGH),
        (shown(WITH_ANCHOR, "card", "phone", asleep=True), SOON),
        (shown(looks("card"), "card", "phone", asleep=True), LATE),
        (shown(PAIR, "phone", asleep=True), SOON),
        # Two agents, and more.
        (shown(OTHERS, "card", "phone", "trusted"), STRONG),
        (shown(STRANGERS, "card", "trusted"), AT_ONCE),
        # Stopped before without a proof, or wanted by two.
        (shown(PAIR_OF_TWO, "card", "phone", contested=True), STRONG),
        (shown(PAIR_OF_TWO, "card", "phone", rival=True), STRONG),
        (shown(STRANGERS, warned=True, contested=True), STRONG),
        (shown(STRANGERS, warned=True, rival=True), STRONG),
        (shown(PAIR, contested=True), NOT_ENOUGH),
        (shown(PAIR, rival=True), NOT_ENOUGH),
        (shown(WITH_ANCHOR, "card", "phone", contested=True), NOT_ENOUGH),
        (shown(WITH_ANCHOR, "card", "trusted", rival=True), NOT_ENOUGH),
        # A flood neither opens nor rings.
        (shown(PAIR_OF_TWO, *KINDS, warned=True, flooded=True), NOT_ENOUGH),
        # Nothing was found.
        (shown(()), NOT_ENOUGH),
        (shown(looks(None)), NOT_ENOUGH),
        (shown(looks(None, None, structures=2), *KINDS, warned=True), NOT_ENOUGH),
    ],
)
def test_what_is_enough(case: Shown, verdict: Verdict) -> None:
    assert judge(case) == verdict


def test_one_agent_who_looks_twice_is_one() -> None:
    twice = tuple(replace(look, agent=A) for look in PAIR_OF_TWO)
    assert judge(shown(twice)) == NOT_ENOUGH


_FLAGS = ("asleep", "warned", "contested", "rival", "flooded")
_FOUND: tuple[FoundBy | None, ...] = (None, "anchor", "number")


def every_case() -> Iterator[Shown]:
    """Of one agent and of two: a vault has an anchor for both, or for neither."""
    subsets = [
        frozenset(kind for kind, there in zip(KINDS, chosen, strict=True) if there)
        for chosen in product((False, True), repeat=len(KINDS))
    ]
    flags = [dict(zip(_FLAGS, one, strict=True)) for one in product((False, True), repeat=5)]
    sides = [("none", by) for by in _FOUND], [(a, by) for a in ("same", "other") for by in _FOUND]
    of: list[tuple[Look, ...]] = []
    for side in sides:
        of += [(Look(A, ONE, by, anchor),) for anchor, by in side]  # type: ignore[arg-type]  # words
        of += [
            (Look(A, ONE, by, anchor), Look(B, structure, other_by, other))  # type: ignore[arg-type]  # words
            for (anchor, by), (other, other_by) in product(side, side)
            for structure in (ONE, TWO)
        ]
    for some, means, more in product(of, subsets, flags):
        yield Shown(looks=some, means=means, **more)


def wait_of(case: Shown) -> timedelta:
    """Never is longer than all."""
    after = judge(case).after
    return timedelta.max if after is None else after


def test_in_every_case() -> None:
    cases = 0
    for case in every_case():
        cases += 1
        verdict, wait = judge(case), wait_of(case)
        found = [look for look in case.looks if look.found_by is not None]
        means = case.means - ({"phone"} if case.asleep else set())
        agents, structures = len(found), len({look.organisation for look in found})
        same = all(look.anchor == "same" for look in found)
        if wait == timedelta.max:
            assert verdict == NOT_ENOUGH
        else:
            assert agents, "a vault that nobody found is opened for nobody"
            assert not case.flooded
            assert agents > 1 or means, "one agent alone, without a means"
            assert means or same or structures > 1, "two of one structure, who compared nothing"
        if verdict.strong or case.contested or case.rival or not same:
            doubted = case.contested or case.rival or any(one.anchor == "other" for one in found)
            if doubted and wait < timedelta.max:
                assert verdict == STRONG
                assert structures > 1
            assert not verdict.strong or doubted
        if wait < WAIT:
            assert wait == timedelta(0)
            assert len(means) > 1
            assert same or "trusted" in means
        if wait == WAIT:
            assert same or "trusted" in means or case.warned
    assert cases == 99 * 8 * 32


def test_by_what_it_was_found_says_only_which_vault_it_is() -> None:
    some: tuple[tuple[MeansKind, ...], ...] = ((), ("card",), KINDS)
    for case in (PAIR, PAIR_OF_TWO, STRANGERS, OTHERS, ALONE, WITH_ANCHOR, WITH_OTHER):
        for by in get_args(FoundBy):
            other = tuple(replace(look, found_by=by) for look in case)
            for means in some:
                assert judge(shown(other, *means)) == judge(shown(case, *means))


def test_no_case_is_helped_by_less() -> None:
    """Nobody gains by hiding a means, by a doubt, or by there being nobody to warn."""
    for case in every_case():
        wait = wait_of(case)
        for kind in case.means:
            assert wait_of(replace(case, means=case.means - {kind})) >= wait
        for name in ("asleep", "contested", "rival", "flooded"):
            if not getattr(case, name):
                assert wait_of(replace(case, **{name: True})) >= wait  # type: ignore[arg-type]  # flags
        if case.warned:
            assert wait_of(replace(case, warned=False)) >= wait


def test_what_agents_are_told_is_never_later_than_what_opens() -> None:
    """`earliest` follows from what was typed: at least the means that are there."""
    for case in every_case():
        opens = opens_at(judge(case), AT)
        for wrong in (0, 1):
            assert opens is None or opens >= earliest(AT, len(case.means) + wrong)


def test_who_is_an_agent_has_been_one_for_ninety_days() -> None:
    assert is_senior(AT - SENIORITY, AT)
    assert not is_senior(AT - SENIORITY + TICK, AT)
    assert not is_senior(AT + HOUR, AT)


BEGUN = RecoveryFacts(at=AT, began_at=AT)
COMPLETE = replace(BEGUN, complete_at=AT, earliest_at=AT + WAIT)
FOUND = replace(COMPLETE, opens_at=AT + WAIT, former=True)
LONG = replace(FOUND, opens_at=AT + LONG_WAIT)
TOLD = AT + WAIT


def at(recovery: RecoveryFacts, when: datetime, **more: object) -> RecoveryState:
    return state_of(replace(recovery, at=when, **more))  # type: ignore[arg-type]  # fields


@pytest.mark.parametrize(
    ("recovery", "when", "state"),
    [
        (BEGUN, AT, "one_agent"),
        (BEGUN, AT + SECOND_WITHIN - TICK, "one_agent"),
        (BEGUN, AT + SECOND_WITHIN, "over"),
        (COMPLETE, AT, "waiting"),
        (COMPLETE, TOLD - TICK, "waiting"),
        (COMPLETE, TOLD, "nothing"),
        (COMPLETE, TOLD + OPEN_WITHIN - TICK, "nothing"),
        (COMPLETE, TOLD + OPEN_WITHIN, "over"),
        (FOUND, TOLD - TICK, "waiting"),
        (FOUND, TOLD, "ready"),
        (FOUND, TOLD + OPEN_WITHIN - TICK, "ready"),
        (FOUND, TOLD + OPEN_WITHIN, "over"),
        (LONG, TOLD, "later"),
        (LONG, AT + LONG_WAIT - TICK, "later"),
        (LONG, AT + LONG_WAIT, "ready"),
        (LONG, AT + LONG_WAIT + OPEN_WITHIN, "over"),
        # Its vault was erased meanwhile: as one that was never found.
        (replace(FOUND, former=False), TOLD - TICK, "waiting"),
        (replace(FOUND, former=False), TOLD, "nothing"),
        (replace(FOUND, rival=True), TOLD - TICK, "waiting"),
        (replace(FOUND, rival=True), TOLD, "rival"),
        (replace(LONG, rival=True), TOLD, "rival"),
        (replace(FOUND, opened_at=TOLD), TOLD + OPEN_WITHIN * 9, "opened"),
    ],
)
def test_its_states(recovery: RecoveryFacts, when: datetime, state: RecoveryState) -> None:
    assert at(recovery, when) == state


@pytest.mark.parametrize("by", get_args(EndedBy))
@pytest.mark.parametrize("recovery", [BEGUN, COMPLETE, FOUND, LONG])
def test_what_was_stopped_stays_so(recovery: RecoveryFacts, by: EndedBy) -> None:
    for when in (AT, TOLD, AT + LONG_WAIT, TOLD + OPEN_WITHIN * 2):
        state = at(recovery, when, ended_at=AT, ended_by=by)
        assert state == ("over" if by == "lapse" else "stopped")


def test_until_it_may_open_it_is_the_same_whether_or_not_a_vault_was_found() -> None:
    when = AT
    while when < TOLD:
        assert at(COMPLETE, when) == at(FOUND, when) == at(LONG, when)
        assert at(replace(FOUND, rival=True), when) == at(COMPLETE, when)
        when += HOUR


@pytest.mark.parametrize(
    ("recovery", "when", "why"),
    [
        (BEGUN, AT, "recovery_not_yet"),
        (FOUND, TOLD - TICK, "recovery_not_yet"),
        (LONG, TOLD, "recovery_not_yet"),
        (COMPLETE, TOLD, "recovery_over"),
        (FOUND, TOLD, None),
        (replace(FOUND, rival=True), TOLD, "recovery_rival"),
        (replace(FOUND, ended_at=AT, ended_by="session"), TOLD, "recovery_stopped"),
        (replace(FOUND, ended_at=AT, ended_by="lapse"), TOLD, "recovery_over"),
        (replace(FOUND, opened_at=TOLD), TOLD, "recovery_over"),
        (FOUND, TOLD + OPEN_WITHIN, "recovery_over"),
    ],
)
def test_when_it_may_open(recovery: RecoveryFacts, when: datetime, why: str | None) -> None:
    facts = replace(recovery, at=when)
    assert may_open(facts, agents_active=True, warning_waits=False) == why
    barred = may_open(facts, agents_active=False, warning_waits=False)
    assert barred == (why or "recovery_over")
    assert may_open(facts, agents_active=True, warning_waits=True) == (why or "warning_unsent")
    assert may_open(facts, agents_active=False, warning_waits=True) == barred


@pytest.mark.parametrize("by", get_args(EndedBy))
def test_a_gesture_that_proves_nothing_stops_no_strong_one(by: EndedBy) -> None:
    for recovery in (BEGUN, COMPLETE, FOUND, LONG):
        assert may_stop(recovery, strong=False, by=by)
        assert may_stop(recovery, strong=True, by=by) == (by not in WEAK_STOPS)
        ended = replace(recovery, ended_at=AT, ended_by="worker")
        assert not may_stop(ended, strong=False, by=by)
        assert not may_stop(replace(recovery, at=recovery.over_at), strong=False, by=by)
    assert not may_stop(replace(FOUND, opened_at=TOLD, at=TOLD), strong=False, by=by)


@pytest.mark.parametrize("by", get_args(EndedBy))
def test_which_stops_weigh_on_the_next_one(by: EndedBy) -> None:
    weighs = by in {"session", "phone", "trusted"}
    days = timedelta(days=90)
    assert is_contested([(by, AT)], AT) == weighs
    assert is_contested([("worker", AT), (by, AT - days + TICK)], AT) == weighs
    assert not is_contested([(by, AT - days)], AT)
    assert not is_contested([], AT)
