"""Guessing PINs: of stolen cards, from many addresses, with a stolen database; and by the clock."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import text

from auth import (
    administration,
    card_codes,
    card_secrets,
    desk_cards,
    pin_hashes,
    pin_sign_ins,
)
from auth.subjects import Worker
from auth.visitor import Visitor
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.auth.means_steps import (
    add_card,
    enter,
    means,
    pin_of,
    remove,
    type_pin,
    wrong,
)
from tests.fixtures import MakePerson, MakeWorker, SomePerson
from vault.services import Services

CARDS, ADDRESSES = 50, 100
GUESSES = int(os.environ.get("PIN_GUESSES", "2500"))
"""Ten times what bars a card, for each; ten thousand in `make entering`. All after the fifth are
refused in the same way."""


@pytest.mark.slow
@pytest.mark.timeout(0 if "PIN_GUESSES" in os.environ else 400)
async def test_thousands_of_pins_from_a_hundred_addresses(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against 50 cards; the last guess at each is right, and comes too late."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)  # what is counted here is not their time
    people = [await make_person() for _ in range(CARDS)]
    pins = [await pin_of(services, one) for one in people]
    cards = [await add_card(client, one, pin) for one, pin in zip(people, pins, strict=True)]
    begun: list[pin_sign_ins.PendingPin] = []
    opened = 0
    busy = asyncio.Semaphore(16)

    async def guess(card: int, number: int) -> None:
        nonlocal opened
        right = number == GUESSES // CARDS - 1
        visitor = Visitor(network=f"192.0.2.{number % ADDRESSES}")
        pin = pins[card] if right else f"{(int(pins[card]) + number + 1) % 10**6:06}"
        async with busy:
            try:
                await pin_sign_ins.redeem_pin(
                    services, begun[card].id, secret=begun[card].secret, pin=pin, visitor=visitor
                )
                opened += 1
            except ServiceError as failure:
                assert failure.code == "pin_wrong"

    for number in range(GUESSES // CARDS):
        if number % pin_sign_ins.STEP_TRIES == 0:
            begun = [await pin_sign_ins.begin_with_card(services, one["code"]) for one in cards]
        await asyncio.gather(*(guess(card, number) for card in range(CARDS)))
    compared = await _compared(services, [one["id"] for one in cards])
    print(f"{GUESSES} PINs of {CARDS} cards: {compared} compared, {opened} cards opened")
    assert opened == 0
    assert compared == 5 * CARDS


async def _compared(services: Services, ids: list[str]) -> int:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT sum(wrong) FROM unefois.card WHERE id::text = ANY(:ids)"), {"ids": ids}
        )
        return int(found.scalar_one())


async def _stolen(services: Services, card_id: str) -> tuple[Any, Any]:
    """What a thief of the database has of a card and of its PIN."""
    async with services.database.transaction() as tx:
        card = (
            await tx.execute(
                text("SELECT * FROM unefois.card WHERE id::text = :id"), {"id": card_id}
            )
        ).one()
        pin = (
            await tx.execute(
                text("SELECT * FROM unefois.pin WHERE person_id = :id"), {"id": card.person_id}
            )
        ).one()
    return card, pin


def _argon2id(pin: str, row: Any, pepper: bytes | None) -> bytes:
    """As docs/adr/0051 says, without our code."""
    return Argon2id(
        salt=row.salt, length=32, iterations=2, lanes=1, memory_cost=19 * 1024,
        ad=row.person_id.bytes, secret=pepper,
    ).derive(pin.encode())  # fmt: skip


async def test_a_stolen_database_and_card_compare_nothing_without_the_keyring(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    made = await add_card(client, person, pin)
    card, row = await _stolen(services, made["id"])
    code = card_codes.read(made["code"]).text
    proof = card_secrets.open_verifier(code, card.id, card.edition, card.pin_sealed)
    assert proof is not None  # the thief has what a guess is compared with,
    for pepper in (None, bytes(32), secrets.token_bytes(32)):
        assert _argon2id(pin, row, pepper) != proof  # and not what a guess is made with
    pepper = await services.field_encryption.tag("pin-pepper", row.person_id.bytes)
    assert _argon2id(pin, row, pepper) == proof


async def test_a_stolen_database_and_keyring_compare_nothing_without_the_card(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Of a vault without a phone: nothing that proves its PIN opens."""
    person = await make_person()
    pin = await pin_of(services, person)
    made = await add_card(client, person, pin)
    phone = (await means(client, person.headers))[0]
    gone = await remove(client, person, phone["id"])
    assert gone.status_code == 204
    card, row = await _stolen(services, made["id"])
    assert row.sealed is None
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    info = b"unefois/card-pin/v1|" + card.id.bytes + card.edition.to_bytes(4, "big")
    for guessed in (X25519PrivateKey.generate(), card_secrets.private_key("0" * 20)):
        with pytest.raises(Exception):  # noqa: B017  (it does not open)
            suite.decrypt(card.pin_sealed, guessed, info)
    code = card_codes.read(made["code"]).text
    right = suite.decrypt(card.pin_sealed, card_secrets.private_key(code), info)
    assert len(right) == 32
    assert (await enter(client, made["code"], pin)).status_code == 201


@pytest.mark.slow
async def test_a_card_takes_as_long_whatever_it_is(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Unknown, dead, barred, and a working one with a wrong PIN: in turn, the fastest of each. A
    busy machine gets more turns: what costs more is never as fast."""
    person: SomePerson = await make_person()
    pin = await pin_of(services, person)
    barred, dead = [await add_card(client, person, pin) for _ in range(2)]
    for _ in range(5):
        await enter(client, barred["code"], wrong(pin))
    await remove(client, person, dead["id"])
    unknown = card_codes.new_code(card_codes.read(dead["code"]).mark)
    cards = {"barred": barred["code"], "dead": dead["code"], "unknown": unknown}
    fastest = dict.fromkeys(cards, 60.0)
    for turn in range(300):
        for name, code in cards.items():
            one = await pin_sign_ins.begin_with_card(services, code)
            begun = {"id": str(one.id), "secret": one.secret}
            began = perf_counter()
            assert (await type_pin(client, begun, pin)).status_code == 401
            fastest[name] = min(fastest[name], perf_counter() - began)
        if turn >= 25 and max(fastest.values()) - min(fastest.values()) < 0.010:
            break
    print(fastest)
    assert max(fastest.values()) - min(fastest.values()) < 0.010


@pytest.mark.parametrize("act", [desk_cards.free, desk_cards.stop])
async def test_nobody_whom_no_desk_lets_learns_by_the_clock_what_a_card_is(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    act: Callable[[Services, Worker, str], Awaitable[None]],
) -> None:
    """A worker without the right, and one beyond the pace: the same statements, and no card among
    them, whether it is barred, works, is dead or unknown. Of equal work, no clock tells."""
    person, outsider, hasty = await make_person(), await make_worker(), await make_worker()
    await administration.let_open_vaults(services, hasty.organisation_id, allowed=True)
    pin = await pin_of(services, person)
    barred, works, dead = [await add_card(client, person, pin) for _ in range(3)]
    for _ in range(5):
        await enter(client, barred["code"], wrong(pin))
    await remove(client, person, dead["id"])
    unknown = card_codes.new_code(card_codes.read(dead["code"]).mark)
    with statements(services) as let:
        await act(services, hasty.subject, unknown)
    assert _about_cards(let)  # they are seen
    for _ in range(desk_cards.AT_ONCE - 1):
        await act(services, hasty.subject, unknown)
    for worker, said in ((outsider, "desk_not_allowed"), (hasty, "too_many_desk_cards")):
        costs = []
        for card in (unknown, barred["code"], works["code"], dead["code"]):
            with statements(services) as sent, pytest.raises(ServiceError, match=said):
                await act(services, worker.subject, card)
            costs.append(list(sent))
        assert all(cost == costs[0] for cost in costs)
        assert costs[0]
        assert not _about_cards(costs[0])


def _about_cards(sent: Sequence[str]) -> bool:
    return any("card" in statement.lower() for statement in sent)
