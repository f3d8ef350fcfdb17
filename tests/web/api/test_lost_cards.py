"""A lost card is stopped in one gesture, without a proof: what that opens, closes, and gives to
whoever took over the session."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from auth import administration, pin_hashes
from tests.auth.means_steps import (
    add_card,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    means,
    pin_of,
    proved,
    remove,
)
from tests.auth.steps import log_of, queued_messages
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, last_code
from tests.steps import is_problem
from tests.steps import log_of as lines_of
from vault.services import Services

Client = httpx.AsyncClient


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def stop(client: Client, headers: dict[str, str], means_id: str) -> httpx.Response:
    return await client.post(f"/v1/me/means/{means_id}/stop", headers=headers)


async def is_open(client: Client, headers: dict[str, str]) -> bool:
    return (await client.get("/v1/me", headers=headers)).status_code == 200


async def test_it_opens_nothing_and_everything_is_closed(
    services: Services, client: Client, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    found = bearer(await enter(client, card["code"], pin))
    answer = await stop(client, person.headers, card["id"])
    assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
    for headers in (found, person.headers):
        assert not await is_open(client, headers)
    for shown in (card["code"], card["secret"]):
        assert (await enter(client, shown, pin)).status_code == 401
    # What stays lets its person in, who reads what was done, and was told.
    again = bearer(await enter_by_phone(client, services, person.phone, pin))
    _, listed = await means(client, again)
    assert (listed["stopped"], listed["barred"]) == (True, True)
    line = next(one for one in await lines_of(client, again) if one["action"] == "means.stop")
    assert line["sentence"].startswith("Vous avez arrêté une carte perdue")
    told = await queued_messages(services, person.phone)
    assert any("une carte perdue vient d’être arrêtée" in one["text"] for one in told)


async def test_a_proof_frees_it_and_a_new_pin_does_not(
    services: Services, client: Client, person: SomePerson
) -> None:
    """A card is found again in a coat; a lost one does not come back by the way."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert (await stop(client, person.headers, card["id"])).status_code == 204
    again = bearer(await enter_by_phone(client, services, person.phone, pin))
    body = {"pin": pin, "again": pin}
    changed = await proved(client, person, "PUT", "/v1/me/pin", body, again)
    assert changed.status_code == 204
    assert (await enter(client, card["code"], pin)).status_code == 401
    path = f"/v1/me/means/{card['id']}/free"
    is_problem(await client.post(path, headers=again), 403, "proof_needed")
    assert (await proved(client, person, "POST", path, {}, again)).status_code == 204
    assert (await enter(client, card["code"], pin)).status_code == 201


async def test_no_desk_frees_what_its_person_stopped(
    services: Services, client: Client, make_worker: MakeWorker, person: SomePerson
) -> None:
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert (await stop(client, person.headers, card["id"])).status_code == 204
    worker = await make_worker()
    await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
    shown = {"card": card["code"]}
    answer = await client.post("/v1/desk/cards/free", headers=worker.headers, json=shown)
    assert answer.status_code == 204, "the same whatever becomes of it"
    assert (await enter(client, card["code"], pin)).status_code == 401
    assert (await log_of(services, person.id))[-2] == ("means.free", "refused", "card_stopped")


async def test_the_last_means_is_not_stopped(
    services: Services, client: Client, person: SomePerson
) -> None:
    """Nor the last but one, where the other is stopped already."""
    pin = await pin_of(services, person)
    first, second = [await add_card(client, person, pin) for _ in range(2)]
    phone = (await means(client, person.headers))[0]["id"]
    assert (await remove(client, person, phone)).status_code == 204
    assert (await stop(client, person.headers, first["id"])).status_code == 204
    left = bearer(await enter(client, second["code"], pin))
    is_problem(await stop(client, left, second["id"]), 409, "last_means")
    assert (await log_of(services, person.id))[-1] == ("means.stop", "refused", "last_means")
    is_problem(await stop(client, left, first["id"]), 409, "card_is_stopped")
    assert (await log_of(services, person.id))[-1] == ("means.stop", "refused", "card_stopped")
    assert await is_open(client, left), "a refusal closes nothing"
    assert (await enter(client, second["code"], pin)).status_code == 201


async def test_of_two_at_once_one_stays(
    services: Services, client: Client, person: SomePerson
) -> None:
    """Two cards, no phone, each stopped by another session: never both."""
    pin = await pin_of(services, person)
    both = [await add_card(client, person, pin) for _ in range(2)]
    phone = (await means(client, person.headers))[0]["id"]
    assert (await remove(client, person, phone)).status_code == 204
    inside = [bearer(await enter(client, one["code"], pin)) for one in both]
    answers = await asyncio.gather(
        *(stop(client, headers, one["id"]) for headers, one in zip(inside, both, strict=True))
    )
    statuses = sorted(one.status_code for one in answers)
    assert statuses[0] == 204
    assert statuses[1] in (401, 409), "the first closed its session, or left it the last"
    entered = [(await enter(client, one["code"], pin)).status_code for one in both]
    assert sorted(entered) == [201, 401]


@pytest.mark.parametrize("of", ["the phone", "another", "unknown", "malformed"])
async def test_what_is_no_card_of_mine_is_not_found(
    services: Services, client: Client, make_person: MakePerson, person: SomePerson, of: str
) -> None:
    """A phone is not stopped so: whoever took over a session would leave its person cards alone."""
    await add_card(client, person, await pin_of(services, person))
    other = await make_person()
    theirs = await add_card(client, other, await pin_of(services, other))
    named = {
        "the phone": (await means(client, person.headers))[0]["id"],
        "another": theirs["id"],
        "unknown": "0190b8a0-0000-7000-8000-000000000000",
        "malformed": "x",
    }
    is_problem(await stop(client, person.headers, named[of]), 404, "not_found")
    assert await is_open(client, person.headers)
    assert not (await means(client, other.headers))[1]["stopped"]


async def test_who_took_over_a_session_is_out_too(
    services: Services, client: Client, person: SomePerson, moved_clock: MoveClock
) -> None:
    """A thief of the phone, with its open session, without the PIN: the card that its person would
    cancel with is stopped. Neither the wait for a change nor the erasure goes on."""
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    assert (await client.post("/v1/me/proof/wait", headers=person.headers)).status_code == 202
    await client.post("/v1/me/erasure/code", headers=person.headers)
    code = await last_code(services, person.phone)
    asked = await client.request("DELETE", "/v1/me", headers=person.headers, json={"code": code})
    assert asked.status_code == 202, asked.text
    assert (await stop(client, person.headers, card["id"])).status_code == 204
    assert not await is_open(client, person.headers)
    done = [one[0] for one in await log_of(services, person.id)]
    assert "vault.erase_cancelled" in done
    moved_clock(timedelta(days=8))
    owner = bearer(await enter_by_phone(client, services, person.phone, pin))
    me = (await client.get("/v1/me", headers=owner)).json()
    assert me["erases_at"] is None
    listed = (await client.get("/v1/me/means", headers=owner)).json()
    assert listed["wait"] is None


async def test_not_by_a_worker(
    services: Services, client: Client, make_worker: MakeWorker, person: SomePerson
) -> None:
    card = await add_card(client, person, await pin_of(services, person))
    worker = await make_worker()
    assert (await stop(client, worker.headers, card["id"])).status_code == 403
    assert (await stop(client, {}, card["id"])).status_code == 401
    assert (await choose_pin(client, person, await pin_of(services, person))).status_code == 204
