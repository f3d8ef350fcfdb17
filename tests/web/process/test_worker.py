"""The jobs of a process go on whatever its machine's clock shows."""

import asyncio

import procrastinate
import pytest

from base import clock
from tests.base.test_clock import Ahead
from vault.services import Services
from web.process import worker


async def test_the_timetable_is_begun_anew_when_the_machines_clock_jumps(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ahead and back: a timetable of the day shown by mistake would do nothing until then."""
    begun: list[procrastinate.App] = []
    make = worker.job_app

    def job_app(of: Services) -> procrastinate.App:
        begun.append(make(of))
        return begun[-1]

    async def times(count: int) -> None:
        async with asyncio.timeout(40):
            while len(begun) < count:  # noqa: ASYNC110  (bounded)
                await asyncio.sleep(0.01)

    monkeypatch.setattr(worker, "job_app", job_app)
    monkeypatch.setattr(worker, "_CLOCK_SECONDS", 0.02)
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0.02)
    async with worker.run_jobs(services):
        await times(1)
        with monkeypatch.context() as jumped:
            jumped.setattr(clock, "datetime", Ahead)
            await times(2)
        await times(3)
    assert len(begun) == 3
