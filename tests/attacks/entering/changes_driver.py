"""The same people change their means: PINs, cards, phones; theirs, and by mistake another's."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.attacks.entering.driver import CHOSEN, Means
from tests.attacks.entering.model import CHOSEN_A_DAY, Vault
from tests.auth.means_steps import wrong
from tests.fixtures import last_code, new_phone


class Changes(Means):
    """A driver that also changes what it enters by."""

    def _ready(self, vault: Vault) -> None:
        """Let a day pass, mostly, once five PINs were chosen; and until it is sure which count."""
        if self.doors.chosen_today(vault) >= CHOSEN_A_DAY and self.random.random() < 0.6:
            self.move(86_400)
        while self.doors.are_counts_unsure(vault):
            self.move(3_671)

    def _forget(self, vault: Vault, headers: dict[str, str]) -> None:
        kept = headers["Authorization"].removeprefix("Bearer ")
        living = set(self.doors.lives(vault))
        self.ended += [one for one in self.doors.end_others(vault, kept) if one in living]

    def _remember(self, vault: Vault) -> None:
        if vault.pin:
            self.former_pins.append(vault.pin)

    async def _proof(self, vault: Vault, headers: dict[str, str]) -> dict[str, Any] | None:
        """What a vault asks for: its PIN, with a card where it has no phone; or a code. Nothing
        where no card of theirs opens, and sometimes; and sometimes a wrong PIN."""
        cards = [one for one in vault.cards if not self.doors.is_barred(one)]
        if self.random.random() < 0.06 or not (vault.phone or cards):
            return None
        if vault.pin is None:
            sent = await self.http.post("/v1/me/proof/code", headers=headers)
            assert sent.status_code == 202, sent.text
            begun = sent.json()
            code = await last_code(self.services, vault.phone or "")
            return {"id": begun["id"], "secret": begun["secret"], "code": code}
        pin = wrong(vault.pin) if self.random.random() < 0.12 else vault.pin
        if vault.phone:
            return {"pin": pin}
        return {"pin": pin, "card": self.printed[cards[0]][self.random.choice(["code", "secret"])]}

    def _before_proof(self, vault: Vault) -> None:
        """Wait until a code may be sent, and until it is sure what counts."""
        while self.doors.are_counts_unsure(vault):
            self.move(3_671)
        if vault.pin is None:
            self.may_ask(vault.phone or "")

    async def _change(
        self,
        vault: Vault,
        headers: dict[str, str],
        request: tuple[str, str, dict[str, Any]],
        why: Callable[[], str],
    ) -> tuple[httpx.Response, str]:
        """A change, with what they show; and what must come of it."""
        proof = await self._proof(vault, headers)
        right = None if proof is None else proof.get("pin") == vault.pin
        refused = self.doors.prove(vault, right)
        method, path, body = request
        shown = body if proof is None else {**body, "proof": proof}
        answer = await self.http.request(method, path, headers=headers, json=shown)
        return answer, refused or why()

    async def choose_pin(self) -> None:
        vault = self.someone()
        self._before_proof(vault)
        headers = await self._session(vault)
        pin, former = await self.pin_for(vault), vault.pin
        body = {"pin": pin, "again": pin}
        answer, why = await self._change(
            vault, headers, ("PUT", "/v1/me/pin", body), lambda: self.doors.choose(vault, pin)
        )
        self.expect(answer, CHOSEN[why], "PIN", why)
        if why == "chosen":
            self.former_pins += [former] if former else []
            self._forget(vault, headers)

    async def weak_pin(self) -> None:
        """One that many choose, or that is not typed twice alike: it costs nothing."""
        vault = self.someone()
        pin = self.random.choice(["123456", "000000", "1234", "1985", "121212"])
        body = {"pin": pin, "again": pin}
        if self.random.random() < 0.3:
            body = {"pin": "480617", "again": "480618"}
        headers = await self._session(vault)
        answer = await self.http.put("/v1/me/pin", headers=headers, json=body)
        self.expect(answer, 422, "PIN", "weak or mistyped")

    async def _session(self, vault: Vault) -> dict[str, str]:
        self._ready(vault)
        return await self.inside(vault)

    async def make_card(self) -> None:
        """One more, or in the place of one: of theirs, or by mistake of another."""
        vault = self.someone()
        self._before_proof(vault)
        headers = await self._session(vault)
        former = vault.pin
        pin, replaces = await self.pin_for(vault), None
        if self.random.random() < 0.4:
            replaces = self.some_card()
            if vault.cards and self.random.random() < 0.7:
                replaces = self.random.choice(list(vault.cards))
        self._remember(vault)
        body = {"pin": pin, "again": pin, **({"replaces": replaces} if replaces else {})}
        answer, why = await self._change(
            vault,
            headers,
            ("POST", "/v1/me/cards", body),
            lambda: self.doors.add_card(vault, pin, replaces),
        )
        self.expect(answer, CHOSEN[why], "card", why)
        if answer.is_success:
            made = answer.json()
            vault.cards[made["id"]] = 0
            self.printed[made["id"]] = {**made, "owner": str(vault.id)}
        if why == "replaced" or (why == "added" and pin != former):
            self._forget(vault, headers)

    async def add_phone(self) -> None:
        """A new one, their own again, or another's."""
        vault = self.someone()
        phone = self.random.choice([*self.phones, new_phone()])
        alone = [one.phone for one in self.doors.vaults.values() if one.phone and one.pin]
        if alone and self.random.random() < 0.6:
            phone = self.random.choice(alone)
        if phone not in self.phones:
            self.phones.append(phone)
        while self.doors.added(phone).is_unsure(self.doors.now):
            self.move(3_671)
        self._before_proof(vault)
        self.may_ask(phone)
        headers = await self._session(vault)
        sent = await self.http.post("/v1/me/phones", headers=headers, json={"phone": phone})
        assert sent.status_code == 202, sent.text
        begun, code = sent.json(), await last_code(self.services, phone)
        pin, former = await self.pin_for(vault), vault.pin
        there = [one.pin for one in self.doors.on_phone(phone) if one.id != vault.id and one.pin]
        if there and self.random.random() < 0.25 and await self.may_choose(vault, there[0]):
            pin = there[0]
        self._remember(vault)
        body = {"secret": begun["secret"], "code": code, "pin": pin, "again": pin}
        path = f"/v1/me/phones/{begun['id']}"
        answer, why = await self._change(
            vault,
            headers,
            ("POST", path, body),
            lambda: self.doors.add_phone(vault, phone, pin),
        )
        self.expect(answer, CHOSEN[why], "phone", why)
        if why.startswith("replaced") or (why.startswith("added") and pin != former):
            self._forget(vault, headers)

    async def remove(self) -> None:
        """A card or the phone; sometimes the last one, or another's."""
        vault = self.someone()
        self._before_proof(vault)
        headers = await self.inside(vault)
        answer = await self.http.get("/v1/me/means", headers=headers)
        phones = [one["id"] for one in answer.json()["items"] if one["kind"] == "phone"]
        card: str | None = self.some_card()
        mine = [*vault.cards, None] if vault.phone else list(vault.cards)
        if card is None or self.random.random() < 0.8:
            card = self.random.choice(mine)
        path = f"/v1/me/means/{card or phones[0]}"
        answer, why = await self._change(
            vault, headers, ("DELETE", path, {}), lambda: self.doors.remove(vault, card)
        )
        self.expect(answer, CHOSEN[why], "remove card" if card else "remove phone", why)
        if why == "removed":
            self._forget(vault, headers)

    async def free(self) -> None:
        """A card that wrong PINs barred; sometimes another's."""
        barred = [card for card in self.printed if self.doors.is_barred(card)]
        card = self.random.choice(barred) if barred else self.some_card()
        vault = self.doors.owner_of(card or "")
        if vault is None or self.random.random() < 0.25:
            vault = self.someone()
        if card is not None:
            self._before_proof(vault)
            headers, path = await self.inside(vault), f"/v1/me/means/{card}/free"
            answer, why = await self._change(
                vault, headers, ("POST", path, {}), lambda: self.doors.free(vault, card)
            )
            self.expect(answer, CHOSEN[why], "free", why)

    def rules(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        return [
            *super().rules(), (self.choose_pin, 6), (self.weak_pin, 2), (self.make_card, 9),
            (self.add_phone, 9), (self.remove, 9), (self.free, 7),
        ]  # fmt: skip
