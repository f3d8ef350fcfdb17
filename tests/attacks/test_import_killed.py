"""`kill -9` while papers come in: the next attempt goes on after the last one, and none comes
twice."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from base.settings import Settings
from tests.attacks.test_crash import orphans
from tests.fixtures import MakePerson
from tests.servers.killable import killable
from tests.steps import until
from tests.uploads import padded_pdf
from tests.vault.exports.import_steps import (
    agreed,
    an_export,
    gone_on,
    looked_at,
    paper,
    papers_of,
    seen_import,
)
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

PAPERS = 30


@pytest.mark.timeout(120)
async def test_killed_while_papers_come_in(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    person = await make_person()
    files = {f"papiers/{n}/original-1.pdf": padded_pdf(100_000 + n) for n in range(PAPERS)}
    data = an_export(files, [paper(path, title=path) for path in files])
    found = (await looked_at(client, person, data))["id"]
    assert (await agreed(client, person, found)).status_code == 202

    async def has_begun() -> bool:
        return bool((await seen_import(client, person, found))["handled"] > 2)

    with killable(base_settings) as server:
        pid, _ = await asyncio.to_thread(server.start)
        await until(has_begun, 60)
        await asyncio.to_thread(server.kill, pid)
    left = await seen_import(client, person, found)
    assert left["state"] == "coming", "all of it came in before it was killed"
    done = await gone_on(client, person, found)
    assert (done["state"], done["added"], done["held"]) == ("done", PAPERS, 0)
    assert {one["title"] for one in await papers_of(client, person)} == set(files)
    assert len(await papers_of(client, person)) == PAPERS
    await sweep_blobs(services, timedelta(0))
    assert await orphans(services, [person.id]) == set()
