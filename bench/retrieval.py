"""Retrieving and listing under a grant, logged, beside the floor: alternately, over HTTP."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from bench.fixture import Fixture
from bench.http_client import Connection, connect
from bench.rows import Row, faster, slower
from bench.servers import Served

CONCURRENCY = 16
PAGE = 100

_Timed = Callable[[], Awaitable[float]]


async def measure(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> list[Row]:
    """Rows of the bench table; `seconds` for each."""
    return [
        await large(fixture, ours, floor, seconds=seconds),
        await small(fixture, ours, floor, seconds=seconds),
        await listing(fixture, ours, floor, seconds=seconds),
        await own_list(fixture, ours, floor, seconds=seconds),
    ]


async def large(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """One large document after another, on one connection. MiB/s."""
    path, key = _content(fixture, str(fixture.large)), _key(fixture)
    async with connect(ours.port, 1) as (client,), connect(floor.port, 1) as (bare,):
        assert await client.body(path, key) == await bare.body("/large") == fixture.large_bytes

        async def download(connection: Connection, *request: str) -> float:
            began = time.perf_counter()
            status, length = await connection.get(*request)
            assert (status, length) == (200, len(fixture.large_bytes))
            return length / 2**20 / (time.perf_counter() - began)

        values = await _alternately(
            lambda: download(client, path, key), lambda: download(bare, "/large"), seconds=seconds
        )
    size = round(len(fixture.large_bytes) / 2**20)
    return faster(f"retrieving {size} MiB under a grant, logged, MiB/s", *values, 0.7)


async def small(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """A small document, by callers that each ask again once answered. Answers per second."""
    path, key = _content(fixture, str(fixture.small)), _key(fixture)
    floor_path = f"/small/{fixture.small}"
    async with connect(ours.port, CONCURRENCY) as clients, connect(floor.port, CONCURRENCY) as bare:
        body = await clients[0].body(path, key)
        assert body == await bare[0].body(floor_path) == fixture.small_bytes
        values = await _alternately(
            lambda: _rate(clients, path, key), lambda: _rate(bare, floor_path), seconds=seconds
        )
    size = round(len(fixture.small_bytes) / 1024)
    name = f"retrieving {size} KiB under a grant, logged, {CONCURRENCY} at once, requests/s"
    return faster(name, *values, 0.6)


async def listing(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """All documents of a type, under a grant."""
    path = f"/v1/grants/{fixture.listing}/documents?limit={PAGE}"
    values = await _lists(ours, floor, path, _key(fixture), seconds=seconds)
    name = f"listing under a grant of {fixture.listed} documents, logged, ms"
    return slower(name, *values, 3.0)


async def own_list(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """All documents of their owner: those of the floor, and three more."""
    key = f"Authorization: Bearer {fixture.owner}"
    values = await _lists(ours, floor, f"/v1/documents?limit={PAGE}", key, seconds=seconds)
    return slower(f"the owner's list of {fixture.listed} documents, logged, ms", *values, 3.0)


async def _lists(
    ours: Served, floor: Served, path: str, key: str, *, seconds: float
) -> tuple[float, float]:
    """Page after page. Milliseconds."""
    async with connect(ours.port, 1) as (client,), connect(floor.port, 1) as (bare,):
        pages = await _pages(client, path, "cursor", key)
        floor_pages = await _pages(bare, f"/documents?limit={PAGE}", "after")
        return await _alternately(
            lambda: _timed(client, pages, key),
            lambda: _timed(bare, floor_pages),
            seconds=seconds,
            best=min,
        )


async def _pages(connection: Connection, path: str, cursor: str, *headers: str) -> list[str]:
    """The addresses of every page."""
    paths = [path]
    while (following := json.loads(await connection.body(paths[-1], *headers))["next"]) is not None:
        paths.append(f"{path}&{cursor}={following}")
    return paths


async def _timed(connection: Connection, paths: Sequence[str], *headers: str) -> float:
    began = time.perf_counter()
    for path in paths:
        status, _ = await connection.get(path, *headers)
        assert status == 200
    return (time.perf_counter() - began) * 1000


async def _rate(
    clients: Sequence[Connection], path: str, *headers: str, length: float = 0.5
) -> float:
    """Answers per second of all callers together."""
    began = time.perf_counter()
    until = began + length

    async def repeat(connection: Connection) -> int:
        count = 0
        while time.perf_counter() < until:
            status, _ = await connection.get(path, *headers)
            assert status == 200
            count += 1
        return count

    counts = await asyncio.gather(*(repeat(connection) for connection in clients))
    return sum(counts) / (time.perf_counter() - began)


async def _alternately(
    ours: _Timed, floor: _Timed, *, seconds: float, best: Callable[[Sequence[float]], float] = max
) -> tuple[float, float]:
    """Ours and the floor alternately, for `seconds`: the median of the best third of each, so that
    no disturbance and no lucky run decides."""
    measured: tuple[list[float], list[float]] = ([], [])
    await ours()
    await floor()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(measured[0]) < 3:
        measured[0].append(await ours())
        measured[1].append(await floor())
    third = max(1, len(measured[0]) // 3)
    descending = best is max
    first, second = (sorted(values, reverse=descending)[:third] for values in measured)
    return median(first), median(second)


def _content(fixture: Fixture, document: str) -> str:
    return f"/v1/grants/{fixture.reading}/documents/{document}/content"


def _key(fixture: Fixture) -> str:
    return f"Authorization: Bearer {fixture.worker}"
