"""Whom the doors let in, as docs/adr/0051 and 0052 say it: dicts and sets, and none of our code.

A vault is its phone, its PIN, its cards with the wrong PINs that each has seen, and its sessions.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

DAY = timedelta(days=1)
STEP_LIFE = timedelta(minutes=10)
STEP_TRIES = 5
MOST_CARDS = 4
CHOSEN_A_DAY = 5
MOST_ON_A_PHONE = 2

Verdict = tuple[UUID | None, str]
"""Whose vault opens, if one does, and why, for the tally."""


@dataclass(slots=True)
class Bucket:
    """So many at once, five where it is not said; then one at a time."""

    every: timedelta
    level: float = 5.0
    most: float = 5.0
    at: datetime | None = None

    def now(self, now: datetime) -> float:
        """How many there are; near a whole one, nobody can say which side of it."""
        if self.at is not None:
            self.level = min(self.most, self.level + (now - self.at) / self.every)
        self.at = now
        return self.level

    def take(self, now: datetime) -> bool:
        if self.now(now) < 1:
            return False
        self.level -= 1
        return True

    def is_unsure(self, now: datetime) -> bool:
        return abs(self.now(now) - 1) < 0.01


@dataclass(slots=True)
class Vault:
    """One person's."""

    id: UUID
    phone: str | None
    pin: str | None = field(default=None, repr=False)
    cards: dict[str, int] = field(default_factory=dict)
    """Wrong PINs since the last right one, by card."""
    sessions: dict[str, datetime] = field(default_factory=dict, repr=False)
    """When each ends, by token."""
    wrong_proofs: list[datetime] = field(default_factory=list)
    choices: list[datetime] = field(default_factory=list)
    """When PINs were chosen, whatever became of them."""


@dataclass(slots=True)
class Step:
    """A sign-in that waits for a PIN: a card was shown, or a phone's code typed."""

    id: str
    secret: str = field(repr=False)
    began: datetime
    card: str | None = None
    phone: str | None = None
    used: bool = False
    tried: int = 0


def tries(pin: str | None) -> int:
    """Six digits, five wrong ones; four digits, three."""
    return 3 if pin is not None and len(pin) == 4 else 5


class Doors:
    """Everyone's means, and the clock."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.vaults: dict[UUID, Vault] = {}
        self.phones_added: dict[str, Bucket] = {}
        self.wrong_on: dict[str, list[datetime]] = {}

    # Who is there

    def on_phone(self, phone: str) -> list[Vault]:
        return [one for one in self.vaults.values() if one.phone == phone]

    def owner_of(self, card: str) -> Vault | None:
        return next((one for one in self.vaults.values() if card in one.cards), None)

    def is_barred(self, card: str) -> bool:
        owner = self.owner_of(card)
        return owner is not None and owner.cards[card] >= tries(owner.pin)

    def lives(self, vault: Vault) -> list[str]:
        """The sessions that are open."""
        return [token for token, ends in vault.sessions.items() if ends > self.now]

    # Entering

    def type_code(self, phone: str) -> Verdict:
        """A right code of a phone: a new vault, the only one, or the question of a PIN."""
        there = self.on_phone(phone)
        if not there:
            return None, "new vault"
        alone = there[0] if len(there) == 1 else None
        return (alone.id, "in") if alone and alone.pin is None else (None, "pin asked")

    def type_pin(self, step: Step, pin: str) -> Verdict:
        """The PIN after a card or a code."""
        if step.used or self.now >= step.began + STEP_LIFE:
            return None, "used" if step.used else "late"
        if step.tried >= STEP_TRIES:
            return None, "tried too often"
        step.tried += 1
        who, why = self._card(step.card, pin) if step.card else self._phone(step.phone or "", pin)
        step.used = who is not None
        return who, why

    def _card(self, card: str, pin: str) -> Verdict:
        owner = self.owner_of(card)
        if owner is None:
            return None, "dead card"
        if self.is_barred(card):
            return None, "barred, right PIN" if pin == owner.pin else "barred"
        if pin != owner.pin:
            owner.cards[card] += 1
            return None, "wrong"
        owner.cards[card] = 0
        return owner.id, "in"

    def _phone(self, phone: str, pin: str) -> Verdict:
        there, guesses = self.on_phone(phone), self._guesses(phone, DAY)
        owner = next((one for one in there if one.pin == pin), None)
        if guesses >= tries(None):
            return None, "no more today, right PIN" if owner else "no more today"
        if owner is not None and guesses < tries(pin):
            return owner.id, "in, of two" if len(there) > 1 else "in"
        self.wrong_on.setdefault(phone, []).append(self.now)
        return None, "nobody there" if not there else "four digits, right PIN" if owner else "wrong"

    def _guesses(self, phone: str, within: timedelta) -> int:
        return len([at for at in self.wrong_on.get(phone, []) if at > self.now - within])

    def is_unsure(self, phone: str) -> bool:
        """A day is counted in hours: what is a day and less than an hour old may count, or not."""
        longer = DAY + timedelta(hours=1, seconds=1)
        return self._guesses(phone, DAY) != self._guesses(phone, longer)

    # Changing means

    def prove(self, vault: Vault, right: bool | None) -> str | None:
        """Why a change is not even looked at: nothing is shown, or it is wrong."""
        if right is None:
            return "nothing shown"
        if len([at for at in vault.wrong_proofs if at > self.now - DAY]) >= tries(vault.pin):
            return "no more proofs"
        if not right:
            vault.wrong_proofs.append(self.now)
            return "wrong proof"
        return None

    def are_counts_unsure(self, vault: Vault) -> bool:
        """As `is_unsure`, of wrong proofs and of PINs that were chosen."""
        since = self.now - DAY
        longer = since - timedelta(hours=1, seconds=1)
        return any(longer < at <= since for at in (*vault.wrong_proofs, *vault.choices))

    def _may_choose(self, vault: Vault) -> bool:
        """Five times a day."""
        if self.chosen_today(vault) >= CHOSEN_A_DAY:
            return False
        vault.choices.append(self.now)
        return True

    def chosen_today(self, vault: Vault) -> int:
        return len([at for at in vault.choices if at > self.now - DAY])

    def _put_pin(self, vault: Vault, pin: str) -> None:
        vault.pin = pin
        vault.cards = dict.fromkeys(vault.cards, 0)

    def _is_taken(self, vault: Vault, phone: str | None, pin: str) -> bool:
        there = self.on_phone(phone) if phone else []
        return pin in {one.pin for one in there if one.id != vault.id}

    def choose(self, vault: Vault, pin: str) -> str:
        """Another PIN for all means."""
        if not self._may_choose(vault):
            return "too often"
        if self._is_taken(vault, vault.phone, pin):
            return "the other's"
        self._put_pin(vault, pin)
        return "chosen"

    def add_card(self, vault: Vault, pin: str, replaces: str | None) -> str:
        """A card more, or in the place of another; `add_made` says which one it was."""
        if not self._may_choose(vault):
            return "too often"
        if replaces is not None and replaces not in vault.cards:
            return "not theirs"
        if self._is_taken(vault, vault.phone, pin):
            return "the other's"
        if len(vault.cards) - (replaces is not None) >= MOST_CARDS:
            return "too many"
        self._put_pin(vault, pin)
        if replaces is not None:
            del vault.cards[replaces]
        return "added" if replaces is None else "replaced"

    def add_phone(self, vault: Vault, phone: str, pin: str) -> str:
        """Its code was right."""
        if not self._may_choose(vault):
            return "too often"
        others = [one for one in self.on_phone(phone) if one.id != vault.id]
        if any(one.pin is None for one in others):
            return "another has no PIN"
        if len(others) >= MOST_ON_A_PHONE:
            return "two are there"
        if vault.phone != phone and not self.added(phone).take(self.now):
            return "too often"
        if self._is_taken(vault, phone, pin):
            return "the other's"
        former, vault.phone = vault.phone, phone
        self._put_pin(vault, pin)
        if former is not None:
            return "replaced, shared" if others else "replaced"
        return "added, shared" if others else "added"

    def added(self, phone: str) -> Bucket:
        """How often a phone may be added by who does not have it, whoever they are: three times,
        then once a day."""
        return self.phones_added.setdefault(phone, Bucket(DAY, 3.0, 3.0))

    def remove(self, vault: Vault, card: str | None) -> str:
        """A card, or the phone."""
        if (card is not None and card not in vault.cards) or (card is None and vault.phone is None):
            return "not theirs"
        cards = [one for one in vault.cards if one != card and not self.is_barred(one)]
        if not cards and (card is None or vault.phone is None):
            return "last"
        if card is None:
            vault.phone = None
        else:
            del vault.cards[card]
        return "removed"

    def free(self, vault: Vault, card: str) -> str:
        """Forget a card's wrong PINs."""
        if card not in vault.cards:
            return "not theirs"
        was = "freed" if self.is_barred(card) else "freed, not barred"
        vault.cards[card] = 0
        return was

    def end_others(self, vault: Vault, kept: str) -> list[str]:
        """A means went: the sessions elsewhere went with it."""
        ended = [token for token in vault.sessions if token != kept]
        vault.sessions = {kept: vault.sessions[kept]}
        return ended
