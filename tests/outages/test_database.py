"""PostgreSQL gone, frozen, full, read-only: callers are answered 503 and when to come back; the log
says it once; afterwards the service goes on by itself."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest
from structlog.testing import capture_logs

from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.outages.postgres_server import Server
from vault.services import Services

Taken = Callable[[Server], AbstractContextManager[None]]
ROLE = "ALTER ROLE unefois_service_login"
WAYS: dict[str, Taken] = {
    "gone": Server.gone,
    "frozen": Server.frozen,
    "no connection left": lambda server: server.altered(
        f"{ROLE} CONNECTION LIMIT 0", f"{ROLE} CONNECTION LIMIT -1"
    ),
    "another password": lambda server: server.altered(f"{ROLE} NOLOGIN", f"{ROLE} LOGIN"),
}
LIMIT = 15.0
PROBE = 8.0
"""The health check of `docker-compose.yml` waits no longer."""


async def until_ready(management: httpx.AsyncClient) -> None:
    """The process notices by itself that PostgreSQL is back."""
    deadline = time.monotonic() + LIMIT
    while (await management.get("/readyz")).status_code != 200:
        assert time.monotonic() < deadline, "it does not recover"
        await asyncio.sleep(0.1)


async def until_not_ready(management: httpx.AsyncClient) -> list[str]:
    """What is degraded once readiness says no: its last answer is kept for a second."""
    deadline = time.monotonic() + LIMIT
    while (answer := await management.get("/readyz")).status_code == 200:
        assert time.monotonic() < deadline, "readiness does not notice"
        await asyncio.sleep(0.1)
    degraded: list[str] = answer.json()["degraded"]
    return degraded


async def ask(
    client: httpx.AsyncClient, person: SomePerson, piped: dict[str, str]
) -> list[httpx.Response]:
    """One request by each kind of connection, and one for a page."""
    cookie = {"Cookie": f"unefois-person={person.token}", "Accept": "text/html"}
    unknown = "/v1/grants/01890000-0000-7000-8000-000000000001/documents"
    return list(
        await asyncio.gather(
            client.get("/v1/documents", headers=person.headers),
            client.get(f"{unknown}/01890000-0000-7000-8000-000000000002/content", headers=piped),
            client.get("/documents", headers=cookie),
        )
    )


@pytest.mark.parametrize("way", WAYS)
async def test_callers_are_answered_503_and_the_log_says_it_once(
    way: str,
    server: Server,
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker()
    await until_ready(management)
    with capture_logs() as lines, WAYS[way](server):
        began = time.monotonic()
        for _ in range(1 if way == "frozen" else 4):
            for answer in await ask(client, person, worker.headers):
                assert answer.status_code == 503, answer.text
                assert answer.headers["retry-after"] == "5"
            assert time.monotonic() - began < LIMIT
            began = time.monotonic()
        assert "database" in await until_not_ready(management)
    await until_ready(management)
    assert (await client.get("/v1/documents", headers=person.headers)).status_code == 200
    words = [(line["event"], line.get("part")) for line in lines if line["log_level"] != "info"]
    assert words.count(("part_failing", "database")) == 1
    assert [word for word in words if word[0] not in {"part_failing", "part_recovered"}] == []


async def test_readiness_answers_a_probe_in_time_while_the_server_is_frozen(
    server: Server, management: httpx.AsyncClient
) -> None:
    """Its own connections are those that hang: nobody else has noticed."""
    await until_ready(management)
    await asyncio.sleep(1.1)  # its last answer is kept for a second
    with server.frozen():
        began = time.monotonic()
        answer = await management.get("/readyz")
        took = time.monotonic() - began
    assert (answer.status_code, "database" in answer.json()["degraded"]) == (503, True)
    assert took < PROBE
    await until_ready(management)


async def test_the_answer_says_what_to_do_in_the_form_that_the_caller_reads(
    server: Server,
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    person = await make_person()
    await until_ready(management)
    with server.gone():
        problem = await client.get("/v1/documents", headers=person.headers)
        cookie = {"Cookie": f"unefois-person={person.token}", "Accept": "text/html"}
        page = await client.get("/documents", headers=cookie)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["code"] == "database_unavailable"
    assert "Attendez une minute" in problem.json()["what_to_do"]
    assert page.headers["content-type"].startswith("text/html")
    assert "Vos papiers sont toujours là" in page.text
    await until_ready(management)


async def test_a_read_only_server_refuses_writes_as_unavailable(
    server: Server,
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    """After a failover to a standby: reads and writes both record, so both are refused."""
    person = await make_person()
    await until_ready(management)
    setting = "SET default_transaction_read_only ="
    with server.altered(f"{ROLE} {setting} on", f"{ROLE} {setting} off"):
        await until_sessions_are_new(management)
        answer = await client.post("/v1/sign-ins", json={"phone": person.phone})
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    await until_ready(management)


async def until_sessions_are_new(management: httpx.AsyncClient) -> None:
    """The connections that were ended are noticed one by one."""
    for _ in range(10):
        await management.get("/readyz")


async def test_a_fault_of_ours_stays_500(
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A statement that the database refuses is no outage: nobody is told to come back."""
    from sqlalchemy import text

    from vault.documents import own_documents

    async def fails(*_: object, **__: object) -> None:
        async with services.database.transaction() as tx:
            await tx.execute(text("SELECT no_such_column"))

    person = await make_person()
    await until_ready(management)
    monkeypatch.setattr(own_documents, "list_own", fails)
    answer = await client.get("/v1/documents", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert services.parts.failing() == []
