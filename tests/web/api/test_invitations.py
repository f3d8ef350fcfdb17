"""A person lets their vault open on a worker's device, from their own phone: each step, each
refusal, what the log and the evidence say of it."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from auth.levels import Level
from tests.assisted import end_beside, gift, status_of
from tests.auth.means_steps import level_of
from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.invitations import (
    enter_by_phone,
    invite,
    look,
    say,
    see,
    try_enter,
)
from tests.steps import ask, deposit, is_problem, log_of
from tests.vault.decoding import corpus
from vault.consent.meeting_words import WORDS
from vault.services import Services

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


async def test_the_phone_says_yes_and_the_workers_device_opens(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    opened = await invite(client, worker)
    assert (opened["state"], opened["word"], opened["worker"]) == ("open", None, None)
    assert opened["address"].endswith(f"/meetings/code#{opened['code']}")
    answer = await look(client, person, f"{opened['code'][:3]} {opened['code'][3:]}")
    read = answer.json()
    assert (read["state"], read["code"], read["address"]) == ("answered", None, None)
    assert read["worker"]["name"] == "Camille Moreau"
    assert read["worker"]["organisation"] == worker.subject.organisation
    waits = await see(client, worker, opened["id"])
    assert (waits["state"], waits["worker"]) == ("answered", None), "the worker learns no name"
    assert waits["word"] == read["word"]
    assert read["word"] in WORDS
    is_problem(await try_enter(client, worker, opened["id"]), 409, "meeting_not_agreed")
    said = await say(client, person, opened["id"])
    assert (said.status_code, said.json()["state"]) == (200, "confirmed")
    assert (await say(client, person, opened["id"])).json()["state"] == "confirmed", "twice is once"
    assert await status_of(client, worker) == 200, "nothing is locked before"
    entered = await try_enter(client, worker, opened["id"])
    assert entered.status_code == 201
    inside = replace(person, token=entered.json()["token"])
    assert inside.token.startswith("ufpa_")
    listed = (await client.get("/v1/documents", headers=inside.headers)).json()["items"]
    assert [one["id"] for one in listed] == [document["id"]]
    assert await level_of(services, inside.headers) is Level.PHONE_CONFIRMED
    is_problem(await client.get("/v1/people", headers=worker.headers), 403, "session_locked")
    # The phone goes on, and says that it is open.
    assert await status_of(client, person) == 200
    assert (await see(client, person, opened["id"]))["state"] == "inside"
    listed = (await client.get("/v1/sessions", headers=person.headers)).json()["items"]
    assert len(listed) == 2
    assert "appareil partagé" in listed[0]["description"]
    # It ends it in one gesture.
    ended = await say(client, person, opened["id"], agree=False)
    assert ended.json()["state"] == "over"
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)
    assert await status_of(client, person) == 200
    is_problem(await try_enter(client, worker, opened["id"]), 409, "meeting_over")


async def test_the_worker_ends_it_as_any_other(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    inside = await enter_by_phone(client, worker, person)
    await end_beside(client, worker)
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)


async def test_it_lasts_a_quarter_of_an_hour_whatever_is_done(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, moved_clock: MoveClock
) -> None:
    moved_clock(timedelta())
    inside = await enter_by_phone(client, worker, person)
    for minutes in (10, 14.9):
        moved_clock(timedelta(minutes=minutes))
        assert (await status_of(client, inside), await status_of(client, worker)) == (200, 403)
    moved_clock(timedelta(minutes=15, seconds=2))
    assert (await status_of(client, inside), await status_of(client, worker)) == (401, 200)
    assert await status_of(client, person) == 200


async def test_every_line_is_told_and_names_the_worker(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    before = len(await log_of(client, person))
    texts = len(await queued_messages(services, person.phone))
    inside = await enter_by_phone(client, worker, person)
    await client.get("/v1/documents", headers=inside.headers)
    told = (await log_of(client, person))[::-1][before:]
    assert [one["action"] for one in told] == [
        "meeting.answer",
        "meeting.agree",
        "sign_in.success",
        "document.list",
    ]
    place = f"Camille Moreau ({worker.subject.organisation})"
    said = [one["sentence"].translate(_ISOLATES) for one in told]
    assert said[0].startswith(f"Vous avez tapé le code de {place}")
    assert (
        said[1] == f"Vous avez dit oui : vos papiers s’ouvrent 15 minutes sur l’écran de {place}."
    )
    assert "avec un oui sur votre téléphone" in said[2]
    for line, sentence in zip(told[2:], said[2:], strict=True):
        assert line["beside"]["name"] == "Camille Moreau"
        assert f"{BESIDE}{worker.subject.organisation}) était à côté." in sentence
    assert not any(one["beside"] for one in told[:2]), "on their phone they were alone"
    (message,) = (await queued_messages(services, person.phone))[texts:]
    assert "nouvel appareil" in message["text"], "as by a card"


_ISOLATES = dict.fromkeys(range(0x2066, 0x206A))


async def test_a_yes_given_inside_has_evidence_that_is_true(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    inside = await enter_by_phone(client, worker, person)
    for kind in ("card_pin_on_workers_screen", "code_read_out"):
        body = gift(worker, evidence={"kind": kind, "worker_id": str(worker.id)})
        answer = await client.post("/v1/grants", headers=inside.headers, json=body)
        is_problem(answer, 422, "evidence_level")
    given = await client.post("/v1/grants", headers=inside.headers, json=gift(worker))
    assert given.status_code == 201, given.text
    path = f"/v1/grants/{given.json()['id']}"
    receipt = await client.get(f"{path}/receipt", headers=person.headers)
    assert receipt.text.count("phone_confirmed_on_workers_screen") == 1
    assert '"level":"phone_confirmed"' in receipt.text.replace(" ", "")
    assert "card_pin" not in receipt.text
    for side in (person, worker):
        await end_beside(client, worker)
        printed = await client.get(f"{path}/receipt.pdf", headers=side.headers)
        assert printed.status_code == 200
    long = gift(worker, duration="P4M")
    again = await enter_by_phone(client, worker, person)
    answer = await client.post("/v1/grants", headers=again.headers, json=long)
    is_problem(answer, 403, "assisted_too_long")


async def test_a_worker_enters_their_own_vault_as_anyone_does(
    client: httpx.AsyncClient, worker: SomeWorker, make_person: MakePerson
) -> None:
    """Nothing ties the two accounts: who was beside is themselves, and the limits are the same."""
    themselves = await make_person()
    inside = await enter_by_phone(client, worker, themselves)
    longer = gift(worker, duration="P4M")
    refused = await client.post("/v1/grants", headers=inside.headers, json=longer)
    is_problem(refused, 403, "assisted_too_long")
    assert (await log_of(client, themselves))[0]["beside"]["name"] == "Camille Moreau"


async def test_a_request_is_answered_inside(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    request = await ask(client, worker.headers, person.phone, "payslip")
    inside = await enter_by_phone(client, worker, person)
    path = f"/v1/consent-requests/{request}/approve"
    assert (await client.post(path, headers=inside.headers, json={})).status_code == 201
