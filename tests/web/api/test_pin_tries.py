"""How often a PIN is tried under one step of a sign-in, by whomever, for whatever card."""

import asyncio
from typing import Any

import httpx
import pytest

from auth import card_codes, pin_hashes
from base.ids import new_id
from tests.auth.means_steps import (
    add_card,
    choose_pin,
    enter,
    pin_of,
    plain,
    proved,
    show_card,
    type_code,
    type_pin,
    wrong,
)
from tests.fixtures import MakePerson, SomePerson
from vault.services import Services


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is not the time that a PIN takes."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The PINs that were derived, in the order in which they were."""
    seen: list[str] = []
    derive = pin_hashes._argon2id

    def counted(pin: str, *more: Any) -> bytes:
        seen.append(pin)
        return derive(pin, *more)

    monkeypatch.setattr(pin_hashes, "_argon2id", counted)
    return seen


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_step_dies_after_five_pins_and_one_begins_anew(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    """Also where the card is not barred: the steps of the card of a person who frees it meanwhile
    do not go on."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    begun = await show_card(client, card["code"])
    for _ in range(3):
        assert (await type_pin(client, begun, wrong(pin))).status_code == 401
    another = await show_card(client, card["code"])
    for _ in range(2):
        assert (await type_pin(client, another, wrong(pin))).status_code == 401
    free = f"/v1/me/means/{card['id']}/free"
    assert (await proved(client, person, "POST", free)).status_code == 204
    for _ in range(2):
        assert (await type_pin(client, begun, wrong(pin))).status_code == 401
    assert (await type_pin(client, begun, pin)).status_code == 401
    assert (await enter(client, card["code"], pin)).status_code == 201


async def test_the_fifth_pin_may_be_right(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    begun = await show_card(client, (await add_card(client, person, pin))["code"])
    for _ in range(4):
        await type_pin(client, begun, wrong(pin))
    assert (await type_pin(client, begun, pin)).status_code == 201


async def test_of_many_at_once_five_are_derived(
    client: httpx.AsyncClient, services: Services, person: SomePerson, derived: list[str]
) -> None:
    """Of an unknown card, which nothing else bars."""
    pin = await pin_of(services, person)
    mark = card_codes.read((await add_card(client, person, pin))["code"]).mark
    begun = await show_card(client, card_codes.new_code(mark))
    derived.clear()
    answers = await asyncio.gather(*(type_pin(client, begun, "111999") for _ in range(30)))
    assert {one.status_code for one in answers} == {401}
    assert derived == ["111999"] * 5


async def test_a_step_that_is_dead_answers_alike_whatever_card_it_is(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    unknown = card_codes.new_code(card_codes.read(card["code"]).mark)
    steps = [await show_card(client, code) for code in (card["code"], unknown)]
    for begun in steps:
        for _ in range(5):
            await type_pin(client, begun, wrong(pin))
    never = {**steps[0], "id": str(new_id())}
    answers = [await type_pin(client, one, pin) for one in (*steps, never)]
    assert len({plain(one) for one in answers}) == 1
    assert answers[0].status_code == 401


async def test_the_step_of_a_phone_dies_too(
    client: httpx.AsyncClient, services: Services, person: SomePerson, derived: list[str]
) -> None:
    pin = await pin_of(services, person)
    await choose_pin(client, person, pin)
    begun, answer = await type_code(client, services, person.phone)
    assert answer.status_code == 202
    derived.clear()
    for _ in range(8):
        assert (await type_pin(client, begun, wrong(pin))).status_code == 401
    assert len(derived) == 10  # two vaults may be on a phone


async def test_a_right_pin_at_once_with_a_wrong_one_enters(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    """That a try puts another row in the place of the step's takes nothing from the right one."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(10):
        begun = await show_card(client, card["code"])
        typed = (wrong(pin), pin, wrong(pin))
        answers = await asyncio.gather(*(type_pin(client, begun, one) for one in typed))
        assert sorted(one.status_code for one in answers) == [201, 401, 401]
