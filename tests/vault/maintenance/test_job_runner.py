"""Another process runs the job of a process that died."""

from sqlalchemy import text

from vault.maintenance.job_runner import job_app, retry_stalled_jobs
from vault.services import Services


async def test_a_job_of_a_dead_process_is_put_back(services: Services) -> None:
    async with services.database.transaction() as tx:
        inserted = await tx.execute(
            text(
                "INSERT INTO procrastinate_jobs (task_name, queue_name, args, status)"
                " VALUES ('preview', 'nobodys', '{}', 'doing') RETURNING id"
            )
        )
        job_id = inserted.scalar_one()

    async def status() -> str:
        query = text("SELECT status FROM procrastinate_jobs WHERE id = :id")
        async with services.database.transaction() as tx:
            return str((await tx.execute(query, {"id": job_id})).scalar_one())

    app = job_app(services)
    async with app.open_async():
        assert await status() == "doing"
        assert await retry_stalled_jobs(app) >= 1
        assert await status() == "todo"
    async with services.database.transaction() as tx:
        await tx.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job_id})
