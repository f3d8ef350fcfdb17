"""People whose keys the process does not hold: the first access to each in a minute, logged.

The tables hold the keys of thousands of others: what is looked up must be found among them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median
from uuid import UUID

import psycopg

from bench.fixture import Fixture
from bench.http_client import Connection, connect
from bench.retrieval import CONCURRENCY
from bench.rows import Row, bounded, faster
from bench.servers import serving

OTHERS = 20_000
MAX_MS = 8.0
RUNS = 3

_FILL = """
INSERT INTO unefois.audit_key (id, owner_id, year, public_key, sealed_private_key, mac)
    SELECT gen_random_uuid(), gen_random_uuid(), k.year, k.public_key, k.sealed_private_key, k.mac
    FROM (SELECT * FROM unefois.audit_key WHERE owner_id IS NOT NULL LIMIT 1) k,
        generate_series(1, %(others)s);
INSERT INTO unefois.wrapped_key (id, kind, owner_id, version, root_version, wrapped)
    SELECT gen_random_uuid(), 'owner', gen_random_uuid(), 1, k.root_version, k.wrapped
    FROM (SELECT * FROM unefois.wrapped_key WHERE kind = 'owner' LIMIT 1) k,
        generate_series(1, %(others)s);
"""


def fill(fixture: Fixture, others: int = OTHERS) -> None:
    """Add the keys of people who have nothing else."""
    address = fixture.addresses.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in _FILL.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode(), {"others": others})
        connection.execute("VACUUM ANALYZE")


async def measure(fixture: Fixture, *, others: int = OTHERS, runs: int = RUNS) -> list[Row]:
    """Rows of the bench table: in each run a new process, which holds no key of anyone."""
    fill(fixture, others)
    alone: list[float] = []
    rates: list[tuple[float, float]] = []
    first = len(fixture.cold) // 4
    for _ in range(runs):
        with serving("ours", fixture) as ours:
            async with _warm_process(fixture, ours.port) as clients:
                alone.append(await _one_by_one(fixture, clients[0], fixture.cold[:first]))
                rest = fixture.cold[first:]
                cold = await _rate(fixture, clients, rest)
                rates.append((cold, await _rate(fixture, clients, rest)))
    cold, warm = max(rates)
    name = f"a cold person's first read, logged, {CONCURRENCY} at once, requests/s"
    return [
        faster(name, cold, warm, 0.4),
        bounded("the same, one at a time, ms", min(alone), MAX_MS),
    ]


@asynccontextmanager
async def _warm_process(fixture: Fixture, port: int) -> AsyncIterator[Sequence[Connection]]:
    """Connections to a process that has answered the worker before: only the people are new."""
    async with connect(port, CONCURRENCY) as clients:
        paths = [_path(fixture.reading, fixture.small)]
        for client in clients:
            await client.get(paths[0], f"Authorization: Bearer {fixture.worker}")
        yield clients


async def _one_by_one(
    fixture: Fixture, client: Connection, people: Sequence[tuple[UUID, UUID]]
) -> float:
    taken = []
    for grant, document in people:
        began = time.perf_counter()
        status, _ = await client.get(_path(grant, document), _key(fixture))
        taken.append((time.perf_counter() - began) * 1000)
        assert status == 200
    return median(taken)


async def _rate(
    fixture: Fixture, clients: Sequence[Connection], people: Sequence[tuple[UUID, UUID]]
) -> float:
    """Answers per second: each person once, by callers that each take the next."""
    waiting = list(people)

    async def take(client: Connection) -> None:
        while waiting:
            status, _ = await client.get(_path(*waiting.pop()), _key(fixture))
            assert status == 200

    began = time.perf_counter()
    await asyncio.gather(*(take(client) for client in clients))
    return len(people) / (time.perf_counter() - began)


def _path(grant: UUID, document: UUID) -> str:
    return f"/v1/grants/{grant}/documents/{document}/content"


def _key(fixture: Fixture) -> str:
    return f"Authorization: Bearer {fixture.worker}"
