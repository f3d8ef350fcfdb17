"""Means over HTTP: listed, ended, told; the last one stays."""

import re

import httpx
import pytest
from sqlalchemy import text

from auth import card_codes
from auth.levels import Level
from tests.auth.means_steps import (
    add_card,
    bearer,
    enter,
    level_of,
    means,
    pin_of,
    proved,
    remove,
    type_code,
    wrong,
)
from tests.auth.steps import log_of, queued_messages
from tests.fixtures import MakePerson, SomePerson
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_a_phone_is_a_means(client: httpx.AsyncClient, person: SomePerson) -> None:
    (phone,) = await means(client, person.headers)
    assert phone["kind"] == "phone"
    assert phone["label"] == person.phone[-2:]
    assert phone["last_used_at"] is None  # the vault was opened by it
    assert not phone["barred"]
    assert (await means(client, person.headers))[0]["id"] == phone["id"]


async def test_a_card_opens_the_vault(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", card["code"])
    for shown in (
        card["code"],
        card["code"].lower(),
        card["secret"],
        f"https://x.example/#{card['secret']}",
    ):
        opened = await enter(client, shown, pin)
        assert (await client.get("/v1/documents", headers=bearer(opened))).status_code == 200
        assert await level_of(services, bearer(opened)) is Level.CARD_PIN
    _, listed = await means(client, person.headers)
    assert (listed["kind"], listed["label"]) == ("card", card["code"][-2:])
    assert listed["last_used_at"] is not None
    assert listed["id"] == card["id"]
    assert await level_of(services, person.headers) is Level.PHONE_CODE


async def test_nothing_of_a_card_is_in_the_database(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    plain = card_codes.read(card["code"]).text
    async with services.database.transaction() as tx:
        for table in ("card", "pin", "pin_step"):
            found = (await tx.execute(text(f"SELECT t.*::text FROM unefois.{table} t"))).all()  # noqa: S608
            for hidden in (plain, card["secret"], pin):
                assert hidden not in repr(found)
                assert hidden.encode().hex() not in repr(found)


async def test_who_is_told_and_what_the_log_says(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert (await enter(client, card["code"], pin)).status_code == 201
    assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    assert (await remove(client, person, card["id"])).status_code == 204
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert "vient d’être ajoutée" in said[-3]
    assert "nouvel appareil" in said[-2]
    assert "vient d’être retirée" in said[-1]
    log = [(action, reason) for action, _, reason in await log_of(services, person.id)]
    assert log[-5:] == [
        ("pin.set", ""),
        ("means.add", ""),
        ("sign_in.success", ""),
        ("sign_in.failure", "pin_wrong"),
        ("means.remove", ""),
    ] or log[-6:-1] == [
        ("pin.set", ""),
        ("means.add", ""),
        ("sign_in.success", ""),
        ("sign_in.failure", "pin_wrong"),
        ("means.remove", ""),
    ]


async def test_the_last_means_stays(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    (phone,) = await means(client, person.headers)
    refused = await remove(client, person, phone["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "last_means")
    assert (await log_of(services, person.id))[-1] == ("means.remove", "refused", "last_means")
    card = await add_card(client, person, await pin_of(services, person))
    gone = await remove(client, person, phone["id"])
    assert gone.status_code == 204
    (left,) = await means(client, person.headers)
    assert left["id"] == card["id"]
    refused = await remove(client, person, card["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "last_means")


async def test_a_barred_card_does_not_count_as_a_means(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    phone, barred = await means(client, person.headers)
    assert barred["barred"]
    refused = await remove(client, person, phone["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "last_means")


async def test_a_removed_phone_opens_nothing_here_any_more(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> None:
    await add_card(client, person, await pin_of(services, person))
    (phone, _) = await means(client, person.headers)
    await remove(client, person, phone["id"])
    _, answer = await type_code(client, services, person.phone)
    # Nobody has it any more: it opens a vault of its own.
    assert (await client.get("/v1/me/means", headers=bearer(answer))).json()["items"] != []
    assert len(await means(client, bearer(answer))) == 1
    (card,) = await means(client, person.headers)
    assert card["kind"] == "card"


@pytest.mark.parametrize("of", ["another", "unknown", "malformed"])
async def test_what_is_not_mine_is_not_found(
    client: httpx.AsyncClient, make_person: MakePerson, person: SomePerson, of: str
) -> None:
    other = (await means(client, (await make_person()).headers))[0]["id"]
    named = {"another": other, "unknown": "0190b8a0-0000-7000-8000-000000000000", "malformed": "x"}
    path = f"/v1/me/means/{named[of]}"
    assert (await proved(client, person, "DELETE", path)).status_code == 404
    assert (await proved(client, person, "POST", f"{path}/free")).status_code == 404


async def test_a_worker_has_no_means_here(client: httpx.AsyncClient, make_worker: object) -> None:
    assert callable(make_worker)
    worker = await make_worker()
    assert (await client.get("/v1/me/means", headers=worker.headers)).status_code == 403
    body = {"pin": "482615", "again": "482615"}
    assert (await client.put("/v1/me/pin", headers=worker.headers, json=body)).status_code == 403
