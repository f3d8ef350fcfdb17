"""Quotas over HTTP: what a vault, a grant and a paper may hold, told before it is reached."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of
from vault.documents import quotas, records
from vault.maintenance.version_sizes import measure_versions
from vault.services import Services

MIB = 1024 * 1024
CODE = {"type": "rent_receipt"}


class Limits:
    """Changes the settings of the running services, until the test ends."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings

    def set(self, **limits: int) -> None:
        changed = self._settings.model_copy(update=limits)
        object.__setattr__(self._services, "settings", changed)

    def reset(self) -> None:
        object.__setattr__(self._services, "settings", self._settings)


@pytest.fixture
def limits(services: Services) -> Iterator[Limits]:
    changed = Limits(services)
    yield changed
    changed.reset()


def paper(number: int, size: int = 0) -> bytes:
    """A PDF unlike the others, of at least so many bytes."""
    made = corpus.blank_pdf()
    made.docinfo["/Subject"] = f"Papier {number}"
    made.Root.Padding = made.make_stream(random.Random(number).randbytes(size))
    return corpus.pdf_bytes(made)


async def send(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], content: bytes, **fields: str
) -> httpx.Response:
    files = {"file": ("a.pdf", content)}
    return await client.post(path, headers=headers, files=files, data={**fields})


async def usage(client: httpx.AsyncClient, person: SomePerson) -> dict[str, Any]:
    answer = await client.get("/v1/me", headers=person.headers)
    found: dict[str, Any] = answer.json()["usage"]
    return found


async def test_documents_of_a_vault_are_counted_with_those_in_the_trash(
    client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    limits.set(max_vault_documents=5)
    for number in range(3):
        await deposit(client, person, paper(number))
    assert not (await usage(client, person))["almost_full"]
    fourth = await send(client, "/v1/documents", person.headers, paper(3), **CODE)
    assert (fourth.status_code, fourth.json()["warnings"]) == (201, ["vault_almost_full"])
    fifth = await deposit(client, person, paper(4))
    await client.delete(f"/v1/documents/{fifth['id']}", headers=person.headers)
    refused = await send(client, "/v1/documents", person.headers, paper(5), **CODE)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_documents")
    used = await usage(client, person)
    assert (used["documents"], used["max_documents"], used["almost_full"]) == (5, 5, True)
    again = await send(
        client,
        f"/v1/documents/{(await listed(client, person))[0]}/versions",
        person.headers,
        paper(6),
    )
    assert again.status_code == 201, "a newer version is no further document"


async def listed(client: httpx.AsyncClient, person: SomePerson) -> list[str]:
    answer = await client.get("/v1/documents", headers=person.headers)
    return [item["id"] for item in answer.json()["items"]]


async def test_bytes_of_a_vault_are_those_sent_and_versions_count(
    client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    content = paper(1, 700 * 1024)
    document = await deposit(client, person, content)
    assert (await usage(client, person))["bytes"] == -(-len(content) // 1024) * 1024
    limits.set(max_vault_bytes=2 * MIB)
    version = f"/v1/documents/{document['id']}/versions"
    assert (await send(client, version, person.headers, paper(2, 700 * 1024))).status_code == 201
    for path, fields in ((version, {}), ("/v1/documents", CODE)):
        refused = await send(client, path, person.headers, paper(3, 700 * 1024), **fields)
        assert (refused.status_code, refused.json()["code"]) == (409, "vault_full")
        assert "2 Mo" in refused.json()["detail"]
    small = await send(client, "/v1/documents", person.headers, paper(4), **CODE)
    assert small.status_code == 201


async def test_what_does_not_fit_is_refused_before_its_bytes_are_read(
    client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    limits.set(max_vault_bytes=MIB)
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = (
        "POST /v1/documents HTTP/1.1",
        "Host: unefois.test",
        f"Authorization: Bearer {person.token}",
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {30 * MIB}",
    )
    writer.write("\r\n".join((*head, "", "")).encode())
    async with asyncio.timeout(5):
        status = await reader.readline()
        while (await reader.readline()).strip():
            pass
        answer = await reader.read(4096)
    writer.close()
    assert status.startswith(b"HTTP/1.1 409")
    assert b'"vault_full"' in answer


async def test_two_at_once_do_not_both_take_the_last_room(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    limits: Limits,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await make_person()
    paths = [("/v1/documents", person.headers)]
    for _ in range(2):
        worker = await make_worker()
        grant = await granted(client, person, worker.headers, actions=["deposit"])
        paths.append((f"/v1/grants/{grant}/documents", worker.headers))
    limits.set(max_vault_documents=1)
    count = quotas.vault_room

    async def count_slowly(services: Services, tx: Any, owner_id: UUID) -> quotas.Room:
        counted = await count(services, tx, owner_id)
        await asyncio.sleep(0.3)
        return counted

    monkeypatch.setattr(quotas, "vault_room", count_slowly)
    answers = await asyncio.gather(
        *(
            send(client, path, headers, paper(number), **CODE)
            for number, (path, headers) in enumerate(paths)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_the_one_that_took_the_last_room_is_answered_again(
    client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    limits.set(max_vault_documents=1)
    headers = {**person.headers, "Idempotency-Key": "the-last"}
    content = paper(1)
    first = await send(client, "/v1/documents", headers, content, **CODE)
    again = await send(client, "/v1/documents", headers, content, **CODE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]


async def test_versions_of_a_paper_are_counted(
    client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    limits.set(max_versions=2)
    document = await deposit(client, person, paper(1))
    path = f"/v1/documents/{document['id']}/versions"
    assert (await send(client, path, person.headers, paper(2))).status_code == 201
    refused = await send(client, path, person.headers, paper(3))
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_versions")


async def test_a_grant_adds_so_much_and_gets_no_room_back(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    limits: Limits,
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    path = f"/v1/grants/{grant}/documents"
    limits.set(max_grant_documents=2)
    first = await send(client, path, worker.headers, paper(1), **CODE)
    second = await send(client, path, worker.headers, paper(2), **CODE)
    assert (first.json()["warnings"], second.json()["warnings"]) == ([], ["grant_almost_full"])
    async with services.database.transaction() as tx:
        await records.delete_document(tx, person.id, UUID(first.json()["id"]))
    refused = await send(client, path, worker.headers, paper(3), **CODE)
    assert (refused.status_code, refused.json()["code"]) == (409, "grant_full")
    entry = (await log_of(client, person))[0]
    assert (entry["action"], entry["outcome"]) == ("document.deposit", "refused")
    assert (await send(client, "/v1/documents", person.headers, paper(4), **CODE)).is_success


async def test_a_full_vault_tells_a_recipient_no_number(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, limits: Limits
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    path = f"/v1/grants/{grant}/documents"
    await deposit(client, person, paper(1, 900 * 1024))
    limits.set(max_vault_bytes=MIB)
    # More than there is room for, in a vault that is not full: what is left is nobody's to learn.
    over = await send(client, path, worker.headers, paper(2, 900 * 1024), **CODE)
    assert (over.status_code, over.json()["warnings"]) == (201, [])
    answers = []
    for size in (0, 500 * 1024):
        refused = await send(client, path, worker.headers, paper(3, size), **CODE)
        assert (refused.status_code, refused.json()["code"]) == (409, "vault_cannot_take_more")
        answers.append({name: refused.json()[name] for name in ("title", "detail", "what_to_do")})
    assert answers[0] == answers[1]
    assert not any(letter.isdigit() for letter in str(answers[0]))
    assert (await log_of(client, person))[0]["reason"] == "no_room"


async def test_versions_of_an_earlier_release_are_measured_by_the_sweep(
    client: httpx.AsyncClient, make_person: MakePerson, services: Services
) -> None:
    person = await make_person()
    document = await deposit(client, person, paper(1, 100 * 1024))
    before = await usage(client, person)
    async with services.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.document_version SET size_kib = NULL WHERE document_id = :id"),
            {"id": UUID(document["id"])},
        )
    assert (await usage(client, person))["bytes"] == 0
    assert await measure_versions(services) >= 1
    assert await usage(client, person) == before
    assert quotas.kib(1) == 1


async def test_the_page_says_that_a_vault_is_almost_full(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, limits: Limits
) -> None:
    person = await make_person()
    limits.set(max_vault_documents=2)
    async with browser_of(served, person) as browser:
        await deposit(client, person, paper(1))
        almost = "Il n’y a presque plus de place pour vos papiers."
        assert almost not in (await browser.get("/documents")).text
        used = (await usage(client, person))["bytes"]
        limits.set(max_vault_bytes=used * 5 // 4 + 1)
        assert almost not in (await browser.get("/documents")).text, "it is not reached"
        limits.set(max_vault_bytes=used * 5 // 4)
        assert almost in (await browser.get("/documents")).text
        limits.set(max_vault_documents=1, max_vault_bytes=5 * MIB)
        page = (await browser.get("/documents")).text
        assert "Il n’y a plus de place pour vos papiers." in page
        assert "1 papiers sur 1, et 1 Mo sur 5" in page.replace("\u00a0", " ")
