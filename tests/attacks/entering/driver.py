"""People who do at random what may be done with phones, cards and PINs, over HTTP; the model says
what must come of it. Who enters is read from the session that was opened."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import httpx

from auth import pin_hashes, sessions
from auth.subjects import Person
from tests.attacks.entering.model import STEP_LIFE, STEP_TRIES, Doors, Step, Vault
from tests.attacks.pace import Clock
from tests.auth.means_steps import type_code, wrong
from tests.fixtures import last_code, new_phone
from vault.services import Services

MOST_PEOPLE = 9
PINS = (
    "480672",
    "719305",
    "306184",
    "952713",
    "627490",
    "835062",
    "274861",
    "4816",
    "7293",
    "6150",
)
"""Few, so that two people of a phone often want the same one."""
CHOSEN = {"chosen": 204, "added": 201, "replaced": 201, "added, shared": 201,
          "replaced, shared": 201, "too often": 429, "the other's": 422, "not theirs": 404,
          "too many": 409, "another has no PIN": 409, "two are there": 409, "last": 409,
          "removed": 204, "freed": 204, "freed, not barred": 204, "nothing shown": 403,
          "wrong proof": 403, "no more proofs": 429}  # fmt: skip


@dataclass
class Means:
    """A driver of one world. `tally`: how often each thing happened; `told`: the last of them."""

    services: Services
    http: httpx.AsyncClient
    clock: Clock
    random: Random
    doors: Doors
    tally: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    printed: dict[str, dict[str, str]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    former_pins: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    asked: dict[str, list[datetime]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)

    # The clock, and what happened

    def move(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.doors.now += timedelta(seconds=seconds)

    def tell(self, kind: str, why: str, *more: object) -> None:
        self.tally[f"{kind}: {why}"] += 1
        self.told.append(f"{self.doors.now:%d %H:%M:%S} {kind}: {why} {more or ''}")

    def expect(self, answer: httpx.Response, status: int, kind: str, why: str) -> None:
        self.tell(kind, why, answer.status_code)
        assert answer.status_code == status, (kind, why, status, answer.text)

    # People

    def someone(self) -> Vault:
        return self.random.choice(list(self.doors.vaults.values()))

    async def new_person(self) -> None:
        """A new phone, and its code."""
        phone = new_phone()
        self.phones.append(phone)
        await self.by_phone(phone)

    async def entered(
        self, opened: dict[str, Any], expected: UUID | None, phone: str | None = None
    ) -> None:
        """A session was opened: it is that of whom the model lets in; None for a new vault."""
        token = opened["token"]
        async with self.services.database.transaction() as tx:
            subject = await sessions.subject_of(self.services, tx, token, used=False)
        assert isinstance(subject, Person)
        if expected is None:
            assert subject.id not in self.doors.vaults
            self.doors.vaults[subject.id] = Vault(subject.id, phone)
        assert subject.id == (expected or subject.id), "the wrong vault opens"
        ends = datetime.fromisoformat(opened["expires_at"])
        self.doors.vaults[subject.id].sessions[token] = ends

    async def inside(self, vault: Vault) -> dict[str, str]:
        """One of their sessions; one that the test opens, where all have ended."""
        living = self.doors.lives(vault)
        if not living:
            async with self.services.database.transaction() as tx:
                opened = await sessions.open_session(
                    self.services, tx, kind="person", subject_id=vault.id
                )
            vault.sessions[opened.token] = opened.expires_at
            living = [opened.token]
        return {"Authorization": f"Bearer {self.random.choice(living)}"}

    async def pin_for(self, vault: Vault) -> str:
        """One that this person may choose: no decoy of theirs; sometimes that of the other."""
        while True:
            pin = self.random.choice(PINS)
            others = self.doors.on_phone(vault.phone or "")
            if self.random.random() < 0.3 and any(one.pin for one in others):
                pin = self.random.choice([one.pin for one in others if one.pin])
            if await self.may_choose(vault, pin):
                return pin

    async def may_choose(self, vault: Vault, pin: str) -> bool:
        """No decoy of theirs: one PIN in twenty is refused for no reason."""
        return not await pin_hashes.is_decoy(self.services, vault.id, pin)

    def typed_pin(self, owner: Vault | None) -> str:
        """What is typed: often right, or wrong, or another's, or one of before."""
        right = owner.pin if owner is not None and owner.pin else self.random.choice(PINS)
        drawn = self.random.random()
        if drawn < 0.6:
            return right
        return wrong(right) if drawn < 0.8 else self.random.choice([*PINS, *self.former_pins[-8:]])

    # Entering

    async def type_pin(self, step: Step, pin: str) -> str:
        while step.phone and self.doors.is_unsure(step.phone):
            self.move(3_671)
        who, why = self.doors.type_pin(step, pin)
        body = {"secret": step.secret, "pin": pin}
        answer = await self.http.post(f"/v1/sign-ins/{step.id}", json=body)
        kind = "card and PIN" if step.card else "code and PIN"
        self.expect(answer, 401 if who is None else 201, kind, why)
        if who is not None:
            await self.entered(answer.json(), who)
        else:
            assert answer.json()["code"] == "pin_wrong"
        return why

    async def show_card(self, card: str) -> Step:
        shown = self.printed[card][self.random.choice(["code", "secret"])]
        answer = await self.http.post("/v1/sign-ins", json={"card": shown})
        self.expect(answer, 202, "card", "shown")
        begun = answer.json()
        self.steps.append(Step(begun["id"], begun["secret"], self.doors.now, card=card))
        return self.steps[-1]

    def some_card(self) -> str | None:
        """Printed once; mostly one that lives."""
        living = [card for one in self.doors.vaults.values() for card in one.cards]
        cards = living if living and self.random.random() < 0.75 else list(self.printed)
        return self.random.choice(cards) if cards else None

    async def by_card(self) -> None:
        card = self.some_card()
        if card is not None:
            step = await self.show_card(card)
            if self.random.random() < 0.8:
                await self.type_pin(step, self.typed_pin(self.doors.owner_of(card)))

    async def dead_card(self) -> None:
        """One that was removed or replaced, with the PIN that its person has now."""
        dead = [card for card in self.printed if self.doors.owner_of(card) is None]
        if dead:
            card = self.random.choice(dead)
            owner = self.doors.vaults[UUID(self.printed[card]["owner"])]
            await self.type_pin(await self.show_card(card), owner.pin or "")

    async def bar_card(self) -> None:
        """Wrong PINs until no more is compared; then the right one."""
        card = self.some_card()
        owner = self.doors.owner_of(card or "")
        if card is None or owner is None or owner.pin is None:
            return
        step = await self.show_card(card)
        for _ in range(self.random.randint(2, 6)):
            await self.type_pin(step, wrong(owner.pin))
        if self.random.random() < 0.5:
            step = await self.show_card(card)
        await self.type_pin(step, owner.pin)

    async def pending_pin(self) -> None:
        """A PIN for a sign-in that was begun before: its card may be gone since, or it is late."""
        if self.steps:
            step = self.random.choice(self.steps[-6:])
            there = self.doors.on_phone(step.phone or "")
            owner = self.doors.owner_of(step.card or "")
            await self.type_pin(step, self.typed_pin(owner or (there[0] if there else None)))

    async def used_or_late(self) -> None:
        """A right PIN, again under the same sign-in; or eleven minutes after the card was shown."""
        card = self.some_card()
        owner = self.doors.owner_of(card or "")
        if card is not None and owner is not None and owner.pin:
            step = await self.show_card(card)
            if self.random.random() < 0.5:
                await self.type_pin(step, owner.pin)
            else:
                self.move(STEP_LIFE.total_seconds() + self.random.choice([0, 60]))
            await self.type_pin(step, owner.pin)

    def may_ask(self, phone: str) -> None:
        """Wait until the phone gets a code of its own: four in an hour, a minute apart."""
        asked = self.asked.setdefault(phone, [])
        if asked and self.doors.now - asked[-1] < timedelta(seconds=61):
            self.move(61)
        if len([at for at in asked if self.doors.now - at < timedelta(hours=1)]) >= 4:
            self.move(3_601)
        asked.append(self.doors.now)

    async def by_phone(self, phone: str | None = None) -> None:
        """A code, and its PIN if one is asked."""
        to = phone or self.random.choice(self.phones)
        if not self.doors.on_phone(to) and len(self.doors.vaults) >= MOST_PEOPLE:
            return
        self.may_ask(to)
        who, why = self.doors.type_code(to)
        begun, answer = await type_code(self.http, self.services, to)
        self.expect(answer, 202 if why == "pin asked" else 201, "code", why)
        if why == "pin asked":
            step = Step(begun["id"], begun["secret"], self.doors.now, phone=to)
            self.steps.append(step)
            if self.random.random() < 0.85:
                there = self.doors.on_phone(to)
                await self.type_pin(step, self.typed_pin(self.random.choice(there)))
            return
        await self.entered(answer.json(), who, to)

    async def wrong_code(self) -> None:
        """A wrong code asks no PIN and opens nothing."""
        to = self.random.choice(self.phones)
        self.may_ask(to)
        begun = (await self.http.post("/v1/sign-ins", json={"phone": to})).json()
        code = wrong(await last_code(self.services, to))
        body = {"secret": begun["secret"], "code": code}
        answer = await self.http.post(f"/v1/sign-ins/{begun['id']}", json=body)
        self.expect(answer, 401, "code", "wrong")

    async def guess_on_phone(self) -> None:
        """Wrong PINs after one code; then a right one, of either."""
        there = [one for one in self.doors.vaults.values() if one.phone and one.pin]
        if not there:
            return
        owner = self.random.choice(there)
        phone, pin = owner.phone or "", owner.pin or ""
        self.may_ask(phone)
        begun, answer = await type_code(self.http, self.services, phone)
        self.expect(answer, 202, "code", "pin asked")
        step = Step(begun["id"], begun["secret"], self.doors.now, phone=phone)
        self.steps.append(step)
        pins = {one.pin for one in self.doors.on_phone(phone)}
        bad = next(one for one in ("158204", "158214", "158224") if one not in pins)
        for _ in range(self.random.choice([1, 3, 3, 5])):
            await self.type_pin(step, bad)
        await self.type_pin(await self.another_code(step), pin)

    async def another_code(self, step: Step) -> Step:
        """A code of the same phone again, where no PIN is taken under this one any more."""
        if step.tried < STEP_TRIES:
            return step
        phone = step.phone or ""
        self.may_ask(phone)
        begun, answer = await type_code(self.http, self.services, phone)
        self.expect(answer, 202, "code", "pin asked")
        self.steps.append(Step(begun["id"], begun["secret"], self.doors.now, phone=phone))
        return self.steps[-1]

    # Looking

    async def sessions_of_all(self) -> None:
        """An open one shows one's own means, and an ended one nothing."""
        vault = self.someone()
        answer = await self.http.get("/v1/me/means", headers=await self.inside(vault))
        self.expect(answer, 200, "session", "open")
        items = answer.json()["items"]
        cards = {one["id"]: one["barred"] for one in items if one["kind"] == "card"}
        assert cards == {card: self.doors.is_barred(card) for card in vault.cards}
        phones = [one["label"] for one in items if one["kind"] == "phone"]
        assert phones == ([vault.phone[-2:]] if vault.phone else [])
        for token in self.random.sample(self.ended, min(2, len(self.ended))):
            gone = {"Authorization": f"Bearer {token}"}
            answer = await self.http.get("/v1/me/means", headers=gone)
            self.expect(answer, 401, "session", "ended with a means")

    async def time_passes(self) -> None:
        how_long = self.random.choice([20, 70, 200, 400, 700, 2_000, 12_000, 30_000, 90_000])
        self.move(how_long + self.random.random())
        self.tell("clock", "moved")

    def rules(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        """What may be done, and how often."""
        return [
            (self.by_card, 12), (self.by_phone, 10), (self.pending_pin, 8), (self.bar_card, 5),
            (self.dead_card, 4), (self.used_or_late, 3), (self.wrong_code, 2),
            (self.guess_on_phone, 5), (self.sessions_of_all, 6), (self.time_passes, 7),
        ]  # fmt: skip
