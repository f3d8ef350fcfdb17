"""How much memory a server process takes while many download, half of them stalled, and many
deposit at once. Its decoders are processes of their own, two at a time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench import samples
from bench.fixture import Fixture
from bench.http_client import Connection, connect, post_file
from bench.rows import Row, bounded
from bench.servers import Served

LIMIT = 300


@dataclass(frozen=True, slots=True)
class Load:
    """How many at once, and the size of a deposit in bytes."""

    downloads: int = 200
    deposits: int = 20
    deposit_size: int = 50 * 1024 * 1024 - 64 * 1024


async def measure(fixture: Fixture, ours: Served, load: Load) -> list[Row]:
    """The row of the bench table, in MiB, of a process that has answered nothing else before."""
    at_rest = ours.peak_memory()
    await strain(fixture, ours, load)
    name = (
        f"memory, {load.downloads} downloads of {fixture.kept_size >> 20} MiB, half stalled, and"
        f" {load.deposits} deposits of {load.deposit_size / 2**20:.0f} MiB at once, MiB"
    )
    return [
        bounded("memory at rest, MiB", at_rest, LIMIT),
        bounded(name, ours.peak_memory(), LIMIT),
    ]


async def strain(fixture: Fixture, ours: Served, load: Load) -> None:
    """All at once; every download that does not stall is whole, every deposit acknowledged."""
    path = f"/v1/grants/{fixture.reading}/documents/{fixture.kept}/content"
    key = f"Authorization: Bearer {fixture.worker}"
    async with connect(ours.port, load.downloads) as connections:
        stalled, eager = connections[::2], connections[1::2]
        for connection in stalled:
            connection.stall_after(1)
        waiting = [asyncio.create_task(connection.get(path, key)) for connection in stalled]
        deposits = asyncio.gather(*_deposits(fixture, ours, load))
        try:
            answers = await asyncio.gather(*(connection.get(path, key) for connection in eager))
            other = [
                (answer, connection.refusal)
                for answer, connection in zip(answers, eager, strict=True)
                if answer != (200, fixture.kept_size)
            ]
            assert not other, (len(other), other[:3])
            statuses = await deposits
            assert statuses == [201] * load.deposits, statuses
            await _all_began(stalled)
        finally:
            for task in waiting:
                task.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task


def _deposits(fixture: Fixture, ours: Served, load: Load) -> list[asyncio.Task[int]]:
    """Different bytes each, or they would be one document."""
    content = samples.pdf(load.deposit_size)
    key = f"Authorization: Bearer {fixture.owner}"
    return [
        asyncio.create_task(
            post_file(ours.port, "/v1/documents", key, content, f"\n%{number}\n".encode())
        )
        for number in range(load.deposits)
    ]


async def _all_began(stalled: Sequence[Connection]) -> None:
    async with asyncio.timeout(60):
        while not all(each.received for each in stalled):  # noqa: ASYNC110  (bounded, and rare)
            await asyncio.sleep(0.01)
