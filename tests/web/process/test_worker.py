"""The jobs of a process go on whatever its machine's clock shows."""

import asyncio
from typing import NoReturn

import procrastinate
import psycopg
import pytest
from structlog.testing import capture_logs

from base import clock
from tests.base.test_clock import Ahead
from tests.steps import until
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


async def test_jobs_end_whenever_they_are_told_to(services: Services) -> None:
    """At each moment of their start, too: what they wait for there may lose the word."""
    for moment in range(40):
        async with asyncio.timeout(15):
            async with worker.run_jobs(services):
                await asyncio.sleep(moment / 1000)


class Unreachable:
    """Jobs whose own connections are refused."""

    def open_async(self) -> NoReturn:
        raise psycopg.OperationalError("connection refused")


async def test_jobs_that_reach_no_database_are_said(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their connections are their own: those of the requests may hold."""

    monkeypatch.setattr(worker, "job_app", lambda _: Unreachable())
    with capture_logs() as lines:
        async with worker.run_jobs(services):
            await until(lambda: [line for line in lines if line["event"] == "part_failing"])
    assert {line["part"] for line in lines if line["event"] == "part_failing"} == {"database"}
    await until_it_answers(services)


async def until_it_answers(services: Services) -> None:
    """The services are those of the other tests too."""
    services.parts.database._last = float("-inf")
    await services.database.check()
    assert services.parts.failing() == []
