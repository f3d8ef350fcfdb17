"""Whoever took over a session puts a phone of their own in the place of the person's: it serves to
erase nothing, for as long as an erasure waits."""

from datetime import timedelta

import httpx

from tests.auth.means_steps import add_phone, enter_by_phone, pin_of
from tests.fixtures import MakePerson, MoveClock, new_phone
from tests.steps import is_problem, log_of
from vault.services import Services


async def test_a_phone_that_was_just_added_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, phone = await make_person(), new_phone()
    assert (await client.post("/v1/me/erasure/code", headers=person.headers)).status_code == 202
    pin = await pin_of(services, person)
    assert (await add_phone(client, services, person, phone, pin)).status_code == 201
    refused = await client.post("/v1/me/erasure/code", headers=person.headers)
    is_problem(refused, 409, "phone_too_new")
    told = (await log_of(client, person))[0]
    assert (told["action"], told["reason"]) == ("vault.erase_code", "phone_too_new")
    moved_clock(timedelta(days=7, minutes=1))
    entered = await enter_by_phone(client, services, phone, pin)
    headers = {"Authorization": f"Bearer {entered.json()['token']}"}
    assert (await client.post("/v1/me/erasure/code", headers=headers)).status_code == 202
