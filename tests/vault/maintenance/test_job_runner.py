"""No job is lost: another process runs those of one that died; what a part holds up, waits."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from procrastinate.jobs import Job
from sqlalchemy import text

from base import clock
from storage.blobs import BlobUnavailable
from storage.providers import KeyProviderError
from vault.documents.antivirus import ScannerUnavailable
from vault.maintenance import job_runner
from vault.maintenance.job_runner import job_app, retry_stalled_jobs
from vault.services import Services

AddJob = Callable[..., Awaitable[int]]
_INSERT = text(
    "INSERT INTO procrastinate_jobs (task_name, queue_name, queueing_lock, args, status)"
    " VALUES ('preview', 'nobodys', :lock, '{}', CAST(:status AS procrastinate_job_status))"
    " RETURNING id"
)


@pytest.fixture
async def add_job(services: Services) -> AsyncIterator[AddJob]:
    """Insert a job of a queue that no process works on: `await add_job("doing", lock="nightly")`.
    Without a process, one that is being done is a dead process's."""

    async def add(status: str, lock: str | None = None) -> int:
        async with services.database.transaction() as tx:
            inserted = await tx.execute(_INSERT, {"status": status, "lock": lock})
            return int(inserted.scalar_one())

    yield add
    async with services.database.transaction() as tx:
        await tx.execute(text("DELETE FROM procrastinate_jobs WHERE queue_name = 'nobodys'"))


async def statuses(services: Services) -> dict[int, str]:
    """The jobs of that queue."""
    query = text("SELECT id, status FROM procrastinate_jobs WHERE queue_name = 'nobodys'")
    async with services.database.transaction() as tx:
        return {row.id: row.status for row in await tx.execute(query)}


async def test_a_job_of_a_dead_process_is_put_back(services: Services, add_job: AddJob) -> None:
    job_id = await add_job("doing")
    app = job_app(services)
    async with app.open_async():
        assert await statuses(services) == {job_id: "doing"}
        assert await retry_stalled_jobs(app) >= 1
        assert await statuses(services) == {job_id: "todo"}


async def test_a_periodic_job_that_waits_again_holds_up_no_other(
    services: Services, add_job: AddJob
) -> None:
    """A process died in a nightly job, and the next night's waits: one of both is enough."""
    first = await add_job("doing")
    stalled, waiting = await add_job("doing", "nightly"), await add_job("todo", "nightly")
    last = await add_job("doing", "hourly")
    app = job_app(services)
    async with app.open_async():
        assert await retry_stalled_jobs(app) >= 2
        assert await statuses(services) == {first: "todo", waiting: "todo", last: "todo"}
        assert stalled not in {job.id for job in await app.job_manager.get_stalled_jobs()}


async def test_two_stalled_runs_of_a_periodic_job_become_one(
    services: Services, add_job: AddJob
) -> None:
    runs = {await add_job("doing", "nightly"), await add_job("doing", "nightly")}
    app = job_app(services)
    async with app.open_async():
        await retry_stalled_jobs(app)
        (kept,) = (await statuses(services)).items()
    assert kept[0] in runs
    assert kept[1] == "todo"


AWAY = [ScannerUnavailable("refused"), BlobUnavailable("timeout"), KeyProviderError("kms: away")]


@pytest.mark.parametrize(
    ("error", "again"), [*((error, True) for error in AWAY), (ZeroDivisionError(), False)]
)
def test_a_part_that_is_away_for_a_day_loses_no_job(error: Exception, again: bool) -> None:
    """An error of the job's own is tried a few times; what waits for a part, until it is back."""
    first, late = (
        Job(id=1, queue="vault", lock=None, queueing_lock=None, task_name="scan", attempts=attempts)
        for attempts in (0, 300)
    )
    retry = job_runner.Retry()
    assert retry.get_retry_decision(exception=error, job=first) is not None
    decision = retry.get_retry_decision(exception=error, job=late)
    assert (decision is not None) == again
    if decision is not None:
        assert decision.retry_at is not None
        # By the machine's clock, which is not quite ours.
        assert 0 < (decision.retry_at - clock.now()).total_seconds() < 301
