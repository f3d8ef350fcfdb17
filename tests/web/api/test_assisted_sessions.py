"""A person in their own vault on a worker's device: how it begins, what it says, how it ends."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from auth import administration, assisted_sessions, pin_hashes, sessions
from auth.levels import Level
from tests.assisted import Card, card_of, end_beside, enter_beside, gift, status_of, try_beside
from tests.auth.means_steps import level_of, show_card, type_code, wrong
from tests.auth.steps import queued_messages, service_log
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.steps import ask, deposit, is_problem, log_of
from tests.vault.decoding import corpus
from vault.services import Services

PDF = corpus.pdf(1)
BESIDE = "Camille Moreau (Assistante sociale, "


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker()


@pytest.fixture
async def card(client: httpx.AsyncClient, services: Services, person: SomePerson) -> Card:
    return await card_of(client, services, person)


async def test_the_person_is_at_home_and_the_worker_waits(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    document = await deposit(client, person, PDF, type_="payslip")
    inside = await enter_beside(client, worker, person, card)
    listed = (await client.get("/v1/documents", headers=inside.headers)).json()["items"]
    assert [one["id"] for one in listed] == [document["id"]]
    assert await level_of(services, inside.headers) is Level.CARD_PIN
    for path in ("/v1/people", "/v1/grants", "/v1/sessions", "/v1/access-log"):
        is_problem(await client.get(path, headers=worker.headers), 403, "session_locked")
    other = f"/v1/grants/{document['id']}/documents/{document['id']}/content"
    is_problem(await client.get(other, headers=worker.headers), 403, "session_locked")
    # The person ends it; the worker's session is as it was.
    left = await client.delete("/v1/sessions/current", headers=inside.headers)
    assert left.status_code == 204
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)


async def test_the_worker_ends_it_and_may_end_nothing(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, card: Card
) -> None:
    await end_beside(client, worker)
    inside = await enter_beside(client, worker, person, card)
    await end_beside(client, worker)
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)
    assert await status_of(client, person) == 200, "on their own phone they are as before"
    ended = (await log_of(client, person))[0]
    assert (ended["action"], ended["beside"]["name"]) == ("sign_in.end", "Camille Moreau")


async def test_neither_a_person_nor_nobody_begins_or_ends_one(
    client: httpx.AsyncClient, person: SomePerson, card: Card
) -> None:
    begun = await show_card(client, card[0])
    body = {"sign_in": begun["id"], "secret": begun["secret"], "pin": card[1]}
    for headers, status in ((person.headers, 403), ({}, 401)):
        answer = await client.post("/v1/assisted-sessions", headers=headers, json=body)
        assert answer.status_code == status
        answer = await client.delete("/v1/assisted-sessions/current", headers=headers)
        assert answer.status_code == status


async def test_it_dies_after_a_quarter_of_an_hour_however_busy(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
    moved_clock: MoveClock,
) -> None:
    moved_clock(timedelta())
    inside = await enter_beside(client, worker, person, card)
    for minutes in (5, 10, 14.9):
        moved_clock(timedelta(minutes=minutes))
        assert (await status_of(client, inside), await status_of(client, worker)) == (200, 403)
    moved_clock(timedelta(minutes=15, seconds=2))
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)


async def test_it_lives_no_longer_than_the_session_of_the_worker(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
    moved_clock: MoveClock,
) -> None:
    hours = timedelta(hours=services.settings.worker_session_hours)
    moved_clock(hours - timedelta(minutes=5))
    answer = await try_beside(client, worker, card)
    moved_clock(hours - timedelta(minutes=1))
    inside = replace(person, token=answer.json()["token"])
    assert await status_of(client, inside) == 200
    moved_clock(hours + timedelta(minutes=1))
    assert await status_of(client, inside) == 401


async def test_a_worker_who_is_barred_or_leaves_everywhere_takes_it_along(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    for way in ("barred", "leaves"):
        person, worker = await make_person(), await make_worker()
        card = await card_of(client, services, person)
        inside = await enter_beside(client, worker, person, card)
        assert await status_of(client, inside) == 200
        if way == "barred":
            await administration.deactivate_worker(services, worker.id)
        else:  # from another device
            await sessions.end_others(services, worker.subject, this_too=True)
        assert await status_of(client, inside) == 401, way


async def test_every_line_says_who_was_beside(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, card: Card
) -> None:
    alone = await deposit(client, person, PDF, type_="payslip")
    before = len(await log_of(client, person))
    assert (await try_beside(client, worker, (card[0], wrong(card[1])))).status_code == 401
    inside = await enter_beside(client, worker, person, card)
    added = await deposit(client, inside, corpus.pdf(2), type_="payslip")
    for path in ("documents", f"documents/{added['id']}/content", "me"):
        assert (await client.get(f"/v1/{path}", headers=inside.headers)).status_code == 200
    given = await client.post("/v1/grants", headers=inside.headers, json=gift(worker))
    assert given.status_code == 201, given.text
    is_problem(
        await client.get(f"/v1/documents/{worker.id}", headers=inside.headers), 404, "not_found"
    )
    await end_beside(client, worker)
    lines = (await log_of(client, person))[::-1]
    told = lines[before:]
    assert [one["action"] for one in told] == [
        "sign_in.failure",
        "sign_in.success",
        "document.deposit",
        "document.list",
        "document.read",
        "grant.give",
        "document.list",
        "sign_in.end",
    ]
    for line in told:
        assert line["beside"]["name"] == "Camille Moreau", line["action"]
        assert line["beside"]["organisation"] == worker.subject.organisation
        assert BESIDE in line["sentence"]
        assert ") était à côté." in line["sentence"]
    assert {one["actor"]["kind"] for one in told} == {"owner", "anonymous"}
    assert not any(one["beside"] for one in lines[:before])
    # Alone again, nobody is beside; and the worker reads nothing of it in what they did.
    await client.get(f"/v1/documents/{alone['id']}", headers=person.headers)
    assert (await log_of(client, person))[0]["beside"] is None
    assert "sign_in.success" not in {one["action"] for one in await log_of(client, worker)}


async def test_a_yes_given_so_has_its_evidence(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
    card: Card,
) -> None:
    """The session says who was beside; a caller names nobody else."""
    inside = await enter_beside(client, worker, person, card)
    other = await make_worker()
    lie = {"kind": "card_pin_on_workers_screen", "worker_id": str(other.id)}
    is_problem(
        await client.post("/v1/grants", headers=inside.headers, json=gift(worker, evidence=lie)),
        422,
        "evidence_worker",
    )
    given = await client.post("/v1/grants", headers=inside.headers, json=gift(worker))
    path = f"/v1/grants/{given.json()['id']}"
    assert (await client.post(f"{path}/revoke", headers=inside.headers)).status_code == 200
    receipt = (await client.get(f"{path}/receipt", headers=person.headers)).text
    assert receipt.count("card_pin_on_workers_screen") == 2
    assert '"app"' not in receipt


async def test_a_request_is_answered_so(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, card: Card
) -> None:
    request = await ask(client, worker.headers, person.phone, "payslip")
    inside = await enter_beside(client, worker, person, card)
    path = f"/v1/consent-requests/{request}/approve"
    assert (await client.post(path, headers=inside.headers, json={})).status_code == 201


async def test_two_at_once_are_one(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    worker: SomeWorker,
) -> None:
    people = [await make_person() for _ in range(2)]
    cards = [await card_of(client, services, one) for one in people]
    answers = await asyncio.gather(*(try_beside(client, worker, one) for one in cards))
    assert sorted(one.status_code for one in answers) == [201, 403]
    is_problem(next(one for one in answers if one.status_code == 403), 403, "session_locked")
    assert await last_refusal(services) == ("session_locked", "Camille Moreau")


async def last_refusal(services: Services) -> tuple[object, str]:
    """Of a sign-in that is in no vault's log: why, and beside whom."""
    failed = [one for one in await service_log(services) if one["action"] == "sign_in.failure"]
    actor: Any = failed[-1]["actor"]
    return failed[-1]["reason"], actor["beside"]["name"]


async def test_another_session_of_the_worker_is_not_locked(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
    inside = await enter_beside(client, worker, person, card)
    elsewhere = replace(worker, token=opened.token)
    assert (await status_of(client, elsewhere), await status_of(client, worker)) == (200, 403)
    await end_beside(client, elsewhere)
    assert await status_of(client, inside) == 200, "it was not opened from that one"


async def test_a_wrong_pin_counts_and_nothing_is_locked(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    for _ in range(5):
        is_problem(await try_beside(client, worker, (card[0], wrong(card[1]))), 401, "pin_wrong")
    is_problem(await try_beside(client, worker, card), 401, "pin_wrong")
    assert await status_of(client, worker) == 200
    unknown = await client.post(
        "/v1/assisted-sessions",
        headers=worker.headers,
        json={"sign_in": str(worker.id), "secret": "x", "pin": card[1]},
    )
    is_problem(unknown, 401, "pin_wrong")


async def test_a_phones_code_and_pin_do_not_begin_one(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    begun, answer = await type_code(client, services, person.phone)
    assert answer.status_code == 202
    body = {"sign_in": begun["id"], "secret": begun["secret"], "pin": card[1]}
    refused = await client.post("/v1/assisted-sessions", headers=worker.headers, json=body)
    is_problem(refused, 401, "pin_wrong")
    assert await last_refusal(services) == ("not_found", "Camille Moreau")


async def test_an_account_has_a_limit_of_its_own(
    client: httpx.AsyncClient, services: Services, worker: SomeWorker, make_worker: MakeWorker
) -> None:
    body = {"sign_in": str(worker.id), "secret": "x", "pin": "482693"}

    async def tried(by: SomeWorker) -> httpx.Response:
        return await client.post("/v1/assisted-sessions", headers=by.headers, json=body)

    answers = [await tried(worker) for _ in range(assisted_sessions.AT_ONCE + 1)]
    assert [one.status_code for one in answers[:-1]] == [401] * assisted_sessions.AT_ONCE
    is_problem(answers[-1], 429, "too_many_requests")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert await last_refusal(services) == ("paced", "Camille Moreau")
    assert (await tried(await make_worker())).status_code == 401


async def test_the_persons_phone_is_told_and_no_browser_is_known(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
) -> None:
    before = len(await queued_messages(services, person.phone))
    answer = await try_beside(client, worker, card)
    assert {*answer.json()} == {"token", "expires_at"}
    (told,) = (await queued_messages(services, person.phone))[before:]
    assert "nouvel appareil" in told["text"]
    left = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now().astimezone()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


async def test_a_worker_enters_their_own_vault_as_anyone_does(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    worker: SomeWorker,
) -> None:
    """A worker is a person too. Nothing ties the two accounts, and nothing is looked up: who was
    beside is themselves, and the limits are the same."""
    themselves = await make_person()
    card = await card_of(client, services, themselves)
    inside = await enter_beside(client, worker, themselves, card)
    assert await status_of(client, worker) == 403
    given = await client.post("/v1/grants", headers=inside.headers, json=gift(worker))
    assert given.status_code == 201
    longer = gift(worker, duration="P4M")
    refused = await client.post("/v1/grants", headers=inside.headers, json=longer)
    is_problem(refused, 403, "assisted_too_long")
    assert (await log_of(client, themselves))[0]["beside"]["name"] == "Camille Moreau"
