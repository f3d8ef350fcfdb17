"""The log's sequencer in a process of ours, for as long as the process serves or works."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from audit.tlog.sequencer_loop import Pace, SequencerLoop
from vault.services import Services


@asynccontextmanager
async def sequencing(services: Services, pace: Pace | None = None) -> AsyncIterator[SequencerLoop]:
    """Sequence in the background for the length of the block."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:  # noqa: S113  (its user bounds each request)
        made = services.transparency_log.sequencing(client, pace)
        await made.start()
        try:
            yield made
        finally:
            await made.stop()
