"""A slow download under way when its grant ends: it stops within a second, on both stores."""

import asyncio
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from auth import administration
from tests.fixtures import (
    STORES,
    MakeClient,
    MakePerson,
    MakeWorker,
    MoveClock,
    Served,
    SomePerson,
    SomeWorker,
)
from tests.slow_reader import Calling, SlowReader
from tests.steps import (
    again,
    approve,
    ask,
    client_headers,
    deposit,
    erase,
    granted,
    log_of,
    revoke,
    until,
)
from tests.vault.decoding import corpus
from vault.services import Services

SIZE = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def large() -> bytes:
    """A valid PDF of a little more than 20 MiB, most of it noise."""
    return corpus.pdf_of(secrets.token_bytes(SIZE))


async def _begin(
    served: Served, grant: str, document: str, worker: SomeWorker | Calling
) -> tuple[SlowReader, "asyncio.Task[None]"]:
    path = f"/v1/grants/{grant}/documents/{document}/content"
    slow = SlowReader(served.base_url, path, worker.headers)
    reading = asyncio.create_task(slow.run())
    await until(lambda: slow.taken > 4 * 64 * 1024)
    return slow, reading


async def _interrupted(client: httpx.AsyncClient, person: SomePerson) -> bool:
    """The person's log records the one download as interrupted."""
    reads = [entry for entry in await log_of(client, person) if entry["action"] == "document.read"]
    assert len(reads) == 1
    return bool(reads[0]["confirmed"] == "interrupted")


async def _ends_incomplete(
    client: httpx.AsyncClient, person: SomePerson, slow: SlowReader, reading: "asyncio.Task[None]"
) -> None:
    """The server's record comes first: the reader still reads what the kernel has buffered."""
    await until(lambda: _interrupted(client, person), seconds=5)
    await asyncio.wait_for(reading, 60)
    assert slow.length > SIZE
    assert slow.taken < slow.length


@dataclass(frozen=True)
class Shared:
    """A large paper that a person lets a worker read."""

    person: SomePerson
    worker: SomeWorker
    document: str
    grant: str


@pytest.fixture
async def shared(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, large: bytes
) -> Shared:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, large)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    return Shared(person, worker, document["id"], grant)


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_a_revocation_stops_it_within_a_second(
    served: Served, client: httpx.AsyncClient, shared: Shared
) -> None:
    slow, reading = await _begin(served, shared.grant, shared.document, shared.worker)
    await revoke(client, shared.person, shared.grant)
    revoked = time.monotonic()
    await until(lambda: _interrupted(client, shared.person), seconds=5)
    delay = time.monotonic() - revoked
    print(f"\nstopped {delay * 1000:.0f} ms after the revocation")
    assert delay < 1.0
    await _ends_incomplete(client, shared.person, slow, reading)


async def test_a_stalled_download_is_ended_too(
    served: Served, client: httpx.AsyncClient, shared: Shared
) -> None:
    """The client does not read: nothing is sent for a long time, and the stream still stops."""
    path = f"/v1/grants/{shared.grant}/documents/{shared.document}/content"
    stalled = SlowReader(served.base_url, path, shared.worker.headers, pause=3600)
    reading = asyncio.create_task(stalled.run())
    await until(lambda: stalled.taken > 0)
    await asyncio.sleep(0.3)
    await revoke(client, shared.person, shared.grant)
    revoked = time.monotonic()
    await until(lambda: _interrupted(client, shared.person), seconds=5)
    assert time.monotonic() - revoked < 1.0
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading


async def test_its_own_end_stops_it_within_a_second(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
    large: bytes,
) -> None:
    """A grant of a day, when a day less five seconds has passed: nobody revokes anything."""
    person, worker = await make_person(), await make_worker()
    moved_clock(timedelta(days=-1, seconds=5))
    document = await deposit(client, person, large)
    request = await ask(client, worker.headers, person.phone, "income_tax_notice", duration="P1D")
    grant = await approve(client, person, request)
    moved_clock(timedelta(0))
    slow, reading = await _begin(served, grant["id"], document["id"], worker)
    ends_at = datetime.fromisoformat(grant["ends_at"])
    assert datetime.now(UTC) < ends_at
    await until(lambda: _interrupted(client, person), seconds=10)
    assert timedelta(0) < datetime.now(UTC) - ends_at < timedelta(seconds=1)
    await _ends_incomplete(client, person, slow, reading)


@pytest.mark.parametrize(
    "way", ["signing out", "ending the session", "ending all others", "barring"]
)
async def test_the_end_of_the_session_stops_it_within_a_second(
    served: Served, client: httpx.AsyncClient, shared: Shared, way: str
) -> None:
    """A thief's session that its holder ends from another device."""
    slow, reading = await _begin(served, shared.grant, shared.document, shared.worker)
    other = await again(served.services, shared.worker)
    mine = shared.worker.headers
    if way == "signing out":
        ended = await client.delete("/v1/sessions/current", headers=mine)
    elif way == "ending the session":
        listed = (await client.get("/v1/sessions", headers=mine)).json()["items"]
        (current,) = [one["id"] for one in listed if one["current"]]
        ended = await client.delete(f"/v1/sessions/{current}", headers=other)
    elif way == "barring":
        await administration.deactivate_worker(served.services, shared.worker.id)
    else:
        ended = await client.delete("/v1/sessions", headers=other)
    assert way == "barring" or ended.status_code in (200, 204)
    at = time.monotonic()
    await until(lambda: _interrupted(client, shared.person), seconds=5)
    assert time.monotonic() - at < 1.0
    await _ends_incomplete(client, shared.person, slow, reading)


async def test_barring_a_client_stops_it_within_a_second(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_client: MakeClient,
    large: bytes,
) -> None:
    person, system = await make_person(), await make_client()
    document = await deposit(client, person, large)
    headers = await client_headers(client, system)
    grant = await granted(client, person, headers, "income_tax_notice")
    slow, reading = await _begin(served, grant, document["id"], Calling(headers))
    await administration.deactivate_client(served.services, system.client_id)
    at = time.monotonic()
    await until(lambda: _interrupted(client, person), seconds=5)
    assert time.monotonic() - at < 1.0
    await _ends_incomplete(client, person, slow, reading)


async def test_erasure_stops_it_within_a_second(
    served: Served, services: Services, shared: Shared
) -> None:
    slow, reading = await _begin(served, shared.grant, shared.document, shared.worker)
    await erase(services, shared.person)
    await asyncio.wait_for(reading, 60)
    assert slow.taken < slow.length
