"""PINs over HTTP: chosen, refused, limited; asked after the code of a phone."""

from datetime import timedelta

import httpx
import pytest

from auth import pin_rules
from auth.levels import Level
from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    level_of,
    means,
    pin_of,
    plain,
    proved,
    type_code,
    type_pin,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of, queued_messages
from tests.fixtures import MakePerson, MoveClock, SomePerson, new_phone
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_new_pin_is_that_of_every_card(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin, newer, *_ = await usable_pins(services, person)
    cards = [await add_card(client, person, pin) for _ in range(2)]
    assert (await choose_pin(client, person, newer)).status_code == 204
    for card in cards:
        assert (await enter(client, card["code"], pin)).status_code == 401
        assert (await enter(client, card["secret"], newer)).status_code == 201
    said = await queued_messages(services, person.phone)
    assert any("votre code secret vient d’être changé" in one["text"] for one in said)


@pytest.mark.parametrize(("pin", "again", "code", "field"), [
    ("123456", "123456", "pin_weak", "#/pin"),
    ("010190", "010190", "pin_weak", "#/pin"),
    ("48261", "48261", "pin_digits", "#/pin"),
    ("482615", "482651", "pin_again", "#/again"),
])  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/me/pin", "/v1/me/cards"])
async def test_a_pin_that_may_not_be_chosen(
    client: httpx.AsyncClient, person: SomePerson, path: str, pin: str, again: str, code: str,
    field: str,
) -> None:  # fmt: skip
    method = "PUT" if path.endswith("pin") else "POST"
    body = {"pin": pin, "again": again}
    refused = await client.request(method, path, headers=person.headers, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["errors"][0]["pointer"] == field
    assert len(await means(client, person.headers)) == 1


async def test_pins_are_not_tried_one_after_the_other(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pins = await usable_pins(services, person)
    answers = [await choose_pin(client, person, pin) for pin in pins[:6]]
    assert [one.status_code for one in answers] == [204] * 5 + [429]
    assert answers[-1].json()["code"] == "too_many_pins"
    assert int(answers[-1].headers["retry-after"]) >= 3600
    assert (await log_of(services, person.id))[-1] == ("pin.set", "refused", "too_many_pins")


async def test_five_pins_in_any_day_and_no_more(
    client: httpx.AsyncClient, services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    """None comes back before the day is over: nine were chosen in the first one."""
    pins = await usable_pins(services, person)
    for pin in pins[:5]:
        assert (await choose_pin(client, person, pin)).status_code == 204
    for hours in (5, 10, 15, 20, 23):
        moved_clock(timedelta(hours=hours))
        assert (await choose_pin(client, person, pins[5])).status_code == 429
    moved_clock(timedelta(hours=25, minutes=1))
    assert (await choose_pin(client, person, pins[5])).status_code == 204


async def test_a_pin_that_is_chosen_counts_whatever_becomes_of_it(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    """With four cards, each other PIN would be tried for nothing: only the other's is refused
    before the count of cards is."""
    pin, *others = await usable_pins(services, person)
    for _ in range(4):
        await add_card(client, person, pin)
    codes = []
    for other in others[:2]:
        body = {"pin": other, "again": other}
        codes.append((await proved(client, person, "POST", "/v1/me/cards", body)).status_code)
    assert codes == [409, 429]


async def test_choosing_a_pin_ends_the_other_sessions(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin, newer, *_ = await usable_pins(services, person)
    card = await add_card(client, person, pin)
    elsewhere = bearer(await enter(client, card["code"], pin))
    await add_card(client, person, pin)  # the same PIN: nobody is put out
    assert (await client.get("/v1/me", headers=elsewhere)).status_code == 200
    assert (await choose_pin(client, person, newer)).status_code == 204
    assert (await client.get("/v1/me", headers=elsewhere)).status_code == 401
    assert (await client.get("/v1/me", headers=person.headers)).status_code == 200
    elsewhere = bearer(await enter(client, card["code"], newer))
    await add_card(client, person, pin)  # another PIN, by another way
    assert (await client.get("/v1/me", headers=elsewhere)).status_code == 401


async def test_a_decoy_is_refused_as_a_weak_one(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    good = set(await usable_pins(services, person))
    decoy = next(
        pin for number in range(480_617, 490_000, 101)
        if (pin := f"{number:06}") not in good and not pin_rules.is_weak(pin)
    )  # fmt: skip
    said = [await choose_pin(client, person, pin) for pin in (decoy, "123456")]
    assert plain(said[0]) == plain(said[1])


async def test_a_phone_asks_the_pin_once_there_is_one(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    await choose_pin(client, person, pin)
    _, answer = await type_code(client, services, person.phone)
    assert (answer.status_code, answer.json()["next"]) == (202, "pin")
    assert "token" not in answer.json()
    opened = await enter_by_phone(client, services, person.phone, pin)
    assert await level_of(services, bearer(opened)) is Level.PHONE_CODE
    (phone,) = await means(client, bearer(opened))
    assert phone["last_used_at"] is not None
    assert (await enter_by_phone(client, services, person.phone, wrong(pin))).status_code == 401


async def test_five_wrong_pins_a_day_on_a_phone(
    client: httpx.AsyncClient, services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    pin = await pin_of(services, person)
    await choose_pin(client, person, pin)
    begun, answer = await type_code(client, services, person.phone)
    assert answer.status_code == 202
    for _ in range(5):
        assert (await type_pin(client, begun, wrong(pin))).status_code == 401
    assert (await enter_by_phone(client, services, person.phone, pin)).status_code == 401
    moved_clock(timedelta(hours=26))
    assert (await enter_by_phone(client, services, person.phone, pin)).status_code == 201


async def test_the_phone_that_is_replaced_is_told(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin, phone = await pin_of(services, person), new_phone()
    added = await add_phone(client, services, person, phone, pin)
    assert added.status_code == 201, added.text
    assert added.json()["label"] == phone[-2:]
    (listed,) = await means(client, person.headers)
    assert listed["id"] == added.json()["id"]
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert any("vient d’être ajoutée" in one for one in said)
    assert (await enter_by_phone(client, services, phone, pin)).status_code == 201
    _, former = await type_code(client, services, person.phone)
    assert former.status_code == 201  # a vault of its own
    assert (await means(client, bearer(former)))[0]["id"] != listed["id"]


async def test_a_wrong_code_adds_no_phone(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin, phone = await pin_of(services, person), new_phone()
    sent = await client.post("/v1/me/phones", headers=person.headers, json={"phone": phone})
    begun = sent.json()
    body = {"secret": begun["secret"], "code": "1", "pin": pin, "again": pin}
    refused = await proved(client, person, "POST", f"/v1/me/phones/{begun['id']}", body)
    assert (refused.status_code, refused.json()["code"]) == (401, "code_wrong")
    assert (await means(client, person.headers))[0]["label"] == person.phone[-2:]


@pytest.mark.parametrize("body", [
    {}, {"code": "123456", "pin": "123456"}, {"secret": "x"},
])  # fmt: skip
async def test_a_code_or_a_pin(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    path = "/v1/sign-ins/0190b8a0-0000-7000-8000-000000000000"
    refused = await client.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "code_or_pin")


async def test_a_card_and_a_phone_are_not_shown_together(client: httpx.AsyncClient) -> None:
    body = {"card": "x", "phone": new_phone()}
    refused = await client.post("/v1/sign-ins", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "one_address")
