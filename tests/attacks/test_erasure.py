"""Invariant 8: an erased vault opens for nobody, here and in every other process, at once."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from audit.records import events_of
from storage.errors import KeyDestroyed
from tests.fixtures import STORES, MakePerson, MakeWorker, SomePerson
from tests.steps import blobs, counted, deposit, drawn, erase, granted, log_of, until
from tests.uploads import uploaded
from tests.vault.decoding import corpus
from vault.documents.deposit_commit import Deposited, commit_deposit
from vault.documents.previews import draw_preview
from vault.services import Services
from web.process.services import open_services

TABLES_OF_A_PERSON = ["document", "document_version", "sealed_file", "consent_request", "grant",
                      "upload", "upload_piece", "archive", "archive_piece"]  # fmt: skip


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_an_erased_vault_opens_for_nobody(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """Keys, rows, blobs, sessions and grants are gone; the log's entries stay, unreadable."""
    before = await blobs(services)
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.phone_jpeg(), name="a.jpg")
    await drawn(services, person, document)
    await uploaded(client, person, corpus.pdf())
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.get(path, headers=worker.headers)).status_code == 200
    entries = await _entries(services, person.id)
    assert len(entries) >= 5
    assert all(entry is not None for entry in entries)

    async with AsyncExitStack() as opened:
        other = await opened.enter_async_context(open_services(services.settings))
        await other.field_encryption.reader(person.id)
        await erase(services, person)
        # Another process had the key in memory: it is notified, and drops it.
        await until(lambda: _forgotten(other, person), seconds=3)

    for table in TABLES_OF_A_PERSON:
        assert await counted(services, f'"{table}"', person) == 0
    async with services.database.transaction() as tx:
        for query in (
            "SELECT count(*) FROM unefois.wrapped_key WHERE owner_id = :id",
            "SELECT count(*) FROM unefois.audit_key WHERE owner_id = :id",
            "SELECT count(*) FROM unefois.person WHERE id = :id",
        ):
            assert (await tx.execute(text(query), {"id": person.id})).scalar_one() == 0, query
    assert await blobs(services) == before
    assert await _entries(services, person.id) == [None] * len(entries)

    assert (await client.get("/v1/documents", headers=person.headers)).status_code == 401
    for gone in (path, f"/v1/grants/{grant}", f"/v1/grants/{grant}/documents"):
        assert (await client.get(gone, headers=worker.headers)).status_code == 404
    # The worker's own activity no longer shows the entries of the erased vault's log.
    assert all(one["grant"] != grant for one in await log_of(client, worker))


async def test_the_same_phone_opens_an_empty_vault_afterwards(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf(1))
    await erase(services, person)
    new = await make_person(person.phone)
    assert new.id != person.id
    listed = await client.get("/v1/documents", headers=new.headers)
    assert listed.json()["items"] == []
    assert {one["action"] for one in await log_of(client, new)} <= {
        "vault.open",
        "sign_in.success",
        "sign_in.code",
        "document.list",
    }


async def test_what_was_under_way_leaves_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Uploads, reads and a preview job race with the erasure: refused, and nothing is left."""
    for _ in range(6):
        before = await blobs(services)
        person = await make_person()
        document = await deposit(client, person, corpus.pdf(1), type_="payslip")
        path = f"/v1/documents/{document['id']}/content"

        async def add(person: SomePerson = person) -> int:
            answer = await client.post(
                "/v1/documents",
                headers=person.headers,
                files={"file": corpus.pdf(1)},
                data={"type": "payslip"},
            )
            return answer.status_code

        async def read(person: SomePerson = person, path: str = path) -> int:
            return (await client.get(path, headers=person.headers)).status_code

        async def draw(
            person: SomePerson = person, version: str = document["version"]["id"]
        ) -> int:
            await draw_preview(services, person.id, UUID(version))
            return 200

        async def erase_soon(person: SomePerson = person) -> int:
            await asyncio.sleep(0.02)
            await erase(services, person)
            return 204

        done = await asyncio.gather(add(), add(), add(), read(), read(), draw(), erase_soon())
        assert done[-1] == 204
        assert set(done[:-1]) <= {200, 201, 401, 404}
        for table in TABLES_OF_A_PERSON:
            assert await counted(services, f'"{table}"', person) == 0
        assert await blobs(services) == before


async def test_a_deposit_whose_vault_is_erased_before_its_rows_is_refused(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Already sealed, decoded and durable: nothing of it is kept, and it is not a failure, even in
    a process that has not been notified yet and still has the key."""
    person = await make_person()
    before = await blobs(services)
    keys = services.storage.keys
    theirs = {str(person.id): await keys.owner(person.id)}
    cached = keys._cached
    monkeypatch.setattr(keys, "_cached", lambda subject: theirs.get(subject) or cached(subject))

    async def erased_first(*given: Any, **named: Any) -> Deposited:
        await erase(services, person)
        return await commit_deposit(*given, **named)

    monkeypatch.setattr("vault.documents.deposit.commit_deposit", erased_first)
    answer = await client.post(
        "/v1/documents",
        headers=person.headers,
        files={"file": corpus.phone_jpeg()},
        data={"type": "payslip"},
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    for table in TABLES_OF_A_PERSON:
        assert await counted(services, f'"{table}"', person) == 0
    assert await blobs(services) == before


async def _entries(services: Services, person_id: UUID) -> list[object]:
    """The person's entries, as opened with the database and the service's keys."""
    async with services.database.transaction() as tx:
        tag = await services.audit_log.person_tag(person_id)
        rows = await events_of(tx, person_tag=tag, limit=100)
        return [entry.values for entry in await services.audit_log.open_entries(tx, rows)]


async def _forgotten(services: Services, person: SomePerson) -> bool:
    try:
        await services.field_encryption.reader(person.id)
    except KeyDestroyed:
        return True
    return False
