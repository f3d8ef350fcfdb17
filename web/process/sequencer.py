"""The log's sequencer, run in this process for as long as it serves or works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from audit.tlog.sequencer_loop import Pace, SequencerLoop
from vault.services import Services


@asynccontextmanager
async def run_sequencer(
    services: Services, pace: Pace | None = None
) -> AsyncIterator[SequencerLoop]:
    """Sequence in the background for the length of the block."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113  (its user bounds each request)
        loop = services.transparency_log.sequencing(client, pace)
        await loop.start()
        try:
            yield loop
        finally:
            await loop.stop()
