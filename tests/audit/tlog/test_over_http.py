"""Ten thousand events of every kind, made over HTTP under load, while sequencers are killed."""

import asyncio
import multiprocessing
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from base.ids import new_id
from bench.http_client import Connection, connect
from storage.blobs.directory import DirectoryStore
from tests.audit.tlog.logs import ORIGIN, SomeLog, checkpoints_hold
from tests.audit.tlog.test_crashes import run_once, sequence, whole
from tests.fixtures import MakePerson, MakeWorker, Served, _ServicesPool
from tests.steps import deposit, granted
from tests.vault.decoding import corpus

EVENTS = 10_000
AT_ONCE = 12
KILLS = 20
KILLED_EVERY = EVENTS // (2 * KILLS)
"""Requests between two kills: they are spread over the whole load, twice as many as are asked for,
and what else a sequencer that begins costs is not paid hundreds of times."""


@pytest.fixture
async def served(some_log: SomeLog, keyring_file: Path) -> AsyncIterator[Served]:
    """Services on the log tests' PostgreSQL, and their server."""
    settings = some_log.settings.model_copy(
        update={
            "home": keyring_file.parent.parent,
            "migrations_database_url": SecretStr(some_log.addresses.owner_url),
            "database_pool": 10,
            "messenger": "inbox",
            "log_origin": ORIGIN,
            "sign_ins_per_hour_from_one_address": 1_000_000,
            "failures_at_once": 1_000_000,
        }
    )
    services_pool = _ServicesPool()
    yield await services_pool.at("log", settings)
    await services_pool.close()


async def _load(port: int, asked: list[tuple[str, str]], answers: Counter[int]) -> None:
    """Send all the requests, in random order, several at once, and count the answers. By the client
    of the benchmarks: an ordinary one takes as long as the server that it asks."""
    order = random.Random(3)
    left = EVENTS

    async def one_caller(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            status, _ = await connection.get(*order.choice(asked))
            answers[status] += 1

    async with connect(port, AT_ONCE) as connections:
        await asyncio.gather(*map(one_caller, connections))


async def _kill_sequencers(
    some_log: SomeLog,
    keyring: Path,
    load: asyncio.Task[None],
    answers: Counter[int],
) -> int:
    """Two sequencers, on purpose, killed while the load goes on; returns how many kills."""
    folder = some_log.blobs.blobs.parent
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.audit.tlog.test_crashes"])

    def start() -> Any:
        process = context.Process(
            target=sequence, args=(some_log.addresses, keyring, folder), daemon=True
        )
        process.start()
        return process

    chance = random.Random(5)
    at_work = [start(), start()]
    kills, rounds = 0, 1
    try:
        while not load.done() or kills < KILLS:
            before = (await some_log.log.state())[0]
            async with asyncio.timeout(60):
                while not load.done() and (  # noqa: ASYNC110  (other processes grow it)
                    answers.total() < rounds * KILLED_EVERY
                    or (await some_log.log.state())[0] <= before
                ):
                    await asyncio.sleep(0.01)
            rounds += 1
            await asyncio.sleep(chance.random() * 0.3)
            for victim in at_work if kills % 5 == 4 else at_work[:1]:
                victim.kill()
                victim.join()
                kills += 1
            at_work = [one for one in at_work if one.is_alive()]
            at_work += [start() for _ in range(2 - len(at_work))]
    finally:
        for one in at_work:
            one.kill()
            one.join()
    return kills


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_ten_thousand_events_over_http_while_two_sequencers_are_killed(
    some_log: SomeLog,
    keyring_file: Path,
    tmp_path: Path,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    await some_log.log.verifier()
    assert isinstance(some_log.blobs, DirectoryStore)
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1))
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    under = f"/v1/grants/{grant}"
    content = f"{under}/documents/{document['id']}/content"
    as_person, as_worker, as_colleague = (
        f"Authorization: {one.headers['Authorization']}" for one in (person, worker, colleague)
    )
    asked = [
        ("/v1/documents", as_person),
        (f"/v1/documents/{document['id']}/content", as_person),
        (f"/v1/documents/{new_id()}", as_person),
        (f"{under}/documents", as_worker),
        (content, as_worker),
        (f"{under}/evidence?type=income_tax_notice", as_worker),
        (f"{under}/evidence?type=payslip", as_worker),
        (content, as_colleague),
        (f"/v1/grants/{new_id()}/documents", as_colleague),
    ]
    answers: Counter[int] = Counter()
    load = asyncio.create_task(_load(client.base_url.port or 0, asked, answers))
    kills = await _kill_sequencers(some_log, keyring_file, load, answers)
    await load
    assert kills >= KILLS
    assert set(answers) == {200, 403, 404}
    assert answers.total() == EVENTS

    await run_once(some_log, some_log.log.store)
    with some_log.owner() as owner:
        counted = owner.execute("SELECT count(*) FROM unefois.access_event").fetchone()
    assert counted is not None
    size = int(str(counted[0]))
    assert size >= EVENTS
    assert len(checkpoints_hold(some_log)) > KILLS
    await whole(some_log, tmp_path, size)
