"""S3 hung under a service that runs: callers are answered 503 in time, downloads under way end as
interrupted, the log says it once, and the service goes on when S3 is back."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from structlog.testing import capture_logs

from tests.fixtures import MakePerson
from tests.servers.ceph import Ceph
from tests.servers.cut import Cut, Wire, relay
from tests.steps import deposit, log_of, until
from tests.vault.decoding import corpus

pytestmark = pytest.mark.ceph
LIMIT = 15.0
SIZE = 6 * 1024 * 1024
NEVER = "(?!)"


@dataclass(frozen=True)
class Relayed(Ceph):
    """The gateway, as the service of this file reaches it."""

    wire: Wire = field(kw_only=True)


@pytest.fixture(scope="module")
async def ceph(ceph: Ceph) -> AsyncIterator[Relayed]:
    async with relay(ceph.endpoint_url) as wire:
        yield Relayed(
            wire.endpoint_url, ceph.access_key, ceph.secret_key, ceph.processes, wire=wire
        )


@pytest.fixture(scope="module")
def wire(ceph: Relayed) -> Wire:
    return ceph.wire


@pytest.fixture
def large() -> bytes:
    return corpus.pdf_of(secrets.token_bytes(SIZE))


@pytest.mark.parametrize("store", ["ceph"], indirect=True)
async def test_a_hung_store_is_answered_in_time_and_said_once(
    wire: Wire,
    client: httpx.AsyncClient,
    management: httpx.AsyncClient,
    make_person: MakePerson,
    large: bytes,
) -> None:
    person = await make_person()
    document = await deposit(client, person, large)
    path = f"/v1/documents/{document['id']}/content"
    with capture_logs() as lines:
        async with client.stream("GET", path, headers=person.headers) as slow:
            pieces = slow.aiter_raw(4096)
            await anext(pieces)
            wire.break_from("", Cut.HUNG)
            began = time.monotonic()
            answers = await asyncio.gather(
                client.get(path, headers=person.headers),
                client.post(
                    "/v1/documents",
                    headers=person.headers,
                    files={"file": ("scan.pdf", corpus.pdf(1))},
                    data={"type": "payslip"},
                ),
            )
            assert time.monotonic() - began < LIMIT
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in pieces:
                    pass
            assert time.monotonic() - began < LIMIT
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "5"
        ready = await management.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["store"]) == (503, False)
        assert "store" in ready.json()["degraded"]
        reads = [e for e in await log_of(client, person) if e["action"] == "document.read"]
        assert [entry["confirmed"] for entry in reads] == ["interrupted", "interrupted"]
        wire.break_next(NEVER, Cut.HUNG, 0)
        await until(lambda: _is_ready(management), seconds=LIMIT)
        assert (await client.get(path, headers=person.headers)).content == large
    told = [(line["event"], line.get("part")) for line in lines if line["log_level"] != "info"]
    assert told == [("part_failing", "store"), ("part_recovered", "store")]


async def _is_ready(management: httpx.AsyncClient) -> bool:
    return (await management.get("/readyz")).status_code == 200
