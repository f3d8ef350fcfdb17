"""A vault that is opened again by its person: when, and what becomes of it and of the one that
waited."""

import asyncio
import json
from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from auth.records.people import PERSON_ROW, PersonRow
from base.database import Database
from base.db_time import instant
from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    enter,
    enter_by_phone,
    know,
    means,
    type_code,
    usable_pins,
)
from tests.auth.steps import queued_messages
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
    last_code,
    new_phone,
)
from tests.joins import ask_join
from tests.openings import (
    LATER,
    Agents,
    Waiting,
    open_former,
    opened,
    own,
    papers,
    person_of,
    tap,
    two_agents,
    waits,
    waits_for,
)
from tests.recoveries import PIN, agent, recoveries, some_paper
from tests.rows import change_row
from tests.steps import again, deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.consent.receipt_keys import public_keys
from vault.consent.signed_receipts import NotGenuine, verified
from vault.recovery.records import RECOVERY_ROW, Recovery
from vault.recovery.recovery_aftermath import recovered_lately
from vault.recovery.recovery_rules import WAIT
from vault.recovery.recovery_views import KIND
from vault.services import Services

ASLEEP = timedelta(days=200)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    return await two_agents(services, as_owner, make_worker)


@pytest.fixture
async def waiting(client: httpx.AsyncClient, agents: Agents, make_person: MakePerson) -> Waiting:
    return await waits(client, agents, make_person)


async def test_a_lost_phone_and_a_lost_card(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    agents: Agents,
    moved_clock: MoveClock,
) -> None:
    lost, worker = await make_person(), await make_worker()
    before, *_ = await usable_pins(services, lost)
    old_card = (await add_card(client, lost, before))["code"]
    mine = await deposit(client, lost, corpus.pdf(1), type_="payslip")
    grant = await granted(client, lost, worker.headers, "payslip")
    one = await waits_for(client, agents, lost)
    new = await deposit(client, person_of(one), corpus.pdf(2))
    both = await deposit(client, person_of(one), corpus.pdf(1))
    # Nobody is inside before its time, and what the new card opens is not what was lost.
    assert await papers(client, one.headers) == {new["id"], both["id"]}
    await tap(client, one, "recovery_not_yet")
    moved_clock(LATER)
    assert (await own(client, one.headers))["state"] == "ready"
    told = await open_former(client, one)
    headers = bearer(told)
    assert told.headers["cache-control"] == "no-store"
    # All the papers, once; the accesses that were given there; no session of before.
    assert await papers(client, headers) == {mine["id"], new["id"]}
    path = f"/v1/grants/{grant}/documents/{mine['id']}/content"
    assert (await client.get(path, headers=await again(services, worker))).status_code == 200
    for session in (lost.headers, one.headers):
        assert (await client.get("/v1/documents", headers=session)).status_code == 401
    # The new card and the phone that stays have the new PIN; the old card is stopped, not deleted.
    assert (await enter(client, one.card, one.pin)).status_code == 201
    assert (await enter_by_phone(client, services, lost.phone, one.pin)).status_code == 201
    for card, pin in ((one.card, PIN), (old_card, before), (old_card, one.pin)):
        assert (await enter(client, card, pin)).status_code == 401
    held = await means(client, headers)
    assert [(found["kind"], found["stopped"]) for found in held] == [
        ("phone", False),
        ("card", True),
        ("card", False),
    ]
    texts = [one["text"] for one in await queued_messages(services, lost.phone)]
    assert any("rouverts, comme demandé" in text for text in texts)


async def test_both_workers_are_named_in_the_logs_and_on_the_signed_receipt(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    early = (await client.get("/v1/me/recovery/receipt", headers=waiting.headers)).json()
    assert "opened_at" not in early
    headers = await opened(client, waiting, moved_clock)
    (line,) = [one for one in await log_of(client, headers) if one["action"] == "recovery.open"]
    for name in ("Camille Moreau (Assistante sociale, ", "Nadia Benali (Assistante sociale, "):
        assert name in line["sentence"]
    joins = (await client.get("/v1/me/joins", headers=headers)).json()["items"]
    path = f"/v1/me/joins/{joins[0]['id']}/access-log"
    kept = (await client.get(path, headers=headers)).json()["items"]
    assert [one["action"] for one in kept[:2]] == ["vault.leave", "recovery.open"]
    assert kept[1]["sentence"] == line["sentence"]

    found = await client.get("/v1/me/recovery/receipt", headers=headers)
    assert found.headers["cache-control"] == "no-store"
    keys = json.dumps(await public_keys(services)).encode()
    record = verified(found.content, keys, kind=KIND)
    with pytest.raises(NotGenuine):
        verified(found.content, keys)
    names = [(one["name"], one["document"]) for one in record["agents"]]
    assert names == [("Camille Moreau", "id_card"), ("Nadia Benali", "id_card")]
    assert {"began_at", "complete_at", "earliest_at", "opened_at"} <= {*record}
    for word in waiting.paper.values():
        assert word == "id_card" or word not in found.text
    named = {"id": record["id"]}
    again = await client.get("/v1/me/recovery/receipt", headers=headers, params=named)
    assert again.json()["id"] == record["id"]
    stranger = await make_person()
    for params in ({}, named):
        answer = await client.get(
            "/v1/me/recovery/receipt", headers=stranger.headers, params=params
        )
        is_problem(answer, 404, "not_found")


async def test_without_an_anchor_two_structures_who_say_its_number(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    names = ("Camille Moreau", "Nadia Benali")
    two = [await agent(services, as_owner, make_worker, name) for name in names]
    lost = await make_person()
    mine = await deposit(client, lost, corpus.pdf(1))
    one = await waits_for(client, two, lost, some_paper(), former_phone=lost.phone)
    is_problem(await open_former(client, one), 409, "recovery_not_yet")
    headers = await opened(client, one, moved_clock)
    assert await papers(client, headers) == {mine["id"]}
    (line,) = [told for told in await log_of(client, headers) if told["action"] == "recovery.open"]
    assert all(name in line["sentence"] for name in names)


async def test_one_worker_and_a_card_whose_pin_is_forgotten(
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    lost = await make_person()
    pin, *_ = await usable_pins(services, lost)
    card = (await add_card(client, lost, pin))["code"]
    one = await waits_for(client, agents[:1], lost, some_paper(), shown={"card": card})
    seen = await own(client, one.headers)
    assert (seen["state"], seen["means"]) == ("waiting", ["card"])
    (mine,) = (await client.get("/v1/me/recoveries", headers=lost.headers)).json()["items"]
    assert (mine["means"], mine["needs_proof"]) == (["card"], False)
    headers = await opened(client, one, moved_clock)
    record = (await client.get("/v1/me/recovery/receipt", headers=headers)).json()
    assert (record["means"], len(record["agents"])) == (["card"], 1)
    assert (await enter(client, card, pin)).status_code == 401


async def test_what_waited_in_the_vault_ends_with_its_lines(
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    lost = await make_person()
    assert (await ask_join(client, lost)).status_code == 201
    sent = await client.post("/v1/me/erasure/code", headers=lost.headers)
    assert sent.status_code == 202, sent.text
    code = await last_code(services, lost.phone)
    asked = await client.request("DELETE", "/v1/me", headers=lost.headers, json={"code": code})
    assert asked.status_code == 202, asked.text
    assert (await client.post("/v1/me/proof/wait", headers=lost.headers)).status_code == 202
    one = await waits_for(client, agents, lost)
    headers = await opened(client, one, moved_clock)
    assert (await client.get("/v1/me", headers=headers)).json()["erases_at"] is None
    actions = [line["action"] for line in await log_of(client, headers)]
    for action in ("means.wait_end", "vault.erase_cancelled", "vault.join_end"):
        assert actions.count(action) == 1, action


async def test_afterwards_it_is_neither_erased_nor_joined_for_a_week(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    moved_clock: MoveClock,
) -> None:
    headers = await opened(client, waiting, moved_clock)
    for path, code in (("/v1/me/erasure/code", "card_too_new"), ("/v1/me/joins", "means_too_new")):
        body = {"proof": {"pin": waiting.pin}} if path.endswith("joins") else None
        is_problem(await client.post(path, headers=headers, json=body), 409, code)
    moved_clock(LATER + timedelta(days=7))
    assert (await client.post("/v1/me/erasure/code", headers=headers)).status_code == 202
    assert await recovered_lately(services, waiting.lost.subject) is None


async def test_no_copy_of_everything_before_the_old_means_could_be_warned(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    waiting: Waiting,
    moved_clock: MoveClock,
) -> None:
    (row, *_) = await recoveries(services)
    at_once = {"opens_at": row.complete_at, "earliest_at": row.complete_at}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **at_once)
    headers, body = bearer(await open_former(client, waiting)), {"proof": {"pin": waiting.pin}}
    path = "/v1/me/export"
    assert await recovered_lately(services, waiting.lost.subject) == row.complete_at + WAIT
    is_problem(await client.post(path, headers=headers, json=body), 403, "recovered_lately")
    (line, *_) = await log_of(client, headers)
    assert (line["action"], line["reason"]) == ("vault.export_asked", "recovered_lately")
    moved_clock(LATER)
    assert (await client.post(path, headers=headers, json=body)).status_code == 202


async def test_the_number_of_a_vault_that_slept_goes(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    lost = await make_person()
    async with services.database.transaction() as tx:
        then = await instant(tx) - ASLEEP
    await change_row(services, as_owner, PersonRow, PERSON_ROW, lost.id, used_at=then)
    one = await waits_for(client, agents, lost)
    headers = await opened(client, one, moved_clock)
    assert [found["kind"] for found in await means(client, headers)] == ["card"]
    _, answer = await type_code(client, services, lost.phone)
    assert answer.status_code == 201, "whoever has the number now opens a vault of their own"
    assert await papers(client, bearer(answer)) == set()


async def test_a_phone_of_the_new_vault_takes_the_place_of_the_old_one(
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    one, phone = await waits(client, agents, make_person), new_phone()
    person = person_of(one)
    know(person, PIN, one.card)
    answer = await add_phone(client, services, person, phone, PIN)
    assert answer.status_code == 201, answer.text
    moved_clock(LATER)
    headers = bearer(await open_former(client, one, proof={"pin": PIN}))
    assert [found["kind"] for found in await means(client, headers)] == ["phone", "card"]
    assert (await enter_by_phone(client, services, phone, one.pin)).status_code == 201
    _, stranger = await type_code(client, services, one.lost.phone)
    assert stranger.status_code == 201
    assert await papers(client, bearer(stranger)) == set()
    texts = [told["text"] for told in await queued_messages(services, one.lost.phone)]
    assert any("rouverts, comme demandé" in text for text in texts), "told before it goes"


async def test_two_taps_at_once_open_it_once(
    client: httpx.AsyncClient, services: Services, waiting: Waiting, moved_clock: MoveClock
) -> None:
    moved_clock(LATER)
    answers = await asyncio.gather(*(open_former(client, waiting) for _ in range(2)))
    assert sorted(one.status_code for one in answers) in ([201, 401], [201, 404])
    headers = bearer(next(one for one in answers if one.status_code == 201))
    actions = [line["action"] for line in await log_of(client, headers)]
    assert actions.count("recovery.open") == 1
    assert len(await means(client, headers)) == 2
