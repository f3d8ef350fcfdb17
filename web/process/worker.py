"""The jobs of a process, beside its HTTP server or alone: messages, previews, scans, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from auth.message_delivery import Deliverer
from auth.messengers.selection import messenger_of
from base.outages import is_reported
from vault.consent.grant_upgrade import narrow_grants
from vault.jobs import QUEUE
from vault.maintenance.job_runner import job_app
from vault.services import Services

CONCURRENCY = 2
_GRACE_SECONDS = 4.0
"""For the jobs under way at a stop. One that is cut is put back, and changes nothing when it runs
again."""
_RETRY_SECONDS = 2.0

_log = structlog.get_logger()


@asynccontextmanager
async def run_jobs(services: Services) -> AsyncIterator[None]:
    """Do jobs in the background for the length of the block."""
    deliverer = Deliverer(services, messenger_of(services.settings))

    async def work() -> None:
        app = job_app(services)
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE],
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=_GRACE_SECONDS,
                delete_jobs="successful",
            )

    async def narrow() -> None:
        # Grants of an earlier edition open nothing until then: not only at the job's next time.
        try:
            await narrow_grants(services)
        except Exception as error:  # noqa: BLE001  (logged; the job tries again)
            if not is_reported(error):
                _log.warning("narrowing_interrupted", error=type(error).__name__)

    tasks = [
        asyncio.create_task(narrow(), name="narrowing"),
        asyncio.create_task(_restart_on_failure(deliverer.run), name="messages"),
        asyncio.create_task(_restart_on_failure(work), name="jobs"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _restart_on_failure(work: Callable[[], Awaitable[None]]) -> None:
    """Restart a task when it fails: the database may be unavailable for a while."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (logged, and tried again)
            if not is_reported(error):
                _log.warning("jobs_interrupted", error=type(error).__name__)
        await asyncio.sleep(_RETRY_SECONDS)
