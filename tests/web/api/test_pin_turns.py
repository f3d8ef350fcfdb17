"""Who tries many PINs waits for their own: nobody else does, no connection is held, and the log of
a card's person is not filled."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import card_codes, pin_hashes, pin_sign_ins
from auth.visitor import Visitor
from base.errors import ServiceError
from tests.auth.means_steps import (
    add_card,
    add_phone,
    choose_pin,
    enter,
    know,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of
from tests.fixtures import MakePerson, MoveClock, SomePerson, new_phone
from vault.services import Services

NEVER = "111999"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is not the time that a PIN takes."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


class Waiting:
    """Derivations of `NEVER` begin, and wait until they may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        derive = pin_hashes._argon2id

        def waiting(pin: str, *more: Any) -> bytes:
            if pin == NEVER:
                self.began.set()
                self.go_on.wait(20)
            return derive(pin, *more)

        monkeypatch.setattr(pin_hashes, "_argon2id", waiting)


@pytest.mark.parametrize("cards", [1, 4], ids=["one card", "four cards"])
async def test_many_pins_from_one_network_keep_no_other_waiting(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
    cards: int,
) -> None:
    pin, *_ = await usable_pins(services, person)
    card = await add_card(client, person, pin)
    mark = card_codes.read(card["code"]).mark
    waiting = Waiting(monkeypatch)

    async def type_in(code: str, typed: str, network: str) -> bool:
        begun = await pin_sign_ins.begin_with_card(services, code)
        visitor = Visitor(network=network)
        try:
            await pin_sign_ins.redeem_pin(
                services, begun.id, secret=begun.secret, pin=typed, visitor=visitor
            )
        except ServiceError as failure:
            assert failure.code == "pin_wrong"
            return False
        return True

    codes = [card_codes.new_code(mark) for _ in range(cards)]
    flood = [
        asyncio.create_task(type_in(codes[number % cards], NEVER, "192.0.2.1"))
        for number in range(12)
    ]
    try:
        assert await asyncio.to_thread(waiting.began.wait, 20)
        async with asyncio.timeout(10):
            assert await type_in(card["code"], pin, "192.0.2.2")
    finally:
        waiting.go_on.set()
    assert await asyncio.gather(*flood) == [False] * 12


Change = Callable[[httpx.AsyncClient, Services, SomePerson, str, str], Awaitable[httpx.Response]]


async def _another_pin(
    http: httpx.AsyncClient, _: Services, person: SomePerson, _pin: str, other: str
) -> httpx.Response:
    return await choose_pin(http, person, other)


async def _a_wrong_proof(
    http: httpx.AsyncClient, _: Services, person: SomePerson, pin: str, other: str
) -> httpx.Response:
    body = {"pin": other, "again": other, "proof": {"pin": wrong(pin)}}
    return await http.put("/v1/me/pin", headers=person.headers, json=body)


async def _a_phone(
    http: httpx.AsyncClient, services: Services, person: SomePerson, _: str, other: str
) -> httpx.Response:
    return await add_phone(http, services, person, new_phone(), other)


@pytest.mark.parametrize(("act", "status"), [
    (_another_pin, 204), (_a_wrong_proof, 403), (_a_phone, 201),
])  # fmt: skip
async def test_no_connection_waits_for_a_pin(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
    act: Change,
    status: int,
) -> None:
    pin, other, *_ = await usable_pins(services, person)
    assert (await choose_pin(client, person, pin)).status_code == 204
    held: list[int] = []
    verify = pin_hashes.verifier

    async def seen(*given: Any) -> bytes:
        held.append(services.database.engine.pool.checkedout())  # type: ignore[attr-defined]
        return await verify(*given)

    monkeypatch.setattr(pin_hashes, "verifier", seen)
    assert (await act(client, services, person, pin, other)).status_code == status
    assert held, "a PIN is derived"
    assert set(held) == {0}


async def test_a_proof_that_is_not_compared_is_not_derived(
    client: httpx.AsyncClient, services: Services, person: SomePerson, monkeypatch: Any
) -> None:
    pin, other, *_ = await usable_pins(services, person)
    await choose_pin(client, person, pin)
    for _ in range(5):
        assert (await _a_wrong_proof(client, services, person, pin, other)).status_code == 403
    monkeypatch.setattr(pin_hashes, "verifier", None)
    assert (await _a_wrong_proof(client, services, person, pin, other)).status_code == 429


async def test_wrong_proofs_at_once_are_five(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin, other, *_ = await usable_pins(services, person)
    await choose_pin(client, person, pin)
    sent = (_a_wrong_proof(client, services, person, pin, other) for _ in range(15))
    answers = [one.status_code for one in await asyncio.gather(*sent)]
    assert sorted(answers) == [403] * 5 + [429] * 10


async def test_two_of_a_phone_who_choose_the_same_pin_at_once(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """What another one chose between the derivation and its transaction is compared too."""
    first, second = await make_person(), await make_person()
    pins = await usable_pins(services, first, second)
    await choose_pin(client, first, pins[0])
    shared = await add_phone(client, services, second, first.phone, pins[1])
    assert shared.status_code == 201
    for one, pin in ((first, pins[0]), (second, pins[1])):
        know(one, pin, "")
    sent = (choose_pin(client, one, pins[2]) for one in (first, second))
    answers = await asyncio.gather(*sent)
    assert sorted(one.status_code for one in answers) == [204, 422]


async def test_a_barred_card_has_one_line_a_day_in_its_log(
    client: httpx.AsyncClient, services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    """What says that it was barred, and that somebody goes on, is not buried."""
    pin, *_ = await usable_pins(services, person)
    card = await add_card(client, person, pin)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    line = ("sign_in.failure", "refused", "card_barred")
    for _ in range(4):
        assert (await enter(client, card["code"], pin)).status_code == 401
    log = await log_of(services, person.id)
    assert log.count(line) == 1
    assert log.count(("sign_in.failure", "refused", "pin_wrong")) == 5
    moved_clock(timedelta(hours=26))
    for _ in range(2):
        assert (await enter(client, card["code"], pin)).status_code == 401
    assert (await log_of(services, person.id)).count(line) == 2
