"""Invariants 1, 2 and 7: HEAD reveals what GET reveals, recorded first; a method reveals no id."""

import asyncio
from uuid import uuid4

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.steps import counted, deposit, drawn, granted, log_of, revoke, until
from tests.vault.decoding import corpus
from vault.services import Services

PDF = corpus.pdf(2)
METHODS = ("OPTIONS", "PUT", "TRACE", "PROPFIND")


async def test_a_head_is_recorded_as_the_get_is(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """One line each, of the same act, in the person's log; never as a paper that was delivered."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    await drawn(services, person, document)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    under = f"/v1/grants/{grant}/documents/{document['id']}"
    for headers, path, action in (
        (worker.headers, f"{under}/content", "document.read"),
        (worker.headers, f"{under}/preview", "document.preview"),
        (person.headers, f"/v1/documents/{document['id']}/content", "document.read"),
        (worker.headers, f"/v1/grants/{grant}/documents", None),
    ):
        before = await counted(services, "access_event")
        answer = await client.head(path, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert await counted(services, "access_event") == before + 1
        line = (await log_of(client, person))[0]
        assert (line["outcome"], line["actor"]["kind"]) == (
            "allowed",
            "owner" if headers == person.headers else "worker",
        )
        if action is not None:
            assert (line["action"], line["documents"]) == (action, [document["id"]])
            await until(lambda: _confirmed(client, person, "interrupted"))


async def _confirmed(client: httpx.AsyncClient, person: SomePerson, state: str) -> bool:
    return bool((await log_of(client, person))[0]["confirmed"] == state)


async def test_a_head_that_is_refused_is_recorded_and_reveals_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    await revoke(client, person, grant)
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    before = await counted(services, "access_event")
    answer = await client.head(path, headers=worker.headers)
    assert answer.status_code == 403
    assert "etag" not in answer.headers
    assert await counted(services, "access_event") == before + 1
    line = (await log_of(client, person))[0]
    assert (line["outcome"], line["reason"], line["confirmed"]) == (
        "refused",
        "revoked",
        "not_sent",
    )


async def test_a_head_reveals_nothing_when_the_log_cannot_be_written(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    postgres: Addresses,
) -> None:
    """No length, no type, no version: of every answer that has them."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    owner_url = postgres.owner_url.replace("+psycopg", "")
    paths = (
        (worker.headers, f"/v1/grants/{grant}/documents/{document['id']}/content"),
        (worker.headers, f"/v1/grants/{grant}/documents"),
        (person.headers, f"/v1/documents/{document['id']}/content"),
        (person.headers, f"/v1/documents/{document['id']}"),
    )
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute(
            "CREATE OR REPLACE FUNCTION pg_temp.full() RETURNS trigger LANGUAGE plpgsql"
            " AS $$BEGIN RAISE EXCEPTION 'the disk is full' USING ERRCODE = 'disk_full'; END$$"
        )
        owner.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON unefois.access_event"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.full()"
        )
        try:
            answers = [await client.head(path, headers=headers) for headers, path in paths]
        finally:
            owner.execute("DROP TRIGGER broken ON unefois.access_event")
    for answer in answers:
        assert answer.status_code in {500, 503}
        assert answer.headers["content-type"] == "application/problem+json"
        assert not {"etag", "content-disposition", "accept-ranges"} & set(answer.headers)


async def test_a_flood_of_heads_keeps_no_memory_and_no_line_back(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Each of many at once is a line of its own, and none waits for content nobody reads."""
    person = await make_person()
    document = await deposit(client, person, PDF)
    before = await counted(services, "access_event")
    path = f"/v1/documents/{document['id']}/content"
    answers = await asyncio.gather(*(client.head(path, headers=person.headers) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert await counted(services, "access_event") == before + 40


@pytest.mark.parametrize("method", METHODS)
async def test_a_method_reveals_no_id(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    method: str,
) -> None:
    """One that exists, one that is somebody else's, an unknown and a malformed one answer alike,
    with and without credentials; and nothing is written."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    before = await counted(services, "access_event")
    for form, real in (
        ("/v1/documents/{}", document["id"]),
        ("/v1/documents/{}/content", document["id"]),
        ("/v1/grants/{}", grant),
        ("/v1/grants/{}/documents", grant),
        ("/documents/{}", document["id"]),
        ("/pro/grants/{}", grant),
    ):
        answers = set()
        for name in (real, str(uuid4()), "nope", "0", "%00", "é"):
            for headers in ({}, person.headers, worker.headers):
                answer = await client.request(method, form.format(name), headers=headers)
                code = answer.json()["code"] if answer.content else ""
                answers.add((answer.status_code, answer.headers.get("allow"), code))
        assert len(answers) == 1, (form, answers)
    assert await counted(services, "access_event") == before
