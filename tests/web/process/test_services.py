"""The fixtures themselves: accounts over a real socket, and a clock that can be moved."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from alembic.script import ScriptDirectory

import migrations
from tests.fixtures import STORES, MakeClient, MakePerson, MakeWorker, MoveClock
from vault.services import Services
from web.process import services as opening


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_ready_on_both_stores(management: httpx.AsyncClient) -> None:
    answer = await management.get("/readyz")
    assert answer.status_code == 200, answer.text
    assert answer.json()["parts"] == dict.fromkeys(
        ["database", "log", "store", "keys", "decoder", "revocations"], True
    )


async def test_everyone_can_be_made(
    make_person: MakePerson, make_worker: MakeWorker, make_client: MakeClient
) -> None:
    person, worker, system = await make_person(), await make_worker(), await make_client()
    assert person.phone.startswith("+336")
    assert worker.subject.organisation_id == worker.organisation_id
    assert system.private_key_pem.startswith("-----BEGIN PRIVATE KEY-----")


async def test_the_clock_moves(
    services: Services, make_worker: MakeWorker, moved_clock: MoveClock, client: httpx.AsyncClient
) -> None:
    worker = await make_worker()
    hours = services.settings.worker_session_hours
    path = "/v1/sessions/current"
    moved_clock(timedelta(hours=hours, minutes=1))
    assert (await client.delete(path, headers=worker.headers)).status_code == 401
    moved_clock(timedelta(0))
    assert (await client.delete(path, headers=worker.headers)).status_code == 204


def test_the_last_migration_is_the_one_that_alembic_names() -> None:
    folder = str(Path(migrations.__file__).parent)
    assert opening.head() == ScriptDirectory(folder).get_current_head()
