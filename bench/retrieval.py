"""Retrieving and listing under a grant, logged, beside the floor: by turns, over HTTP."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from bench.fixture import Fixture
from bench.http_client import Connection, lines
from bench.rows import Row, faster, slower
from bench.servers import Served

AT_ONCE = 16
PAGE = 100

_Timed = Callable[[], Awaitable[float]]


async def measure(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> list[Row]:
    """Rows of the bench table; `seconds` for each."""
    return [
        await large(fixture, ours, floor, seconds=seconds),
        await small(fixture, ours, floor, seconds=seconds),
        await listing(fixture, ours, floor, seconds=seconds),
    ]


async def large(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """One large document after another, on one connection. MiB/s."""
    path, key = _content(fixture, str(fixture.large)), _key(fixture)
    async with lines(ours.port, 1) as (mine,), lines(floor.port, 1) as (its,):
        assert await mine.body(path, key) == await its.body("/large") == fixture.large_bytes

        async def one(line: Connection, *asked: str) -> float:
            began = time.perf_counter()
            status, length = await line.get(*asked)
            assert (status, length) == (200, len(fixture.large_bytes))
            return length / 2**20 / (time.perf_counter() - began)

        values = await _by_turns(
            lambda: one(mine, path, key), lambda: one(its, "/large"), seconds=seconds
        )
    size = round(len(fixture.large_bytes) / 2**20)
    return faster(f"retrieving {size} MiB under a grant, logged, MiB/s", *values, 0.7)


async def small(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """A small document, by callers who each ask again as soon as answered. Answers a second."""
    path, key = _content(fixture, str(fixture.small)), _key(fixture)
    bare = f"/small/{fixture.small}"
    async with lines(ours.port, AT_ONCE) as mine, lines(floor.port, AT_ONCE) as its:
        assert await mine[0].body(path, key) == await its[0].body(bare) == fixture.small_bytes
        values = await _by_turns(
            lambda: _rate(mine, path, key), lambda: _rate(its, bare), seconds=seconds
        )
    size = round(len(fixture.small_bytes) / 1024)
    name = f"retrieving {size} KiB under a grant, logged, {AT_ONCE} at once, requests/s"
    return faster(name, *values, 0.6)


async def listing(fixture: Fixture, ours: Served, floor: Served, *, seconds: float) -> Row:
    """All documents of a type, page after page. Milliseconds."""
    path, key = f"/v1/grants/{fixture.listing}/documents?limit={PAGE}", _key(fixture)
    async with lines(ours.port, 1) as (mine,), lines(floor.port, 1) as (its,):
        asked = await _pages(mine, path, "cursor", key)
        bare = await _pages(its, f"/documents?limit={PAGE}", "after")
        values = await _by_turns(
            lambda: _timed(mine, asked, key), lambda: _timed(its, bare), seconds=seconds, best=min
        )
    name = f"listing under a grant of {fixture.listed} documents, logged, ms"
    return slower(name, *values, 3.0)


async def _pages(line: Connection, path: str, cursor: str, *headers: str) -> list[str]:
    """The addresses of every page."""
    found = [path]
    while (following := json.loads(await line.body(found[-1], *headers))["next"]) is not None:
        found.append(f"{path}&{cursor}={following}")
    return found


async def _timed(line: Connection, paths: Sequence[str], *headers: str) -> float:
    began = time.perf_counter()
    for path in paths:
        status, _ = await line.get(path, *headers)
        assert status == 200
    return (time.perf_counter() - began) * 1000


async def _rate(
    callers: Sequence[Connection], path: str, *headers: str, length: float = 0.5
) -> float:
    """Answers a second, all callers together."""
    began = time.perf_counter()
    until = began + length

    async def one(line: Connection) -> int:
        count = 0
        while time.perf_counter() < until:
            status, _ = await line.get(path, *headers)
            assert status == 200
            count += 1
        return count

    counts = await asyncio.gather(*(one(line) for line in callers))
    return sum(counts) / (time.perf_counter() - began)


async def _by_turns(
    ours: _Timed, floor: _Timed, *, seconds: float, best: Callable[[Sequence[float]], float] = max
) -> tuple[float, float]:
    """Ours and the floor in turn, for so long: the middle one of the best third of each, so that
    neither a disturbance nor a stroke of luck decides."""
    measured: tuple[list[float], list[float]] = ([], [])
    await ours()
    await floor()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(measured[0]) < 3:
        measured[0].append(await ours())
        measured[1].append(await floor())
    third = max(1, len(measured[0]) // 3)
    backwards = best is max
    first, second = (sorted(one, reverse=backwards)[:third] for one in measured)
    return median(first), median(second)


def _content(fixture: Fixture, document: str) -> str:
    return f"/v1/grants/{fixture.reading}/documents/{document}/content"


def _key(fixture: Fixture) -> str:
    return f"Authorization: Bearer {fixture.worker}"
