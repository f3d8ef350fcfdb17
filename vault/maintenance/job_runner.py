"""The jobs of a process: run inside `serve` and `demo`, or separately as `unefois work`."""

import asyncio
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job, Status

from auth.cleanup import delete_expired
from auth.closing_notices import tell_due
from auth.rate_buckets import delete_full_buckets
from base.outages import is_reported
from vault.access_log import retention
from vault.consent import grant_upgrade
from vault.documents import antivirus, content_tags, expiry_reminders, previews
from vault.documents.uploads import uploads
from vault.exports import archives, export_job, import_job
from vault.jobs import CONTENT_TAG, EXPORT, IMPORT, PREVIEW, QUEUE, SCAN, Later
from vault.maintenance import cleanup, erasure_requests
from vault.maintenance.key_rotation import retire_keys
from vault.maintenance.version_sizes import measure_versions
from vault.recovery import warnings
from vault.services import Services

_MAX_ATTEMPTS = 5
_MAX_WAIT_SECONDS = 300
_SWEEP_EVERY = "17 * * * *"
_NARROWING_EVERY = "*/10 * * * *"
_STALLED_EVERY = "*/2 * * * *"
_RATES_EVERY = "*/5 * * * *"
_PURGE_EVERY = "41 3 * * *"
_NOTICES_EVERY = "5 8 * * *"
_RETENTION_EVERY = "35 9 * * *"
_CLOSING_EVERY = "20 * * * *"


class Retry(procrastinate.BaseRetryStrategy):
    """A few times after an error of the job's own. While a part is out of reach, for as long as
    that lasts: no document stays unscanned or without its preview because clamd was away."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> procrastinate.RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):  # cut by the end of the process
            return procrastinate.RetryDecision()
        if isinstance(exception, Later):
            return procrastinate.RetryDecision(retry_in={"seconds": exception.seconds})
        away = isinstance(exception, antivirus.ScannerUnavailable) or is_reported(exception)
        if job.attempts >= _MAX_ATTEMPTS and not away:
            return None
        seconds = min(3 ** min(job.attempts, 6), _MAX_WAIT_SECONDS)
        return procrastinate.RetryDecision(retry_in={"seconds": seconds})


def job_app(services: Services) -> procrastinate.App:
    """The application whose `run_worker_async` runs this process's share of the jobs."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=services.database.conninfo(), min_size=1, max_size=4
        )
    )
    retry = Retry()

    @app.task(name=PREVIEW, queue=QUEUE, retry=retry)
    async def draw(owner_id: str, version_id: str) -> None:
        await previews.draw_preview(services, UUID(owner_id), UUID(version_id))

    @app.task(name=SCAN, queue=QUEUE, retry=retry)
    async def scan(owner_id: str, version_id: str) -> None:
        await antivirus.scan(services, UUID(owner_id), UUID(version_id))

    @app.task(name=CONTENT_TAG, queue=QUEUE, retry=retry)
    async def hash_content(owner_id: str, version_id: str) -> None:
        await content_tags.tag_again(services, UUID(owner_id), UUID(version_id))

    @app.task(name=EXPORT, queue=QUEUE, retry=retry)
    async def export(person_id: str, archive_id: str) -> None:
        await export_job.make(services, UUID(person_id), UUID(archive_id))

    @app.task(name=IMPORT, queue=QUEUE, retry=retry)
    async def bring_in(person_id: str, archive_id: str) -> None:
        await import_job.go_on(services, UUID(person_id), UUID(archive_id))

    _add_periodic_jobs(app, services)
    return app


def _add_periodic_jobs(app: procrastinate.App, services: Services) -> None:
    """Add the jobs that are done at set times, by one process each time."""

    @app.periodic(cron=_SWEEP_EVERY)
    @app.task(name="sweep", queue=QUEUE, queueing_lock="sweep", pass_context=False)
    async def sweep(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await sweep_all(services)

    @app.periodic(cron=_NARROWING_EVERY)
    @app.task(name="narrowing", queue=QUEUE, queueing_lock="narrowing")
    async def narrow(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await grant_upgrade.narrow_grants(services)

    @app.periodic(cron=_RATES_EVERY)
    @app.task(name="rates", queue=QUEUE, queueing_lock="rates")
    async def forget_rates(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await delete_full_buckets(services)

    @app.periodic(cron=_STALLED_EVERY)
    @app.task(name="stalled", queue=QUEUE, queueing_lock="stalled")
    async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await retry_stalled_jobs(app)

    @app.periodic(cron=_PURGE_EVERY)
    @app.task(name="purge", queue=QUEUE, queueing_lock="purge")
    async def purge(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await cleanup.purge_deleted(services)

    @app.periodic(cron=_NOTICES_EVERY)
    @app.task(name="notices", queue=QUEUE, queueing_lock="notices")
    async def remind(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await expiry_reminders.remind(services)

    @app.periodic(cron=_RETENTION_EVERY)
    @app.task(name="retention", queue=QUEUE, queueing_lock="retention")
    async def apply_retention(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await retention.apply_retention(services)

    @app.periodic(cron=_CLOSING_EVERY)
    @app.task(name="closing", queue=QUEUE, queueing_lock="closing")
    async def tell_of_closing(timestamp: int) -> None:  # noqa: ARG001  (procrastinate passes it)
        await tell_due(services)


async def retry_stalled_jobs(app: procrastinate.App) -> int:
    """Requeue the jobs whose process died while it ran them; returns how many.

    A job may then run twice: jobs are written so that the second run changes nothing. One whose
    `queueing_lock` another holds that waits already is removed: that other does the same.
    """
    requeued = 0
    for job in await app.job_manager.get_stalled_jobs():
        try:
            await app.job_manager.retry_job(job)
            requeued += 1
        except procrastinate.exceptions.UniqueViolation:
            await app.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
    return requeued


async def sweep_all(services: Services) -> int | None:
    """Remind those whose vault may soon be opened again; delete what has expired, the vaults whose
    erasure is due, and what a crash left; returns how many blobs were removed.

    None during a backup: the next run removes the blobs.
    """
    await warnings.remind_due(services)
    await erasure_requests.run_due(services)
    await delete_expired(services)
    await cleanup.sweep_rows(services)
    await uploads.delete_expired(services)
    await archives.delete_expired(services)
    await cleanup.purge_deleted(services)
    await measure_versions(services)
    await retire_keys(services)
    return await cleanup.sweep_blobs(services)
