"""A card freed or stopped at the desk: how often, by whom, and what the worker learns by it."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from auth import administration, card_codes, desk_cards, pin_hashes
from base.locks import hold_vault
from tests.auth.means_steps import (
    add_card,
    bearer,
    enter,
    enter_by_phone,
    means,
    pin_of,
    proved,
    remove,
    wrong,
)
from tests.auth.steps import queued_messages, service_log
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.steps import is_problem, log_of, until
from tests.vault.reconciliation.steps import found
from vault.services import Services


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(services: Services, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that the operator lets."""
    return await let(services, await make_worker())


async def let(services: Services, worker: SomeWorker) -> SomeWorker:
    await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
    return worker


async def do(client: httpx.AsyncClient, worker: SomeWorker, what: str, card: str) -> httpx.Response:
    path = f"/v1/desk/cards/{what}"
    return await client.post(path, headers=worker.headers, json={"card": card})


async def bar(client: httpx.AsyncClient, card: dict[str, Any], pin: str) -> None:
    """Five wrong PINs, or as many as are compared."""
    for _ in range(5):
        assert (await enter(client, card["code"], wrong(pin))).status_code == 401


async def opens(client: httpx.AsyncClient, card: dict[str, Any], pin: str) -> bool:
    return (await enter(client, card["code"], pin)).status_code == 201


async def of_desk(client: httpx.AsyncClient, person: SomePerson) -> list[tuple[str, str, str]]:
    """What a worker did with a card, in the person's log, oldest first: act, reason, who."""
    lines = [one for one in await log_of(client, person) if one["actor"].get("kind") == "worker"]
    return [(one["action"], one["reason"] or "", one["actor"]["name"]) for one in lines[::-1]]


async def test_a_barred_card_is_freed_by_its_code_or_its_drawing(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for shown in (card["code"].lower(), f"{services.settings.public_url}/#{card['secret']}"):
        await bar(client, card, pin)
        assert not await opens(client, card, pin)
        answer = await do(client, worker, "free", shown)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["cache-control"] == "no-store"
        assert await opens(client, card, pin)
    assert await of_desk(client, person) == [("means.free", "", "Camille Moreau")] * 2
    lines = await log_of(client, person)
    assert any("a débloqué une carte, à côté de vous" in one["sentence"] for one in lines)
    assert card["code"] not in str(lines)
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert any("débloquée" in one for one in said)


async def test_a_desk_frees_a_card_twice_and_not_more(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    """Fifteen PINs in all, whatever the desks: then only its person by another means."""
    before = await found(services)
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(3):
        await bar(client, card, pin)
        assert (await do(client, worker, "free", card["code"])).status_code == 204
    assert not await opens(client, card, pin)
    reasons = [reason for _, reason, _ in await of_desk(client, person)]
    assert reasons == ["", "", "freed_too_often"]
    assert await found(services) == before
    freed = await proved(client, person, "POST", f"/v1/me/means/{card['id']}/free")
    assert freed.status_code == 204
    assert await opens(client, card, pin)
    # A right PIN gives the desk its two times again.
    await bar(client, card, pin)
    assert (await do(client, worker, "free", card["code"])).status_code == 204
    assert await opens(client, card, pin)
    assert await found(services) == before


async def test_a_card_of_four_digits_has_nine_tries(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    four = await usable_four(services, person)
    card = await add_card(client, person, four)
    for _ in range(3):
        for _ in range(3):
            assert not await opens(client, card, wrong(four))
        await do(client, worker, "free", card["code"])
    assert not await opens(client, card, four)


async def usable_four(services: Services, person: SomePerson) -> str:
    for one in ("3907", "8264", "5093", "7294"):
        if not await pin_hashes.is_decoy(services, person.id, one):
            return one
    raise AssertionError("all decoys")


async def test_a_card_that_works_keeps_its_count(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    """Four guesses, a desk, four guesses: the desk gives nothing back before the card is barred."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(4):
        assert not await opens(client, card, wrong(pin))
    assert (await do(client, worker, "free", card["code"])).status_code == 204
    assert not await opens(client, card, wrong(pin))
    assert not await opens(client, card, pin)
    assert await of_desk(client, person) == [("means.free", "card_not_barred", "Camille Moreau")]


async def test_two_desks_at_once_free_a_card_once(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    other = await let(services, await make_worker(name="Nadia Benali"))
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    await bar(client, card, pin)
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        both = [
            asyncio.create_task(do(client, one, "free", card["code"])) for one in (worker, other)
        ]
        await until(lambda: both_wait(services), seconds=20)
    assert [one.status_code for one in await asyncio.gather(*both)] == [204, 204]
    reasons = sorted(reason for _, reason, _ in await of_desk(client, person))
    assert reasons == ["", "card_not_barred"]
    async with services.database.transaction() as tx:
        query = text("SELECT wrong FROM unefois.card WHERE id = cast(:id AS uuid)")
        assert (await tx.execute(query, {"id": card["id"]})).scalar_one() == 10


async def both_wait(services: Services) -> bool:
    """Whether two wait for a lock: that of the vault."""
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with services.database.transaction() as tx:
        return bool((await tx.execute(query)).scalar_one() == 2)


async def test_a_stopped_card_is_freed_by_no_desk_and_no_new_pin(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    before = await found(services)
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    thief = bearer(await enter(client, card["code"], pin))
    assert (await do(client, worker, "stop", card["secret"])).status_code == 204
    for headers in (thief, person.headers):
        assert (await client.get("/v1/documents", headers=headers)).status_code == 401
    assert not await opens(client, card, pin)
    await do(client, worker, "free", card["code"])
    assert not await opens(client, card, pin)
    token = await entered_again(client, services, person, pin)
    body = {"pin": pin, "again": pin}
    chosen = await proved(client, person, "PUT", "/v1/me/pin", body, token)
    assert chosen.status_code == 204, chosen.text
    assert not await opens(client, card, pin)
    listed = [(one["barred"], one["stopped"]) for one in await means(client, token)]
    assert listed == [(False, False), (True, True)]
    assert await found(services) == before
    own = f"/v1/me/means/{card['id']}/free"
    assert (await proved(client, person, "POST", own, headers=token)).status_code == 204
    assert await opens(client, card, pin)
    assert await found(services) == before
    lines = [one for one in await log_of(client, token) if one["actor"].get("kind") == "worker"]
    assert [(one["action"], one["reason"]) for one in lines[::-1]] == [
        ("means.stop", None),
        ("means.free", "card_stopped"),
    ]
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert any("une carte perdue vient d’être arrêtée" in one for one in said)


async def entered_again(
    client: httpx.AsyncClient, services: Services, person: SomePerson, pin: str
) -> dict[str, str]:
    """By the phone, after all sessions were ended."""
    return bearer(await enter_by_phone(client, services, person.phone, pin))


async def test_a_card_that_is_stopped_already_ends_and_tells_nothing_more(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    """Whoever found it, or keeps it, would close its person's papers again and again."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert (await do(client, worker, "stop", card["code"])).status_code == 204
    token = await entered_again(client, services, person, pin)
    told = len(await queued_messages(services, person.phone))
    answer = await do(client, worker, "stop", card["secret"])
    assert (answer.status_code, answer.content) == (204, b""), "the worker learns nothing"
    assert (await client.get("/v1/documents", headers=token)).status_code == 200
    assert len(await queued_messages(services, person.phone)) == told
    lines = [one for one in await log_of(client, token) if one["actor"].get("kind") == "worker"]
    assert [(one["action"], one["outcome"], one["reason"]) for one in lines[::-1]] == [
        ("means.stop", "allowed", None),
        ("means.stop", "refused", "card_stopped"),
    ]


async def test_of_a_right_pin_and_a_stop_at_once_the_card_is_stopped(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    entered, stopped = await asyncio.gather(
        enter(client, card["code"], pin), do(client, worker, "stop", card["code"])
    )
    assert stopped.status_code == 204
    if entered.status_code == 201:
        answer = await client.get("/v1/documents", headers=bearer(entered))
        assert answer.status_code == 401
    assert not await opens(client, card, pin)


@pytest.mark.parametrize("what", ["free", "stop"])
async def test_the_worker_learns_nothing_of_a_card(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    what: str,
) -> None:
    """Barred, working, dead, unknown: one answer, and no line of their own list."""
    pin = await pin_of(services, person)
    barred, works, dead = [await add_card(client, person, pin) for _ in range(3)]
    assert (await remove(client, person, dead["id"])).status_code == 204
    await bar(client, barred, pin)
    mark = card_codes.read(works["code"]).mark
    cards = [barred["code"], works["code"], dead["code"], card_codes.new_code(mark)]
    cards += [works["secret"], card_codes.new_secret(mark)]
    before = await log_of(client, worker)
    answers = [await do(client, worker, what, card) for card in cards]
    assert len({plain_empty(one) for one in answers}) == 1
    assert await log_of(client, worker) == before
    for path in ("/v1/people", "/v1/grants", "/v1/consent-requests"):
        assert (await client.get(path, headers=worker.headers)).json()["items"] == []
    action = {"free": "means.free", "stop": "means.stop"}[what]
    unknown = [one for one in await service_log(services) if one["action"] == action]
    assert [one.get("reason") for one in unknown[-3:]] == ["not_found"] * 3


def plain_empty(answer: httpx.Response) -> str:
    assert answer.content == b""
    headers = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}}
    return repr((answer.status_code, sorted(headers.items())))


async def test_a_wrong_letter_and_a_card_of_another_place_are_told(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    code = card_codes.read((await add_card(client, person, await pin_of(services, person)))["code"])
    elsewhere = "".join(reversed(code.mark)) if code.mark != code.mark[::-1] else "ZZZ"
    for typed, said in (
        (code.text[:-2] + code.text[-1], "card_typo"),
        ("", "card_typo"),
        (card_codes.new_code(elsewhere), "card_of_another"),
    ):
        for what in ("free", "stop"):
            refused = await do(client, worker, what, typed)
            is_problem(refused, 422, said)
            assert refused.json()["errors"][0]["pointer"] == "#/card"


async def test_who_may(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    make_worker: MakeWorker,
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for what in ("free", "stop"):
        path, body = f"/v1/desk/cards/{what}", {"card": card["code"]}
        is_problem(
            await do(client, await make_worker(), what, card["code"]), 403, "desk_not_allowed"
        )
        for headers, status in ((person.headers, 403), ({}, 401)):
            answer = await client.post(path, headers=headers, json=body)
            assert answer.status_code == status, answer.text
    assert await opens(client, card, pin)
    assert await of_desk(client, person) == []


async def test_a_worker_has_no_more_than_people_come(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    moved_clock: MoveClock,
) -> None:
    """Counted before anything is looked for, of cards that are there or not."""
    card = await add_card(client, person, await pin_of(services, person))
    codes = [card["code"], card_codes.new_code(card_codes.read(card["code"]).mark)]
    answers = await asyncio.gather(
        *(do(client, worker, "free", codes[at % 2]) for at in range(desk_cards.AT_ONCE + 2))
    )
    assert sorted(one.status_code for one in answers) == [204] * desk_cards.AT_ONCE + [429] * 2
    refused = next(one for one in answers if one.status_code == 429)
    is_problem(refused, 429, "too_many_desk_cards")
    assert int(refused.headers["retry-after"]) > 0
    is_problem(await do(client, worker, "stop", card["code"]), 429, "too_many_desk_cards")
    moved_clock(timedelta(minutes=11))
    assert (await do(client, worker, "free", card["code"])).status_code == 204


async def test_a_count_put_back_after_a_desk_is_named(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
) -> None:
    """Whoever writes the database puts the row back from before the desk: fifteen more guesses."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    query = text("SELECT * FROM unefois.card WHERE id = cast(:id AS uuid)")
    async with services.database.transaction() as tx:
        fresh = (await tx.execute(query, {"id": card["id"]})).one()
    await bar(client, card, pin)
    await do(client, worker, "free", card["code"])
    async with services.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.card SET wrong = :wrong, mac = :mac WHERE id = :id"),
            {"wrong": fresh.wrong, "mac": fresh.mac, "id": fresh.id},
        )
    assert f"older card {card['id']}" in await found(services)
