"""Seven days in the place of a proof: nobody is warned of a session that is over, nor kept from
asking by another's."""

from dataclasses import replace

import httpx
import pytest

from auth import pin_hashes, proof_waits, sessions
from tests.auth.means_steps import bearer, choose_pin, enter_by_phone, pin_of
from tests.auth.steps import log_of as events_of
from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, Served, SomePerson, new_phone
from tests.steps import is_problem
from tests.web.pages.test_entering import browser, enter
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from vault.services import Services

ASKS = 'action="/me/proof/wait"'


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def elsewhere(
    client: httpx.AsyncClient, services: Services, person: SomePerson
) -> dict[str, str]:
    """Another session of somebody who has a PIN, which asked to wait."""
    pin = await pin_of(services, person)
    assert (await choose_pin(client, person, pin)).is_success
    other = bearer(await enter_by_phone(client, services, person.phone, pin))
    assert (await client.post("/v1/me/proof/wait", headers=other)).status_code == 202
    return other


async def test_of_a_session_that_is_over_no_wait_is_left(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    other = await elsewhere(client, served.services, person)
    async with browser_of(served, person) as at:
        assert "Quelqu’un, sur un autre appareil" in said(await at.get("/me/means"))
        ended = await client.delete("/v1/sessions/current", headers=other)
        assert ended.status_code == 204
        listed = (await client.get("/v1/me/means", headers=person.headers)).json()
        assert listed["wait"] is None
        assert "Un changement attend" not in said(await at.get("/me/means"))
        assert ASKS in (await at.get("/me/pin")).text
    before = await events_of(served.services, person.id)
    told = len(await queued_messages(served.services, person.phone))
    assert (await client.delete("/v1/me/proof/wait", headers=person.headers)).status_code == 204
    assert await events_of(served.services, person.id) == before, "there was none"
    assert len(await queued_messages(served.services, person.phone)) == told


async def test_another_s_wait_keeps_nobody_from_asking(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await elsewhere(client, served.services, person)
    async with browser_of(served, person) as at:
        assert ASKS in (await at.get("/me/pin")).text
        asked = await client.post("/v1/me/proof/wait", headers=person.headers)
        assert asked.status_code == 202
        assert ASKS not in (await at.get("/me/pin")).text, "it waits here already"


async def test_asking_and_cancelling_over_and_over_sends_few_messages(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Two messages each time, to pay, or to hide a warning among; another session still asks."""
    person = await make_person()
    asked: list[httpx.Response] = []
    for turn in range(proof_waits.AT_ONCE + 3):
        asked += [await client.post("/v1/me/proof/wait", headers=person.headers)]
        if turn == 0:  # what waits already is no new wait, however often one asks
            again = [await client.post("/v1/me/proof/wait", headers=person.headers) for _ in "abc"]
            assert {one.status_code for one in again} == {202}
        cancelled = await client.delete("/v1/me/proof/wait", headers=person.headers)
        assert cancelled.status_code == 204, turn
    statuses = [one.status_code for one in asked]
    assert statuses == [202] * proof_waits.AT_ONCE + [429] * 3
    is_problem(asked[-1], 429, "too_many_requests")
    assert int(asked[-1].headers["retry-after"]) > 0
    told = await queued_messages(services, person.phone)
    assert len([one for one in told if "façons d’entrer" in one["text"]]) == (
        2 * proof_waits.AT_ONCE
    )
    assert (await events_of(services, person.id))[-1] == ("means.wait", "refused", "paced")
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(services, tx, kind="person", subject_id=person.id)
    other = replace(person, token=opened.token)
    answer = await client.post("/v1/me/proof/wait", headers=other.headers)
    assert answer.status_code == 202


async def test_a_shared_device_is_not_offered_what_it_is_refused(served: Served) -> None:
    """It closes long before the seven days."""
    for device, offered in (("own", True), ("shared", False)):
        async with browser(served, language="fr") as at:
            await enter(served, at, new_phone(), device)
            page = (await at.get("/me/pin")).text
            assert (ASKS in page) is offered
            assert ("sur votre propre appareil" in page) is not offered
