"""Deposits, beside the same bytes received, hashed, sealed and committed, with no decoding."""

import time
from collections.abc import Sequence
from itertools import count
from statistics import median

from bench import samples
from bench.fixture import Fixture
from bench.http_client import post_file
from bench.rows import Row, bounded, faster
from bench.servers import Served

PDF_SIZE = 2**20
PIXELS = (4000, 3000)
MAX_JPEG_MS, MAX_HEIC_MS = 110.0, 450.0
TIMES = 12


async def measure(
    fixture: Fixture,
    ours: Served,
    floor: Served,
    *,
    pixels: tuple[int, int] = PIXELS,
    times: int = TIMES,
) -> list[Row]:
    """Rows of the bench table; one deposit after another, ours and the floor's alternately."""
    size = f"{pixels[0] * pixels[1] / 1e6:.0f} MP"
    pdf = await _alternately(fixture, ours, floor, samples.pdf(PDF_SIZE), times)
    jpeg = await _alternately(fixture, ours, floor, samples.jpeg(*pixels), times)
    heic = await _alternately(fixture, ours, floor, samples.heic(*pixels), times)
    return [
        faster("a deposit of a PDF of 1 MiB, deposits/s", 1000 / pdf[0], 1000 / pdf[1], 0.4),
        bounded(f"a deposit of a JPEG of {size}, ms (floor {jpeg[1]:.0f})", jpeg[0], MAX_JPEG_MS),
        bounded(f"a deposit of a HEIC of {size}, ms (floor {heic[1]:.0f})", heic[0], MAX_HEIC_MS),
    ]


async def _alternately(
    fixture: Fixture, ours: Served, floor: Served, data: bytes, times: int
) -> tuple[float, float]:
    """The median of the best third of each, in milliseconds."""
    measured: tuple[list[float], list[float]] = ([], [])
    for _ in range(times + 1):
        measured[0].append(await _deposit(fixture, ours, "/v1/documents", data))
        measured[1].append(await _deposit(fixture, floor, "/deposit", data))
    return _best(measured[0][1:]), _best(measured[1][1:])


_serial = count(1)


async def _deposit(fixture: Fixture, server: Served, path: str, data: bytes) -> float:
    """One deposit of bytes that nobody deposited before."""
    unique = samples.varied(data, next(_serial))
    key = f"Authorization: Bearer {fixture.owner}"
    began = time.perf_counter()
    status = await post_file(server.port, path, key, unique, b"")
    assert status == 201, status
    return (time.perf_counter() - began) * 1000


def _best(values: Sequence[float]) -> float:
    return median(sorted(values)[: max(1, len(values) // 3)])
