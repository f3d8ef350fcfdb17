"""Deposits, beside the same bytes received, hashed, sealed and committed, with no decoding.

Those at once come from as many people: of one account the files are decoded one at a time, however
many it sends. The pictures are as phones write them; a HEIC is a grid of tiles.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from statistics import median

from bench import samples
from bench.fixture import DEPOSITORS, Fixture
from bench.http_client import post_file
from bench.rows import Row, bounded, faster
from bench.servers import Served

PDF_SIZE = 2**20
PIXELS = (4000, 3000)
MIN_PDF = 0.4
MAX_JPEG_MS, MAX_HEIC_MS = 110.0, 450.0
TIMES = 12
SECONDS = 6.0


async def measure(
    fixture: Fixture,
    ours: Served,
    floor: Served,
    *,
    pixels: tuple[int, int] = PIXELS,
    times: int = TIMES,
    seconds: float = SECONDS,
) -> list[Row]:
    """Rows of the bench table: one deposit after another, then eight at once; ours and the floor's
    alternately."""
    size = f"{pixels[0] * pixels[1] / 1e6:.0f} MP"
    pdf, jpeg, heic = samples.pdf(PDF_SIZE), samples.jpeg(*pixels), samples.heic(*pixels)
    rows: list[Row] = []
    for how, timed in (
        ("", lambda data: _alternately(fixture, ours, floor, data, times)),
        (f", {DEPOSITORS} at once", lambda data: _together(fixture, ours, floor, data, seconds)),
    ):
        of_pdf, of_jpeg, of_heic = [await timed(data) for data in (pdf, jpeg, heic)]
        rows += [
            _rate(f"a deposit of a PDF of 1 MiB{how}", *of_pdf),
            _time(f"a deposit of a JPEG of {size}{how}", *of_jpeg, MAX_JPEG_MS),
            _time(f"a deposit of a HEIC of {size}{how}", *of_heic, MAX_HEIC_MS),
        ]
    return rows


def _rate(name: str, ours: float, floor: float) -> Row:
    """From milliseconds a deposit."""
    return faster(f"{name}, deposits/s", 1000 / ours, 1000 / floor, MIN_PDF)


def _time(name: str, ours: float, floor: float, limit: float) -> Row:
    return bounded(f"{name}, ms (floor {floor:.0f})", ours, limit)


def _both(ours: Served, floor: Served) -> tuple[tuple[Served, str], tuple[Served, str]]:
    return (ours, "/v1/documents"), (floor, "/deposit")


async def _alternately(
    fixture: Fixture, ours: Served, floor: Served, data: bytes, times: int
) -> tuple[float, float]:
    """The median of the best third of each, in milliseconds."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(times + 1):
        for (server, path), into in zip(_both(ours, floor), measured, strict=True):
            into.append(await _deposit(fixture.owner, server, path, data))
    return _best(measured[0][1:]), _best(measured[1][1:])


async def _together(
    fixture: Fixture, ours: Served, floor: Served, data: bytes, seconds: float
) -> tuple[float, float]:
    """Milliseconds a deposit, of ours and of the floor, while each of the depositors deposits."""
    measured = [
        await _crowd(fixture, server, path, data, seconds) for server, path in _both(ours, floor)
    ]
    return measured[0], measured[1]


async def _crowd(fixture: Fixture, server: Served, path: str, data: bytes, seconds: float) -> float:
    until = time.perf_counter() + seconds

    async def client(token: str) -> int:
        made = 0
        while not made or time.perf_counter() < until:
            await _deposit(token, server, path, data)
            made += 1
        return made

    began = time.perf_counter()
    made = sum(await asyncio.gather(*map(client, fixture.depositors)))
    return (time.perf_counter() - began) * 1000 / made


_serial = count(1)


async def _deposit(token: str, server: Served, path: str, data: bytes) -> float:
    """One deposit of bytes that nobody deposited before; its milliseconds."""
    unique = samples.varied(data, next(_serial))
    key = f"Authorization: Bearer {token}"
    began = time.perf_counter()
    status = await post_file(server.port, path, key, unique, b"")
    assert status == 201, status
    return (time.perf_counter() - began) * 1000


def _best(values: Sequence[float]) -> float:
    return median(sorted(values)[: max(1, len(values) // 3)])
