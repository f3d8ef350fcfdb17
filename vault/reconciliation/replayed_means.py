"""Cards, PINs and phones as the log tells them: which there are, and how many wrong PINs each card
has seen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from auth.card_tries import STOPPED
from auth.phone_means import means_id
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services

_Place = tuple[datetime, UUID]
_JOINED = {Action.VAULT_JOINED, Action.VAULT_LEFT, Action.RECOVERY_OPENED}
_SIGN_INS = {Action.SIGN_IN, Action.SIGN_IN_FAILED}


@dataclass(frozen=True, slots=True)
class _Try:
    """A PIN that was typed for a card; or one that was chosen, for every card of its person; or a
    card that was freed or stopped. `wrong`: the number of the card's row after it, 0 where the
    counts began again."""

    place: _Place
    card: UUID | None
    wrong: int
    barred: bool
    opened: bool
    freed: bool


class ReplayedMeans:
    """Rows that were put back, or are gone, of which no MAC tells."""

    def __init__(self) -> None:
        self._cards: dict[UUID, Any] = {}
        self._pins: dict[UUID, Any] = {}
        self._people: dict[UUID, Any] = {}
        self._added: dict[UUID, tuple[UUID, datetime]] = {}
        self._removed: set[UUID] = set()
        self._tries: dict[UUID, list[_Try]] = {}
        self._editions: dict[UUID, int] = {}
        self._phones: dict[UUID, tuple[tuple[datetime, bool, UUID], UUID | None]] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read the cards, the PINs, and whose phone is which."""
        tx = snapshot.connection
        for name, key, rows in (("card", "id", self._cards), ("pin", "person_id", self._pins)):
            found = await tx.execute(select(table_named(name)))
            rows.update({getattr(row, key): row for row in found})
        person = table_named("person").c
        found = await tx.execute(select(person.id, person.phone_tag))
        self._people = {row.id: row for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        person = act.person
        if person is None:
            return
        if act.action in _SIGN_INS and "card" in act.details:
            self._count(act, person, act.named("card"))
        elif act.allowed and act.action == Action.PIN_SET:
            edition = int(act.details["edition"])
            self._editions[person] = max(edition, self._editions.get(person, 0))
            self._count(act, person, None)
        elif act.allowed and act.action in _JOINED:
            self._join(act, person)
        elif act.allowed and act.action in (Action.MEANS_ADDED, Action.MEANS_REMOVED):
            self._change(act, person)
        elif act.allowed and act.action in (Action.MEANS_FREED, Action.MEANS_STOPPED):
            self._count(act, person, act.named("means"))

    def _change(self, act: LoggedAct, person: UUID) -> None:
        means, added = act.named("means"), act.action == Action.MEANS_ADDED
        if means is None:
            return
        if act.word("kind") == "phone":
            # One phone takes the place of another at the same time: the addition is what counts.
            key = (act.at, added, act.id)
            former = self._phones.get(person)
            if former is None or key > former[0]:
                self._phones[person] = (key, means if added else None)
        elif added:
            self._added[means] = (person, act.at)
        else:
            self._removed.add(means)

    def _join(self, act: LoggedAct, person: UUID) -> None:
        """Two vaults became one: the cards of both have its PIN, and one of them has no phone."""
        if "edition" in act.details:
            edition = int(act.details["edition"])
            self._editions[person] = max(edition, self._editions.get(person, 0))
        if "edition" in act.details or act.action == Action.VAULT_LEFT:
            # Where no PIN was chosen, the cards that stay keep the wrong ones of before.
            self._count(act, person, None)
        if act.action == Action.VAULT_LEFT or "phone" in act.details:
            former = self._phones.get(person)
            key = (act.at, True, act.id)
            if former is None or key > former[0]:
                self._phones[person] = (key, act.named("phone"))

    def _count(self, act: LoggedAct, person: UUID, card: UUID | None) -> None:
        tried = act.action in _SIGN_INS
        opened = tried and act.allowed
        wrong = 0 if opened else int(act.details.get("wrong", 0))
        barred = "barred" in act.details or act.action == Action.MEANS_STOPPED
        freed = act.action == Action.MEANS_FREED
        one = _Try(act.place, card, wrong, barred, opened, freed)
        self._tries.setdefault(person, []).append(one)

    async def compare(self, services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each row that is not as the log tells it. Of a vault that is gone, nothing."""
        expected = self._expected(faults)
        for card, (person, _) in self._added.items():
            if card not in self._removed and card not in self._cards and person in self._people:
                faults.add("missing", "card", card)
        for card, row in self._cards.items():
            if card in self._removed:
                faults.add("back", "card", card)
            elif card not in self._added and not snapshot.is_forgotten(row.created_at):
                faults.add("not_in_log", "card", card)
            edition = self._editions.get(row.person_id, row.edition)
            if row.edition < edition or row.wrong < expected.get(card, 0):
                faults.add("older", "card", card)
        for person, edition in self._editions.items():
            pin = self._pins.get(person)
            if pin is None and person in self._people:
                faults.add("missing", "pin", person)
            elif pin is not None and pin.edition < edition:
                faults.add("older", "pin", person)
        await self._compare_phones(services, faults)

    def _expected(self, faults: Faults) -> dict[UUID, int]:
        """The wrong PINs that each card has seen since the last right one, as the log counts them.
        Names those whose counts were reset: barred cards that opened, guesses counted twice."""
        expected: dict[UUID, int] = {}
        for tries in self._tries.values():
            wrong: dict[UUID, int] = {}
            barred: set[UUID] = set()
            for one in sorted(tries, key=lambda one: one.place):
                if one.card is None:  # a new PIN, for every card that was not stopped
                    wrong = {card: seen for card, seen in wrong.items() if seen == STOPPED}
                    barred &= set(wrong)
                elif one.wrong:
                    if one.wrong < wrong.get(one.card, 0) + (not one.barred):
                        faults.add("guesses", "card", one.card)
                    wrong[one.card] = one.wrong
                    barred |= {one.card} if one.barred else set()
                    barred -= {one.card} if one.freed else set()
                else:
                    if one.opened and one.card in barred:
                        faults.add("guesses", "card", one.card)
                    wrong.pop(one.card, None)
                    barred.discard(one.card)
            expected |= wrong
        return expected

    async def _compare_phones(self, services: Services, faults: Faults) -> None:
        for person, (_, expected) in self._phones.items():
            row = self._people.get(person)
            if row is None:
                continue
            tag = row.phone_tag
            held = None if tag is None else await means_id(services, person, tag)
            if held != expected:
                faults.add("older", "person", person)
