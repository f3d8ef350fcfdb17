"""Downloads: the headers that a browser gets, and the delivery status in the log."""

import asyncio
import secrets
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pikepdf
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.steps import deposit, granted, log_of, until
from tests.vault.decoding import corpus
from vault.documents import records
from vault.services import Services

PDF = corpus.pdf(2)
NAMES = {
    "avis d’impôt 2026.pdf": "avis d’impôt 2026.pdf",
    'a"b;c\r\nX-Evil: 1.pdf': None,
    "été.pdf": "été.pdf",
    "文件.pdf": "文件.pdf",
}


@pytest.mark.parametrize("name", NAMES)
async def test_no_browser_runs_it_and_its_name_is_safe(
    name: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, PDF, name=name)
    answer = await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)
    headers = answer.headers
    assert headers["content-type"] == "application/pdf"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["etag"] == f'"{document["version"]["id"]}"'
    disposition = headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    assert disposition.isascii()
    assert "x-evil" not in headers
    assert disposition.count('"') == 2


async def test_a_recipient_is_told_the_type_not_the_owners_file_name(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF, name="Dupont-divorce.pdf")
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    answer = await client.get(path, headers=worker.headers)
    assert "income_tax_notice.pdf" in answer.headers["content-disposition"]
    listed = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    for text in (str(answer.headers), listed.text):
        assert "Dupont" not in text


async def test_a_download_sent_whole_is_confirmed(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, PDF)
    await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)
    await until(lambda: _confirmed(client, person, "completed"))


async def test_a_reader_that_hangs_up_leaves_an_interrupted_line(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Half read, then disconnected: the log does not call that sent."""
    person = await make_person()
    made = corpus.blank_pdf(1)
    made.Root.Noise = made.make_indirect(pikepdf.Stream(made, secrets.token_bytes(12 << 20)))
    document = await deposit(client, person, corpus.pdf_bytes(made, compress_streams=False))
    at = urlsplit(served.base_url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(
        f"GET /v1/documents/{document['id']}/content HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {person.token}\r\n\r\n".encode()
    )
    assert await reader.readexactly(100_000)
    writer.transport.abort()
    await until(lambda: _confirmed(client, person, "interrupted"))


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "swapped"])
async def test_a_damaged_blob_is_a_problem_and_never_wrong_bytes(
    damage: str, services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The store is not trusted: wrong bytes from it are not sent."""
    person = await make_person()
    document = await deposit(client, person, PDF)
    other = await deposit(client, person, corpus.pdf(1))
    path = await _blob(services, person, document["version"]["id"])
    path.chmod(0o600)
    if damage == "flipped":
        data = bytearray(path.read_bytes())
        data[-20] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes((await _blob(services, person, other["version"]["id"])).read_bytes())
    answer = await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in {"content_broken", "content_missing"}
    await until(lambda: _confirmed(client, person, "interrupted"))


async def _confirmed(client: httpx.AsyncClient, person: SomePerson, state: str) -> bool:
    reads = [entry for entry in await log_of(client, person) if entry["action"] == "document.read"]
    assert len(reads) == 1
    assert reads[0]["confirmed"] in {"not_confirmed", state}
    return bool(reads[0]["confirmed"] == state)


async def _blob(services: Services, person: SomePerson, version: str) -> Path:
    """Where the directory store keeps the original of a version."""
    async with services.database.transaction() as tx:
        files = await records.files_of(tx, person.id, UUID(version))
    name = files[0].blob_key.rpartition("/")[2]
    paths = [path for path in services.settings.home.rglob("*") if name in path.name]
    assert len(paths) == 1
    return paths[0]
