"""Cards that do not open: typos, barred, dead, unknown; wrong PINs at once; replaced cards."""

import asyncio
import secrets
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from auth import card_codes, pin_sign_ins
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.auth.means_steps import (
    add_card,
    bearer,
    enter,
    means,
    pin_of,
    plain,
    proved,
    remove,
    show_card,
    type_pin,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of, queued_messages
from tests.fixtures import MakePerson, MoveClock, SomePerson
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_typo_is_told_without_asking_the_database(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    card = await add_card(client, person, await pin_of(services, person))
    code = card_codes.read(card["code"]).text
    typo = ("0" if code[5] != "0" else "2").join((code[:5], code[6:]))
    other = "".join(reversed(code[:3])) if code[:3] != code[2::-1] else "ZZZ"
    elsewhere = card_codes._with_check(other + code[3:-1])
    for typed, said in ((typo, "card_typo"), (elsewhere, "card_of_another")):
        refused = await client.post("/v1/sign-ins", json={"card": typed})
        assert (refused.status_code, refused.json()["code"]) == (422, said)
        assert refused.json()["errors"][0]["pointer"] == "#/card"
        with statements(services) as sent, pytest.raises(ServiceError):
            await pin_sign_ins.begin_with_card(services, typed)
        assert sent == []
    with statements(services) as sent:
        await pin_sign_ins.begin_with_card(services, code)
    assert sent  # they are seen


async def test_unknown_barred_and_dead_cards_answer_alike(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    mark = card_codes.read((await add_card(client, person, pin))["code"]).mark
    barred, dead = [await add_card(client, person, pin) for _ in range(2)]
    for _ in range(5):
        await enter(client, barred["code"], wrong(pin))
    await remove(client, person, dead["id"])
    cards = {
        "barred": barred["code"],
        "dead": dead["code"],
        "barred, by its QR": barred["secret"],
        "dead, by its QR": dead["secret"],
        "unknown": card_codes.new_code(mark),
        "unknown QR": card_codes.new_secret(mark),
    }
    first = {name: await show_card(client, code) for name, code in cards.items()}
    assert {tuple(sorted(one)) for one in first.values()} == {
        ("expires_at", "id", "secret", "warnings")
    }
    second = {name: await type_pin(client, begun, pin) for name, begun in first.items()}
    bodies = {plain(one) for one in second.values()}
    assert len(bodies) == 1
    assert {one.status_code for one in second.values()} == {401}
    assert {one.json()["code"] for one in second.values()} == {"pin_wrong"}


async def test_five_wrong_pins_bar_a_card_until_it_is_freed(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(4):
        assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    assert (await enter(client, card["secret"], pin)).status_code == 201  # counts begin again
    for _ in range(5):
        assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    assert (await enter(client, card["code"], pin)).status_code == 401
    assert (await log_of(services, person.id))[-1] == ("sign_in.failure", "refused", "card_barred")
    free = f"/v1/me/means/{card['id']}/free"
    assert (await proved(client, person, "POST", free)).status_code == 204
    assert (await enter(client, card["code"], pin)).status_code == 201
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert any("débloquée" in one for one in said)


async def test_freeing_a_card_that_is_not_barred_tells_nobody(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    """Else a PIN sends as many messages as one wants, and hides a warning among them."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    told = len(await queued_messages(services, person.phone))
    lines = await log_of(services, person.id)
    for _ in range(3):
        freed = await proved(client, person, "POST", f"/v1/me/means/{card['id']}/free")
        assert freed.status_code == 204
    assert len(await queued_messages(services, person.phone)) == told
    assert await log_of(services, person.id) == lines
    assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    assert (await enter(client, card["code"], pin)).status_code == 201


async def test_a_barred_card_stays_barred_with_time(
    client: httpx.AsyncClient, services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    moved_clock(timedelta(days=400))
    assert (await enter(client, card["code"], pin)).status_code == 401


async def test_four_digits_are_tried_three_times(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    four = "3907"
    card: dict[str, str] | None = None
    for pin in ("3907", "8264", "5093", "7294"):
        body = {"pin": pin, "again": pin}
        answer = await proved(client, person, "POST", "/v1/me/cards", body)
        if answer.status_code == 201:  # one in twenty is a decoy
            four, card = pin, answer.json()
            break
    assert card is not None
    for _ in range(3):
        assert (await enter(client, card["code"], wrong(four))).status_code == 401
    assert (await enter(client, card["code"], four)).status_code == 401
    (_, listed) = await means(client, person.headers)
    assert listed["barred"]


async def test_wrong_pins_at_once_all_count(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    begun = [await show_card(client, card["code"]) for _ in range(2)]
    await asyncio.gather(*(type_pin(client, one, wrong(pin)) for one in begun))
    assert await _wrong(services, card["id"]) == 2
    begun = [await show_card(client, card["code"]) for _ in range(20)]
    await asyncio.gather(*(type_pin(client, one, wrong(pin)) for one in begun))
    assert await _wrong(services, card["id"]) == 5  # those that came later were not compared


async def _wrong(services: Services, card_id: str) -> int:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT wrong FROM unefois.card WHERE id = cast(:id AS uuid)"), {"id": card_id}
        )
        return int(found.scalar_one())


async def test_a_step_is_used_once_and_only_by_who_began_it(
    client: httpx.AsyncClient, services: Services, person: SomePerson, moved_clock: MoveClock
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    begun = await show_card(client, card["code"])
    stolen = {**begun, "secret": secrets.token_urlsafe(32)}
    assert (await type_pin(client, stolen, pin)).status_code == 401
    assert (await type_pin(client, begun, pin)).status_code == 201
    assert (await type_pin(client, begun, pin)).status_code == 401
    late = await show_card(client, card["code"])
    moved_clock(timedelta(minutes=11))
    assert (await type_pin(client, late, pin)).status_code == 401


async def test_a_replaced_card_dies_at_once_with_its_sessions(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    lost = await add_card(client, person, pin)
    thief = bearer(await enter(client, lost["code"], pin))
    new = await add_card(client, person, pin, replaces=lost["id"])
    assert (await client.get("/v1/documents", headers=thief)).status_code == 401
    assert (await enter(client, lost["code"], pin)).status_code == 401
    assert (await enter(client, lost["secret"], pin)).status_code == 401
    assert (await enter(client, new["code"], pin)).status_code == 201
    assert [one["id"] for one in await means(client, person.headers)][1:] == [new["id"]]


async def test_a_card_of_another_person_is_not_replaced(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    mine, theirs = await make_person(), await make_person()
    (pin, other, *_) = await usable_pins(services, mine, theirs)
    card = await add_card(client, theirs, other)
    body = {"pin": pin, "again": pin, "replaces": card["id"]}
    refused = await proved(client, mine, "POST", "/v1/me/cards", body)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await enter(client, card["code"], other)).status_code == 201
    assert len(await means(client, mine.headers)) == 1


async def test_four_cards_at_most(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    for _ in range(4):
        await add_card(client, person, pin)
    body = {"pin": pin, "again": pin}
    refused = await proved(client, person, "POST", "/v1/me/cards", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_cards")
    assert (await log_of(services, person.id))[-1] == ("means.add", "refused", "too_many_cards")
