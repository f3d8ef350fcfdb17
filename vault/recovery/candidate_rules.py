"""Which one vault several ways point at, and which of the means that were shown are that vault's:
plain functions on plain values. Pure.

Two ways that point at two vaults point at none: nobody opens a vault again by a mistake.
"""

from dataclasses import dataclass
from uuid import UUID

from vault.recovery.recovery_rules import FoundBy, MeansKind


@dataclass(frozen=True, slots=True)
class OnPhone:
    """A vault that has a phone. `asleep`: not used for so long that the number may be another's."""

    id: UUID
    asleep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What each way leads to, None or empty where it leads nowhere. `stopped`: the card was, as
    lost: it says whose it is, and proves nothing. `reached`: of the phone that answers at the desk;
    `number`: of the one that the person says they had."""

    anchor: UUID | None = None
    card: UUID | None = None
    stopped: bool = False
    trusted: UUID | None = None
    known: UUID | None = None
    reached: tuple[OnPhone, ...] = ()
    number: tuple[OnPhone, ...] = ()


def pick(ways: Ways) -> tuple[UUID, FoundBy] | None:
    """The one vault that is meant, and by what it was found; None where there is none, or several.

    A phone that answers says whose it is as a card does, unless that vault slept: then it may be
    another's by now, and is as the number that the person had: looked at where nothing else leads
    anywhere."""
    direct: list[tuple[UUID, FoundBy]] = []
    for one, by in _direct(ways):
        if one is not None:
            direct.append((one, by))
    awake = {one.id for one in ways.reached if not one.asleep}
    meant = {one for one, _ in direct}
    if meant and awake:
        # Of two vaults on a phone, what else was shown tells the one.
        meant |= set() if meant & awake else awake
    elif not meant:
        meant = awake
    if len(meant) == 1:
        (one,) = meant
        return one, next((by for _, by in direct), "phone")
    return None if meant else _by_number(ways)


def means_of(ways: Ways, vault: UUID) -> frozenset[MeansKind]:
    """The means that were shown and are this vault's."""
    awake = {one.id for one in ways.reached if not one.asleep}
    found: set[MeansKind] = set()
    if ways.card == vault and not ways.stopped:
        found.add("card")
    if vault in awake:
        found.add("phone")
    if ways.trusted == vault:
        found.add("trusted")
    return frozenset(found)


def _direct(ways: Ways) -> tuple[tuple[UUID | None, FoundBy], ...]:
    return (
        (ways.anchor, "anchor"),
        (ways.card, "card"),
        (ways.trusted, "trusted"),
        (ways.known, "known"),
    )


def _by_number(ways: Ways) -> tuple[UUID, FoundBy] | None:
    """Of a number: its one vault, or the one of two that slept: whoever took the number over uses
    the other."""
    found = {one for one in (_one_of(ways.number), _one_of(ways.reached)) if one is not None}
    if len(found) != 1:
        return None
    (one,) = found
    return one, "number"


def _one_of(there: tuple[OnPhone, ...]) -> UUID | None:
    asleep = [one.id for one in there if one.asleep]
    if len(there) == 1:
        return there[0].id
    return asleep[0] if len(asleep) == 1 else None
