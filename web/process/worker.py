"""The jobs of a process, beside its HTTP server or alone: messages, previews, scans, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from auth.messages import Deliverer
from auth.messengers.selection import messenger_of
from vault.jobs import QUEUE
from vault.maintenance.job_runner import job_app
from vault.services import Services

AT_ONCE = 2
_GRACE = 10.0
_PAUSE = 2.0

_log = structlog.get_logger()


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """Do jobs in the background for the length of the block."""
    deliverer = Deliverer(services, messenger_of(services.settings))

    async def work() -> None:
        app = job_app(services)
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=AT_ONCE,
                install_signal_handlers=False,
                shutdown_graceful_timeout=_GRACE,
                delete_jobs="successful",
            )

    tasks = [
        asyncio.create_task(_again_and_again(deliverer.run), name="messages"),
        asyncio.create_task(_again_and_again(work), name="jobs"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    """Start a work again when it fails: the database may be away for a while."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (said, and tried again)
            _log.warning("jobs_interrupted", error=type(error).__name__)
        await asyncio.sleep(_PAUSE)
