"""`RateLimit` headers say what is left to the caller, and nothing of whom they ask."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from tests.attacks.pace import STRUCTURE, Clock, Strict, forget_rates, serving
from tests.fixtures import MakeClient, MakePerson, MakeWorker, SomePerson, new_phone
from tests.steps import Headers, client_headers, erase, request_body
from vault.services import Services
from web.process.services import open_services

OF_A_WORKER, OF_A_CLIENT = 4, 7
LEFT, POLICY = "RateLimit", "RateLimit-Policy"


@pytest.fixture
async def two(services: Services, frozen: Clock) -> AsyncIterator[tuple[Strict, Strict]]:
    """Two processes of one installation, with a small hour."""
    await forget_rates(services)
    limits = {"requests_per_hour": OF_A_WORKER, "client_requests_per_hour": OF_A_CLIENT}
    async with AsyncExitStack() as opened:
        other = await opened.enter_async_context(open_services(services.settings))
        yield (
            await opened.enter_async_context(serving(services, frozen, **limits)),
            await opened.enter_async_context(serving(other, frozen, **limits)),
        )


async def ask(
    server: Strict, headers: Headers, phone: str | None = None, key: str | None = None
) -> httpx.Response:
    sent = headers if key is None else headers | {"Idempotency-Key": key}
    body = request_body(phone or new_phone(), "payslip")
    return await server.send("POST", "/v1/consent-requests", STRUCTURE, headers=sent, json=body)


def policy(limit: int) -> str:
    return f'"consent-request";q={limit};w=3600'


def left(many: int, seconds: int) -> str:
    return f'"consent-request";r={many};t={seconds}'


async def test_a_worker_and_a_client_are_told_what_is_left_to_each(
    two: tuple[Strict, Strict], make_worker: MakeWorker, make_client: MakeClient
) -> None:
    """Each by their own setting, in whichever process they ask."""
    worker, system = await make_worker(), await make_client()
    of_system = await client_headers(two[0].client, system)
    for headers, limit in ((worker.headers, OF_A_WORKER), (of_system, OF_A_CLIENT)):
        for turn in range(limit):
            answer = await ask(two[turn % 2], headers)
            assert answer.status_code == 202
            assert answer.headers[POLICY] == policy(limit)
            assert answer.headers[LEFT] == left(limit - 1 - turn, 3600)
        for server in two:
            answer = await ask(server, headers)
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
            assert answer.headers[POLICY] == policy(limit)
            assert answer.headers[LEFT] == left(0, 3600)
            assert answer.headers["Retry-After"] == "3600"


async def test_it_is_true_to_the_second_and_the_oldest_comes_back_first(
    two: tuple[Strict, Strict], make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    for _ in range(OF_A_WORKER):
        await ask(two[0], worker.headers)
        two[0].clock.move(600)
    answer = await ask(two[1], worker.headers)
    assert answer.status_code == 429
    assert answer.headers[LEFT] == left(0, 3600 - OF_A_WORKER * 600)
    two[0].clock.move(3600 - OF_A_WORKER * 600)
    answer = await ask(two[1], worker.headers)
    assert answer.status_code == 202
    assert answer.headers[LEFT] == left(0, 600)


async def test_what_is_sent_again_spends_nothing(
    two: tuple[Strict, Strict], make_worker: MakeWorker
) -> None:
    worker, phone = await make_worker(), new_phone()
    for server in (*two, *two, *two):
        answer = await ask(server, worker.headers, phone, "the-same")
        assert answer.status_code == 202
        assert answer.headers[LEFT] == left(OF_A_WORKER - 1, 3600)


async def test_it_tells_nothing_of_whom_one_asks(
    two: tuple[Strict, Strict], make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The same with a vault and without; and an erasure, which takes the requests with it, gives
    nothing back that a sender could see."""
    person, told = await make_person(), []
    for phone in (person.phone, new_phone()):
        worker = await make_worker()
        answers = [await ask(two[0], worker.headers, phone) for _ in range(2)]
        if phone == person.phone:
            await erase(two[0].services, person)
        answers += [await ask(two[0], worker.headers, phone) for _ in range(3)]
        told.append([(a.status_code, a.headers[LEFT], a.headers[POLICY]) for a in answers])
    assert told[0] == told[1]
    assert [status for status, _, _ in told[0]] == [202] * OF_A_WORKER + [429]


async def test_nobody_else_is_told(
    two: tuple[Strict, Strict], make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Neither strangers, nor whoever reads, nor who fails before anything is counted."""
    person: SomePerson = await make_person()
    worker = await make_worker()
    answers = [
        await two[0].send("POST", "/v1/consent-requests", STRUCTURE, json={}),
        await two[0].send("POST", "/v1/sign-ins", STRUCTURE, json={"phone": new_phone()}),
        await two[0].send("GET", "/v1/consent-requests", STRUCTURE, headers=person.headers),
        await two[0].send("GET", "/v1/consent-requests", STRUCTURE, headers=worker.headers),
        await ask(two[0], person.headers),
        await ask(two[0], worker.headers, "nonsense"),
    ]
    for answer in answers:
        assert LEFT not in answer.headers
        assert POLICY not in answer.headers
