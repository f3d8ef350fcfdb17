"""One gesture stops a recovery, from each old means; and « it is me » opens it at once."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth.rate_buckets import Rate
from base.database import Database
from tests.assisted import enter_beside
from tests.auth.means_steps import add_card, bearer, choose_pin, enter, proof_of, usable_pins
from tests.fixtures import MakePerson, MoveClock, SomePerson, SomeWorker
from tests.joins import joined, of_last_week
from tests.openings import LATER, Waiting, open_former, own, waits_for
from tests.recoveries import (
    PIN,
    ReadPaper,
    begun,
    recoveries,
    second,
    some_paper,
    stop_digits,
    texts_to,
)
from tests.rows import change_row
from tests.steps import is_problem, log_of
from tests.trusted import trusted
from vault.recovery import stops
from vault.recovery.records import RECOVERY_ROW, Recovery
from vault.recovery.recovery_rules import LONG_WAIT
from vault.services import Services

pytestmark = pytest.mark.usefixtures("cheap_pins")


PACE = stops.TYPED


@pytest.fixture(autouse=True)
def from_many_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of these tests type from one."""
    monkeypatch.setattr(stops, "TYPED", Rate(1_000, timedelta(seconds=1)))


@pytest.fixture
async def waiting(
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> Waiting:
    """Complete, and of somebody who still has their phone and a session."""
    return await waits_for(client, (camille, nadia), lost, paper)


async def on_mine(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/recoveries", headers=person.headers)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def stop(
    client: httpx.AsyncClient, headers: dict[str, str], recovery: str, **body: Any
) -> httpx.Response:
    return await client.post(f"/v1/me/recoveries/{recovery}/stop", headers=headers, json=body)


async def stop_by_code(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post("/v1/recoveries/stop", json={"code": code})


async def ends(services: Services) -> str | None:
    by: str | None = (await recoveries(services))[0].ended_by
    return by


async def test_one_tap_in_a_session_stops_it(
    services: Services,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    waiting: Waiting,
    lost: SomePerson,
) -> None:
    (one,) = await on_mine(client, lost)
    for _ in range(2):
        answer = await stop(client, lost.headers, one["id"])
        assert answer.status_code == 204, answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert await ends(services) == "session"
    assert await on_mine(client, lost) == []
    (text, *_) = await texts_to(services, lost.phone)
    assert "est arrêtée. Rien n’a été ouvert" in text
    mine = [line for line in await log_of(client, lost.headers) if line["action"].endswith("stop")]
    assert [line["sentence"] for line in mine] == [
        "Vous avez arrêté une demande de rouvrir vos papiers."
    ]
    moved_clock(LATER)
    is_problem(await open_former(client, waiting), 409, "recovery_stopped")
    headers = bearer(await enter(client, waiting.card, PIN))
    assert (await own(client, headers))["state"] == "stopped"
    lines = [line for line in await log_of(client, headers) if line["action"].endswith("stop")]
    assert [line["sentence"] for line in lines] == [
        "Une demande de rouvrir des papiers est arrêtée."
    ]


async def test_stopped_without_a_proof_the_next_one_is_harder_and_takes_one(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    camille: SomeWorker,
    nadia: SomeWorker,
    karim: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    assert waiting.card
    (one,) = await on_mine(client, lost)
    await stop(client, lost.headers, one["id"])
    for other, wait in ((nadia, None), (karim, LONG_WAIT)):
        told = await begun(client, camille, paper)
        await second(client, other, told["code"], paper)
        (row, *_) = await recoveries(services)
        assert (row.opens_at and row.opens_at - row.complete_at) == wait
    (hard,) = [item for item in await on_mine(client, lost) if item["opens_at"] is not None]
    assert hard["needs_proof"]
    is_problem(await stop(client, lost.headers, hard["id"]), 403, "proof_needed")
    digits = [stop_digits(text) for text in await texts_to(services, lost.phone) if "tapez" in text]
    for code in digits:
        assert (await stop_by_code(client, code)).status_code == 204
    assert hard["id"] in {item["id"] for item in await on_mine(client, lost)}
    proof = await proof_of(client, lost)
    wrong = {**proof, "code": "000000"}
    is_problem(await stop(client, lost.headers, hard["id"], proof=wrong), 403, "proof_wrong")
    answer = await stop(client, lost.headers, hard["id"], proof=await proof_of(client, lost))
    assert answer.status_code == 204, answer.text
    (row, *_) = [row for row in await recoveries(services) if str(row.id) == hard["id"]]
    assert row.ended_by == "holder"


async def test_the_digits_of_a_message_stop_it(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, lost: SomePerson
) -> None:
    assert waiting.card
    (text, *_) = await texts_to(services, lost.phone)
    digits = stop_digits(text)
    for code in ("00000000", "", "é", digits[:-1]):
        answer = await stop_by_code(client, code)
        assert (answer.status_code, answer.content) == (204, b"")
    assert await ends(services) is None
    answer = await stop_by_code(client, f" {digits} ")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await ends(services) == "phone"
    (line, *_) = [one for one in await log_of(client, lost.headers) if one["action"] != "log.read"]
    assert line["sentence"].startswith("Quelqu’un a arrêté une demande")


async def test_digits_are_guessed_at_a_pace(
    client: httpx.AsyncClient, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waiting.card
    monkeypatch.setattr(stops, "TYPED", PACE)
    answers = [(await stop_by_code(client, f"{number:08}")).status_code for number in range(12)]
    assert answers[-1] == 429


async def test_who_is_trusted_stops_it(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    waiting: Waiting,
    lost: SomePerson,
) -> None:
    assert waiting.card
    friend, other = await make_person(), await make_person()
    naming = await trusted(client, lost, friend)
    path = f"/v1/trusted/{naming}/stop"
    is_problem(await client.post(path, headers=other.headers), 404, "not_found")
    is_problem(await client.post(path, headers=lost.headers), 404, "not_found")
    assert await ends(services) is None
    for _ in range(2):
        assert (await client.post(path, headers=friend.headers)).status_code == 204
    assert await ends(services) == "trusted"
    (line, *_) = [one for one in await log_of(client, lost.headers) if one["action"] != "log.read"]
    assert line["sentence"].startswith("Votre personne de confiance a arrêté")
    (line, *_) = [
        one for one in await log_of(client, friend.headers) if one["action"] != "log.read"
    ]
    assert line["sentence"].startswith("Vous avez arrêté les demandes")


async def test_its_agents_withdraw_it_and_no_other_worker(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    karim: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, camille, paper)
    await second(client, nadia, told["code"], paper)
    path, body = "/v1/desk/recoveries/end", {"code": told["code"]}
    refused = await client.post(path, headers=karim.headers, json=body)
    is_problem(refused, 403, "recovery_code_wrong")
    refused = await client.post(path, headers=nadia.headers, json={"code": "0"})
    is_problem(refused, 403, "recovery_code_wrong")
    for _ in range(2):
        assert (await client.post(path, headers=nadia.headers, json=body)).status_code == 204
    assert await ends(services) == "worker"
    lines = [line for line in await log_of(client, lost.headers) if line["action"].endswith("stop")]
    assert len(lines) == 1
    assert "a annulé une demande" in lines[0]["sentence"]
    # It weighs on none: the next one opens as before.
    told = await begun(client, camille, paper)
    await second(client, nadia, told["code"], paper)
    assert (await recoveries(services))[0].opens_at is not None


async def test_who_asked_gives_it_up(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, lost: SomePerson
) -> None:
    is_problem(await client.delete("/v1/me/recovery", headers=lost.headers), 404, "not_found")
    for _ in range(2):
        answer = await client.delete("/v1/me/recovery", headers=waiting.headers)
        assert answer.status_code == 204, answer.text
    assert await ends(services) == "waiting"
    (text, *_) = await texts_to(services, lost.phone)
    assert "est arrêtée" in text


async def test_it_is_me_opens_it_at_once(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, lost: SomePerson
) -> None:
    (one,) = await on_mine(client, lost)
    path = f"/v1/me/recoveries/{one['id']}/confirm"
    is_problem(await client.post(path, headers=lost.headers), 403, "proof_needed")
    assert (await own(client, waiting.headers))["state"] == "waiting"
    body = {"proof": await proof_of(client, lost)}
    for _ in range(2):
        answer = await client.post(path, headers=lost.headers, json=body)
        assert answer.status_code in (204, 403)
        assert answer.headers["cache-control"] == "no-store"
    lines = [one["action"] for one in await log_of(client, lost.headers)]
    assert lines.count("recovery.confirm") >= 1
    assert (await own(client, waiting.headers))["state"] == "ready"
    answer = await open_former(client, waiting)
    assert answer.status_code == 201, answer.text
    assert (await recoveries(services))[0].opened_at is not None


async def test_it_is_me_where_one_agent_saw_the_person(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, camille, paper)
    (one,) = await on_mine(client, lost)
    assert one["opens_at"] is None
    body = {"proof": await proof_of(client, lost)}
    path = f"/v1/me/recoveries/{one['id']}/confirm"
    assert (await client.post(path, headers=lost.headers, json=body)).status_code == 204
    (row, *_) = await recoveries(services)
    assert row.complete_at == row.opens_at == row.earliest_at
    # A second agent learns nothing of it: as of one that is complete.
    answer = await second(client, nadia, told["code"], paper)
    assert answer.status_code == 202, answer.text
    assert (await recoveries(services))[0].opens_at == row.opens_at


async def test_what_is_another_ones_or_over_is_neither_stopped_nor_confirmed(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    waiting: Waiting,
    lost: SomePerson,
) -> None:
    assert waiting.card
    (one,) = await on_mine(client, lost)
    other = await make_person()
    is_problem(await stop(client, other.headers, one["id"]), 404, "not_found")
    is_problem(await stop(client, waiting.headers, one["id"]), 404, "not_found")
    path = f"/v1/me/recoveries/{one['id']}/confirm"
    body = {"proof": await proof_of(client, other)}
    is_problem(await client.post(path, headers=other.headers, json=body), 404, "not_found")
    (row, *_) = await recoveries(services)
    ended = {"ended_at": row.complete_at, "ended_by": "session"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **ended)
    body = {"proof": await proof_of(client, lost)}
    answer = await client.post(path, headers=lost.headers, json=body)
    is_problem(answer, 409, "recovery_over")
    opened = {"ended_at": None, "ended_by": None, "opened_at": row.opens_at}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **opened)
    is_problem(await stop(client, lost.headers, one["id"]), 409, "recovery_over")
    answer = await client.delete("/v1/me/recovery", headers=waiting.headers)
    is_problem(answer, 409, "recovery_over")


async def test_beside_a_worker_it_is_stopped_and_not_confirmed(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    nadia: SomeWorker,
    lost: SomePerson,
) -> None:
    assert waiting.card
    (pin, *_) = await usable_pins(services, lost)
    card = (await add_card(client, lost, pin))["code"]
    beside = await enter_beside(client, nadia, lost, (card, pin))
    (one,) = await on_mine(client, lost)
    path = f"/v1/me/recoveries/{one['id']}/confirm"
    body = {"proof": {"pin": pin}}
    is_problem(await client.post(path, headers=beside.headers, json=body), 403, "not_when_assisted")
    assert (await stop(client, beside.headers, one["id"])).status_code == 204
    assert await ends(services) == "session"


async def test_from_the_vault_in_which_it_ended_since(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    waiting: Waiting,
    lost: SomePerson,
) -> None:
    assert waiting.card
    stays = await make_person()
    for one, pin in zip((lost, stays), await usable_pins(services, lost, stays), strict=False):
        assert (await choose_pin(client, one, pin)).is_success
        await of_last_week(one)
    await joined(client, lost, stays)
    (one,) = await on_mine(client, stays)
    assert (await stop(client, stays.headers, one["id"])).status_code == 204
    assert await ends(services) == "session"


async def test_of_a_stop_and_an_opening_at_once_one_is_done(
    services: Services,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    waiting: Waiting,
    lost: SomePerson,
) -> None:
    (one,) = await on_mine(client, lost)
    moved_clock(LATER)
    opened, stopped = await asyncio.gather(
        open_former(client, waiting), stop(client, lost.headers, one["id"])
    )
    (row, *_) = await recoveries(services)
    if row.opened_at is None:
        assert (opened.status_code, stopped.status_code) == (409, 204)
    else:
        assert opened.status_code == 201
        assert stopped.status_code in (401, 404, 409)
    assert (row.opened_at is None) != (row.ended_at is None)


async def test_of_a_stop_and_a_yes_at_once_the_stop_holds(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, lost: SomePerson
) -> None:
    (one,) = await on_mine(client, lost)
    body = {"proof": await proof_of(client, lost)}
    path = f"/v1/me/recoveries/{one['id']}/confirm"
    confirmed, stopped = await asyncio.gather(
        client.post(path, headers=lost.headers, json=body), stop(client, lost.headers, one["id"])
    )
    assert stopped.status_code == 204
    assert confirmed.status_code in (204, 409)
    assert await ends(services) == "session"
    is_problem(await open_former(client, waiting), 409, "recovery_stopped")


async def test_what_nothing_was_found_for_is_given_up_too(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker
) -> None:
    told = await begun(client, camille, some_paper())
    headers = bearer(await enter(client, told["card"]["code"], PIN))
    assert (await client.delete("/v1/me/recovery", headers=headers)).status_code == 204
    assert await ends(services) == "waiting"
