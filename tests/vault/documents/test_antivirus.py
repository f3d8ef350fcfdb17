"""Scans by a real clamd: only its owner gets an infected document."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from base.settings import Settings
from storage.row_macs import RowAltered
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, _ServicesPool
from tests.servers.clamd import PATTERN, clamd, missing_clamd
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus
from vault.documents import antivirus
from vault.documents.antivirus import ScannerUnavailable, is_clean, scan
from vault.services import Services


@pytest.fixture(scope="module")
def scanner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if missing_clamd():
        reason = "no clamd here: apt install clamav-daemon"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with clamd(tmp_path_factory.mktemp("clamd")) as address:
        yield address


@pytest.fixture
async def guarded(services_pool: _ServicesPool, base_settings: Settings, scanner: str) -> Served:
    """A service with that scanner."""
    settings = base_settings.model_copy(update={"clamd_address": scanner})
    return await services_pool.at("scanned", settings)


@pytest.fixture
async def guarded_client(guarded: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=guarded.base_url, timeout=60, trust_env=False) as http:
        yield http


def infected_pdf() -> bytes:
    """A valid PDF that contains the test pattern."""
    made = corpus.blank_pdf(1)
    made.Root.Mark = made.make_indirect(made.make_stream(PATTERN))
    return corpus.pdf_bytes(made, compress_streams=False)


@pytest.mark.clamd
async def test_an_infected_document_goes_to_nobody_but_its_owner_who_is_told(
    guarded: Served,
    guarded_client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    client, services = guarded_client, guarded.services
    person, worker = await make_person(), await make_worker()
    bad = await deposit(client, person, infected_pdf())
    good = await deposit(client, person, corpus.pdf(1))
    assert bad["file"]["scan"] == good["file"]["scan"] == "waiting"
    assert await _jobs_of(services, bad) == {"scan"}
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    assert await _scan(services, person, bad) == "infected"
    assert await _scan(services, person, good) == "clean"

    answer = await client.get(f"/v1/documents/{bad['id']}", headers=person.headers)
    assert answer.json()["file"]["scan"] == "infected"
    own = await client.get(f"/v1/documents/{bad['id']}/content", headers=person.headers)
    assert PATTERN in own.content

    under = f"/v1/grants/{grant}/documents"
    listed = (await client.get(under, headers=worker.headers)).json()["items"]
    assert [(item["id"], item["file"]["scan"]) for item in listed] == [(good["id"], "clean")]
    for kind in ("content", "preview"):
        refused = await client.get(f"{under}/{bad['id']}/{kind}", headers=worker.headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "document_infected")
        assert PATTERN not in refused.content
    entries = await log_of(client, person)
    reasons = [entry["reason"] for entry in entries if entry["outcome"] == "refused"]
    assert reasons == ["infected", "infected"]
    (told,) = [entry for entry in entries if entry["action"] == "document.infected"]
    assert (told["outcome"], told["actor"]["kind"]) == ("allowed", "service")
    assert told["documents"] == [bad["id"]]
    assert "virus" in told["sentence"]


@pytest.mark.clamd
async def test_a_verdict_taken_back_without_the_key_gives_nothing(
    guarded: Served,
    guarded_client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """By someone who writes the database as the service's role, which may change this column."""
    client, services = guarded_client, guarded.services
    person, worker = await make_person(), await make_worker()
    bad = await deposit(client, person, infected_pdf())
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    assert await _scan(services, person, bad) == "infected"
    async with services.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.document_version SET scan = 'clean' WHERE id = :id"),
            {"id": bad["version"]["id"]},
        )
    under = f"/v1/grants/{grant}/documents"
    for path in (under, f"{under}/{bad['id']}/content", f"{under}/{bad['id']}/preview"):
        answer = await client.get(path, headers=worker.headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "row_altered")
        assert PATTERN not in answer.content
    with pytest.raises(RowAltered):
        await _scan(services, person, bad)


@pytest.mark.clamd
async def test_each_photo_of_a_paper_is_scanned(
    guarded: Served, guarded_client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    photo = corpus.plain_jpeg()
    bad = photo[:2] + corpus.segment(0xFE, PATTERN) + photo[2:]
    answer = await guarded_client.post(
        "/v1/documents",
        headers=person.headers,
        files=[("file", ("1.jpg", bad)), ("file", ("2.jpg", photo))],
        data={"type": "payslip"},
    )
    assert await _scan(guarded.services, person, answer.json()) == "infected"


@pytest.mark.clamd
async def test_a_large_file_reaches_the_scanner_whole(scanner: str) -> None:
    async def slices() -> AsyncIterator[memoryview]:
        for _ in range(300):
            yield memoryview(bytes(64 * 1024))
        yield memoryview(PATTERN)

    assert not await is_clean(scanner, slices())


@pytest.mark.clamd
async def test_a_scanner_that_hangs_up_gives_no_verdict(scanner: str) -> None:
    """Above its own limit clamd closes the connection: that does not mean "clean"."""

    async def slices() -> AsyncIterator[memoryview]:
        for _ in range(2000):
            yield memoryview(bytes(64 * 1024))

    with pytest.raises(ScannerUnavailable):
        await is_clean(scanner, slices())


async def test_without_a_scanner_the_document_says_not_scanned(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, infected_pdf())
    assert document["file"]["scan"] == "not_scanned"
    assert await _jobs_of(services, document) == set()
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    listed = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    assert listed.json()["items"][0]["file"]["scan"] == "not_scanned"


async def test_a_scanner_that_is_away_leaves_the_document_waiting(
    services_pool: _ServicesPool, base_settings: Settings, make_person: MakePerson, tmp_path: Path
) -> None:
    """No verdict: the job raises, and is tried again."""
    settings = base_settings.model_copy(update={"clamd_address": str(tmp_path / "none")})
    served = await services_pool.at("no scanner", settings)
    person = await make_person()
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False, timeout=30) as client:
        document = await deposit(client, person, corpus.pdf(1))
        with capture_logs() as lines:
            for _ in range(3):
                with pytest.raises(ScannerUnavailable):
                    await _scan(served.services, person, document)
        told = [(line["event"], line["part"], line["code"]) for line in lines]
        assert told == [("part_failing", "antivirus", "FileNotFoundError")]
        ready = await client.get(f"{served.management_url}/readyz")
        assert (ready.status_code, "antivirus" in ready.json()["degraded"]) == (200, True)
        kept = await client.get(f"/v1/documents/{document['id']}", headers=person.headers)
        assert kept.json()["file"]["scan"] == "waiting"


async def test_a_scanner_that_hangs_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes the connection and the file, and says nothing."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def slices() -> AsyncIterator[memoryview]:
        yield memoryview(b"x" * 1000)

    monkeypatch.setattr(antivirus, "_TIMEOUT", 0.2)
    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with asyncio.timeout(5):
        with pytest.raises(ScannerUnavailable):
            await is_clean(f"127.0.0.1:{silent.sockets[0].getsockname()[1]}", slices())
    silent.close()


async def _scan(services: Services, person: SomePerson, document: dict[str, Any]) -> str:
    """The job that the deposit deferred."""
    return await scan(services, person.id, UUID(document["version"]["id"]))


async def _jobs_of(services: Services, document: dict[str, Any]) -> set[str]:
    query = "SELECT task_name FROM procrastinate_jobs WHERE args->>'version_id' = :version"
    async with services.database.transaction() as tx:
        result = await tx.execute(text(query), {"version": document["version"]["id"]})
        return set(result.scalars())
