"""The log's sequencer in a process of ours, for as long as the process serves or works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from audit.sequencing import Pace, Sequencing
from vault.house import House


@asynccontextmanager
async def sequencing(house: House, pace: Pace | None = None) -> AsyncIterator[Sequencing]:
    """Sequence in the background for the length of the block."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113  (its user bounds each request)
        made = house.log.sequencing(client, pace)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()
