"""A phone that answers at the desk: a code in words of its own, and the note that it leads to."""

import secrets
from datetime import timedelta

import httpx
import pytest

from tests.auth.steps import service_log
from tests.fixtures import MoveClock, SomePerson, SomeWorker, last_code, new_phone
from tests.recoveries import begin, reached, recoveries, some_paper
from tests.recovery_people import MakeAgent
from tests.steps import is_problem
from vault.services import Services

pytestmark = pytest.mark.usefixtures("pins_are_cheap")
CODES = "/v1/desk/recoveries/phone-codes"


async def test_a_code_of_the_desk_lets_nobody_in(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker, unknown: SomePerson
) -> None:
    sent = await client.post(CODES, headers=camille.headers, json={"phone": unknown.phone})
    assert sent.status_code == 202, sent.text
    assert sent.headers["cache-control"] == "no-store"
    begun_ = sent.json()
    code = await last_code(services, unknown.phone)
    body = {"secret": begun_["secret"], "code": code}
    entered = await client.post(f"/v1/sign-ins/{begun_['id']}", json=body)
    is_problem(entered, 401, "code_wrong")
    # And one that lets in says nothing at the desk.
    asked = (await client.post("/v1/sign-ins", json={"phone": unknown.phone})).json()
    body = {"secret": asked["secret"], "code": await last_code(services, unknown.phone)}
    refused = await client.post(f"{CODES}/{asked['id']}", headers=camille.headers, json=body)
    is_problem(refused, 401, "code_wrong")


async def test_whether_a_vault_has_the_phone_nothing_tells(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker, unknown: SomePerson
) -> None:
    answers = []
    for phone in (unknown.phone, new_phone()):
        sent = await client.post(CODES, headers=camille.headers, json={"phone": phone})
        body = {"secret": sent.json()["secret"], "code": await last_code(services, phone)}
        at = f"{CODES}/{sent.json()['id']}"
        right = await client.post(at, headers=camille.headers, json=body)
        answers.append((sent.status_code, {*sent.json()}, right.status_code, {*right.json()}))
    assert answers[0] == answers[1]


async def test_a_note_serves_who_asked_for_half_an_hour(
    services: Services,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    camille: SomeWorker,
    nadia: SomeWorker,
    unknown: SomePerson,
) -> None:
    note = await reached(services, client, camille, unknown.phone)
    for worker, typed in (
        (nadia, note),
        (camille, note[:-4]),
        (camille, "é"),
        (camille, secrets.token_urlsafe(120)),
    ):
        refused = await begin(client, worker, some_paper(), shown={"reached": typed})
        is_problem(refused, 422, "phone_not_reached")
    moved_clock(timedelta(minutes=31))
    refused = await begin(client, camille, some_paper(), shown={"reached": note})
    is_problem(refused, 422, "phone_not_reached")


async def test_who_may_send_a_code_and_how_many(
    services: Services,
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    camille: SomeWorker,
    unknown: SomePerson,
) -> None:
    new = await make_agent("Sofia Petit", days=12)
    body = {"phone": unknown.phone}
    refused = await client.post(CODES, headers=new.headers, json=body)
    is_problem(refused, 403, "agent_too_new")
    assert (await service_log(services))[-1]["action"] == "recovery.means"
    is_problem(
        await client.post(CODES, headers=camille.headers, json={"phone": "12"}),
        422,
        "phone_invalid",
    )
    for _ in range(5):
        sent = await client.post(CODES, headers=camille.headers, json={"phone": new_phone()})
        assert sent.status_code == 202
    refused = await client.post(CODES, headers=camille.headers, json=body)
    is_problem(refused, 429, "too_many_recoveries")
    is_problem(await client.post(CODES, headers=unknown.headers, json=body), 403, "wrong_caller")


async def test_what_is_shown_wrong_begins_nothing(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker
) -> None:
    before = len(await recoveries(services))
    for more, code in (
        ({"shown": {"card": "ABCD"}}, "card_typo"),
        ({"former_phone": "12"}, "phone_invalid"),
        ({"shown": {"reached": "x"}}, "phone_not_reached"),
        ({"shown": {"passport": "x"}}, "invalid_request"),
    ):
        is_problem(await begin(client, camille, some_paper(), **more), 422, code)
    assert len(await recoveries(services)) == before
