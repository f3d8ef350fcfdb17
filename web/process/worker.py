"""The jobs of a process, beside its HTTP server or alone: messages, previews, scans, sweeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

import structlog

from auth.message_delivery import Deliverer
from auth.messengers.selection import messenger_of
from base import clock
from base.database import note_outage
from base.outages import is_reported
from base.tasks import end, told_to_end
from vault.consent.grant_upgrade import narrow_grants
from vault.jobs import QUEUE
from vault.maintenance.job_runner import job_app
from vault.services import Services

CONCURRENCY = 2
_GRACE_SECONDS = 4.0
"""For the jobs under way at a stop. One that is cut is put back, and changes nothing when it runs
again."""
_RETRY_SECONDS = 2.0
_CLOCK_SECONDS = 10.0
_JUMP_SECONDS = 30.0

_log = structlog.get_logger()


@asynccontextmanager
async def run_jobs(services: Services) -> AsyncIterator[None]:
    """Do jobs in the background for the length of the block."""
    deliverer = Deliverer(services, messenger_of(services.settings))

    async def work() -> None:
        try:
            await _work(services)
        except Exception as error:
            # Its connections are its own: where they alone fail, nobody else says so.
            note_outage(services.parts.database, error)
            raise

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
        await end(*tasks, patience=_GRACE_SECONDS + 2)


async def _work(services: Services) -> None:
    """Do jobs until the machine's clock jumps."""
    ahead = _machine_ahead()
    app = job_app(services)
    async with app.open_async():
        if told_to_end():  # while its connections were opened
            raise asyncio.CancelledError
        await _until_the_clock_jumps(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=_GRACE_SECONDS,
                delete_jobs="successful",
            ),
            ahead,
        )


async def _until_the_clock_jumps(work: Coroutine[None, None, None], ahead: float) -> None:
    """Run it; end it when the machine's clock jumps, for it to begin anew.

    procrastinate's timetable of the periodic jobs follows that clock, and would wait for a day that
    was shown by mistake. What these jobs do is judged by the database's.
    """
    working = asyncio.create_task(work, name="worker")
    watching = asyncio.create_task(_clock_jump(ahead), name="clock")
    try:
        done, _ = await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(working, watching, patience=_GRACE_SECONDS + 1)
    if watching in done:
        _log.warning("clock_jumped")
    else:
        await working


def _machine_ahead() -> float:
    return clock.machine_now().timestamp() - clock.monotonic()


async def _clock_jump(ahead: float) -> None:
    """Wait until the machine's clock is no longer where the monotonic one says."""
    while abs(_machine_ahead() - ahead) < _JUMP_SECONDS:  # noqa: ASYNC110  (a clock does not notify)
        await asyncio.sleep(_CLOCK_SECONDS)


async def _restart_on_failure(work: Callable[[], Awaitable[None]]) -> None:
    """Restart a task when it fails: the database may be unavailable for a while."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  (logged, and tried again)
            if not is_reported(error):
                _log.warning("jobs_interrupted", error=type(error).__name__)
        await asyncio.sleep(_RETRY_SECONDS)
