"""A held paper cleaned anew by two processes at once, or by one that dies on the way."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import blobs, deposit, granted
from tests.vault.decoding import corpus
from tests.vault.documents.test_held_papers import make_held, with_details
from vault.documents import recipients_copy
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

COPIES = text(
    "SELECT count(*) FROM unefois.sealed_file WHERE version_id = :id AND role = 'rendition'"
)


class NoTurns:
    """Two processes share no lock of memory."""

    def setdefault(self, _: object, lock: asyncio.Lock) -> asyncio.Lock:
        return lock


async def test_two_processes_at_once_leave_one_copy(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    raw = with_details(corpus.pdf(1))
    document = await deposit(client, person, raw, type_="payslip")
    await make_held(services, as_owner, person, document)
    grant = await granted(client, person, worker.headers, "payslip")
    inspect, begun = services.decoder.inspect, []
    both = asyncio.Event()

    async def together(*args: Any, **kwargs: Any) -> Any:
        """Neither replaces the rows before both have read those of before."""
        begun.append(True)
        if len(begun) == 2:
            both.set()
        await asyncio.wait_for(both.wait(), 20)
        return await inspect(*args, **kwargs)

    await sweep_blobs(services, timedelta())
    before = await blobs(services)
    monkeypatch.setattr(services.decoder, "inspect", together)
    monkeypatch.setattr(recipients_copy, "_turns", NoTurns())
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    answers = await asyncio.gather(*(client.get(path, headers=worker.headers) for _ in range(2)))
    for answer in answers:
        assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
        assert b"Durand" not in answer.content
    async with services.database.transaction() as tx:
        assert (await tx.execute(COPIES, {"id": document["version"]["id"]})).scalar_one() == 1
    await sweep_blobs(services, timedelta())
    assert len(await blobs(services) - before) == 3  # one copy, one preview, one thumbnail
    again = await client.get(path, headers=worker.headers)
    assert (again.status_code, again.content) == (200, answers[0].content)


async def test_a_process_that_dies_before_the_rows_leaves_nothing(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The copy is durable, and no row names it: the next reader has one made, the sweep removes
    the first."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, with_details(corpus.pdf(1)), type_="payslip")
    await make_held(services, as_owner, person, document)
    await sweep_blobs(services, timedelta())
    grant = await granted(client, person, worker.headers, "payslip")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    before = await blobs(services)

    async def die(*_: Any) -> Any:
        raise psycopg.OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(recipients_copy, "_replace", die)
        assert (await client.get(path, headers=worker.headers)).status_code == 503
    left = await blobs(services) - before
    assert left
    answer = await client.get(path, headers=worker.headers)
    assert answer.status_code == 200
    assert b"Durand" not in answer.content
    await sweep_blobs(services, timedelta())
    assert not left & await blobs(services)
    assert (await client.get(path, headers=worker.headers)).content == answer.content
