"""Someone who only reads the published checkpoints wants to know if something happened in a night.

The observer trains on half of the nights, told what happened in each, then says of the other half
whether nothing was done, one act, or twenty; an act leaves three lines, as a visit does.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb, log, prod, sqrt

import pytest

from audit.tlog import growth
from audit.tlog import publisher as publisher_module
from audit.tlog.growth import CARRIED, STEP, draw_growth, raise_over
from tests.audit.conftest import blobs, keyring_file, log_home, log_postgres, some_log
from tests.audit.tlog.logs import SomeLog
from tests.audit.tlog.padded_logs import act, growing, public_size

__all__ = ["blobs", "keyring_file", "log_home", "log_postgres", "some_log"]

KINDS = (0, 1, 20)
LINES = 3
PADDING = 24
"""The default in production."""
SIGMAS = 4
"""Of the score of an observer who guesses: by chance, one of the three is above in 10 000 runs."""


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are hundreds of publications to wait for."""
    monkeypatch.setattr(publisher_module, "_POLL", 0.005)


Night = list[int]
"""The growth of the public tree at each publication."""
Observer = Callable[[Night], int]


@dataclass(frozen=True)
class Watched:
    """A night as it was seen, and what happened in it."""

    acts: int
    grew: Night


def plan(acts: int, ticks: int, chance: random.Random) -> list[int]:
    """When the acts happen: all together as often as at any time."""
    together = chance.random() < 0.5
    moment = chance.randrange(ticks)
    moments = [moment if together else chance.randrange(ticks) for _ in range(acts)]
    return [moments.count(tick) for tick in range(ticks)]


def by_centroid(seen: Sequence[Watched], measure: Callable[[Night], float]) -> Observer:
    """Says the kind of night whose mean is nearest, by one measure."""
    means = {}
    for kind in KINDS:
        values = [measure(night.grew) for night in seen if night.acts == kind]
        means[kind] = sum(values) / len(values)
    return lambda grew: min(KINDS, key=lambda kind: abs(means[kind] - measure(grew)))


def by_likelihood(seen: Sequence[Watched]) -> Observer:
    """Says the kind of night in which such growths are the most usual."""
    counts = {kind: Counter[int]() for kind in KINDS}
    for night in seen:
        counts[night.acts].update(night.grew)
    values = len(set().union(*counts.values())) + 1

    def score(kind: int, grew: Night) -> float:
        total = counts[kind].total() + values
        return sum(log((counts[kind][one] + 1) / total) for one in grew)

    return lambda grew: max(KINDS, key=lambda kind: score(kind, grew))


def scores(nights: list[Watched]) -> dict[str, float]:
    """How often each observer is right on the half that it was not told of."""
    half = len(nights) // 2
    told, asked = nights[:half], nights[half:]
    observers = {
        "total": by_centroid(told, sum),
        "largest": by_centroid(told, max),
        "likelihood": by_likelihood(told),
    }
    return {
        name: sum(observer(night.grew) == night.acts for night in asked) / len(asked)
        for name, observer in observers.items()
    }


def margin(nights: list[Watched]) -> float:
    """How far from one in three a guess may fall, on that many nights."""
    return SIGMAS * sqrt(1 / 3 * 2 / 3 / (len(nights) - len(nights) // 2))


def shuffled(nights: int, chance: random.Random) -> list[int]:
    """As many nights of each kind in each half, in any order."""
    halves = [list(KINDS) * (nights // 2) for _ in range(2)]
    for half in halves:
        chance.shuffle(half)
    return halves[0] + halves[1]


def told(name: str, got: dict[str, float], margin_: float) -> None:
    right = ", ".join(f"{which} {score:.3f}" for which, score in got.items())
    print(f"\n{name}: right {right}; chance 0.333, margin {margin_:.3f}")


async def watch(some: SomeLog, padding: int, nights: int, ticks: int) -> list[Watched]:
    """Nights over a real database, sequencer and publisher, one publication after the other."""
    chance = random.Random()
    watched = []
    async with growing(some, padding) as publisher:
        for acts in shuffled(nights, chance):
            grew = []
            for now in plan(acts, ticks, chance):
                before = await public_size(some) or 0
                if now:
                    await act(some, LINES * now)
                await publisher.publish()
                grew.append((await public_size(some) or 0) - before)
            watched.append(Watched(acts, grew))
    return watched


@pytest.mark.timeout(300)
async def test_a_night_with_acts_grows_the_log_as_one_without(some_log: SomeLog) -> None:
    nights = await watch(some_log, PADDING, nights=50, ticks=2)
    got = scores(nights)
    told("padded", got, margin(nights))
    assert max(got.values()) < 1 / 3 + margin(nights)


async def test_without_padding_the_same_observer_knows(some_log: SomeLog) -> None:
    """The power of the test: what it would find if growth were caused."""
    nights = await watch(some_log, 0, nights=20, ticks=3)
    got = scores(nights)
    told("not padded", got, margin(nights))
    assert max(got.values()) > 0.9


async def test_the_same_draws_give_the_same_sizes_whatever_happened(
    some_log: SomeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by statistics: nothing but the draws enters the sizes."""
    seen = []
    for acts in KINDS:
        monkeypatch.setattr(growth.secrets, "randbelow", random.Random(8).randrange)
        grew = []
        async with growing(some_log, PADDING) as publisher:
            for now in plan(acts, 5, random.Random(3)):
                before = await public_size(some_log) or 0
                if now:
                    await act(some_log, LINES * now)
                await publisher.publish()
                grew.append((await public_size(some_log) or 0) - before)
        seen.append(grew)
    assert seen[0] == seen[1] == seen[2]
    assert all(PADDING <= one <= 2 * PADDING for one in seen[0])


# The draws alone, over many more nights than a database has time for


def simulate(nights: int, ticks: int, draw: Callable[[int, int], int]) -> list[Watched]:
    """As the publisher does it: the tree holds what is drawn, or more when more happened."""
    chance = random.Random()
    watched = []
    tree = public = 0
    for acts in shuffled(nights, chance):
        grew = []
        for now in plan(acts, ticks, chance):
            tree += LINES * now
            grew.append(draw(PADDING, tree - public))
            public += grew[-1]
            tree = max(tree, public)
        watched.append(Watched(acts, grew))
    return watched


def leaking(padding: int, waiting: int) -> int:
    """A growth that carries twelve more lines when more than half of it is waiting."""
    return draw_growth(padding, waiting) + (padding // 2 if waiting > padding else 0)


def test_whole_nights_of_ten_minutes_are_not_told_apart() -> None:
    nights = simulate(3000, 48, draw_growth)
    got = scores(nights)
    told("draws", got, margin(nights))
    assert margin(nights) < 0.035
    assert max(got.values()) < 1 / 3 + margin(nights)


def test_a_small_leak_would_be_found() -> None:
    nights = simulate(3000, 48, leaking)
    got = scores(nights)
    told("draws with a leak", got, margin(nights))
    assert max(got.values()) > 1 / 3 + margin(nights)


# Someone who fills the log on purpose


def raises(waiting: int) -> Counter[int]:
    """How often each raise is drawn, over all thresholds."""
    step = STEP * PADDING
    counted = Counter[int]()
    for two_draws in range(2 * step - 1):
        weight = min(two_draws + 1, 2 * step - 1 - two_draws)
        counted[raise_over(CARRIED * PADDING + two_draws, waiting, step)] += weight
    return counted


def advantage(waiting: int, more: int, publications: int) -> float:
    """How much better than a coin, at best, someone tells after that many publications whether
    `more` events wait than those that they know of: the distance of the two distributions."""
    without, with_ = raises(waiting), raises(waiting + more)
    values = sorted(without | with_)
    total = (STEP * PADDING) ** 2
    distance = 0.0
    for counts in splits(publications, len(values)):
        ways, left = 1, publications
        for count in counts:
            ways, left = ways * comb(left, count), left - count
        pairs = list(zip(values, counts, strict=True))
        distance += abs(
            ways * prod((without[one] / total) ** count for one, count in pairs)
            - ways * prod((with_[one] / total) ** count for one, count in pairs)
        )
    return distance / 2


def splits(whole: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Every way to write a number as so many parts, in order."""
    if parts == 1:
        yield (whole,)
        return
    for first in range(whole + 1):
        yield from ((first, *rest) for rest in splits(whole - first, parts - 1))


def test_who_keeps_the_log_full_all_night_hardly_sees_one_visit_more() -> None:
    """They know every event but those of one visit, and hold the number that waits where it tells
    them most, at each of the 48 publications of eight hours."""
    held = range(CARRIED * PADDING - LINES, (CARRIED + 2 * STEP) * PADDING, 12)
    line = max(advantage(waiting, 1, 48) for waiting in held)
    visit = max(advantage(waiting, LINES, 48) for waiting in held)
    print(f"\nadvantage in a night: one line {line:.3f}, a visit {visit:.3f}")
    assert line < 0.04
    assert visit < 0.1
    assert advantage(CARRIED * PADDING - LINES, LINES, 48) == 0
