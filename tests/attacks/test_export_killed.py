"""`kill -9` while an export is made: it goes on from what was safe, and nothing of it is lost."""

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.settings import Settings
from tests.attacks.test_crash import orphans
from tests.fixtures import MakePerson
from tests.servers.killable import killable
from tests.steps import deposit, until
from tests.uploads import padded_pdf
from tests.vault.exports.steps import asked, seen, unpacked
from vault.exports import export_job
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

PAPERS = 24
SIZE = 1_500_000


@pytest.mark.timeout(120)
async def test_killed_while_it_is_made(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    person = await make_person()
    papers = [padded_pdf(SIZE) for _ in range(PAPERS)]
    for paper in papers:
        await deposit(client, person, paper)
    export = (await asked(client, person)).json()["id"]

    async def has_begun() -> bool:
        return bool((await seen(client, person, export))["bytes"] > 2 * SIZE)

    with killable(base_settings) as server:
        pid, _ = await asyncio.to_thread(server.start)
        await until(has_begun, 60)
        await asyncio.to_thread(server.kill, pid)
    left = await seen(client, person, export)
    assert left["state"] == "making", "it was made before it was killed"
    safe = await _pieces(services, export)
    await export_job.make(services, person.id, UUID(export))
    assert (await _pieces(services, export))[: len(safe) - 1] == safe[:-1], "it began anew"
    files = await unpacked(client, person, export)
    assert [data for path, data in files.items() if "original" in path] == papers
    await sweep_blobs(services, timedelta(0))
    assert await orphans(services, [person.id]) == set()
    await unpacked(client, person, export)


async def _pieces(services: Services, export: str) -> list[UUID]:
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text("SELECT id FROM unefois.archive_piece WHERE archive_id = :id ORDER BY position"),
            {"id": export},
        )
        return list(found.scalars())
