"""One caller who sends hundreds at once: they wait for each other, and nobody waits for them."""

import asyncio
from collections import Counter

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from base.locks import hold_vault
from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served, new_phone
from tests.steps import client_headers, deposit, granted, request_body
from tests.vault.decoding import corpus

MANY = 150


async def test_a_senders_requests_take_no_connection_while_they_wait(
    served: Served, client: httpx.AsyncClient, make_client: MakeClient, make_person: MakePerson
) -> None:
    """Each waits for the sender's lock. On connections, they had all of them: whoever came then
    was answered 503, and so were most of their own."""
    headers, person = await client_headers(client, await make_client()), await make_person()
    body = request_body(new_phone(), "income_tax_notice")
    limits = httpx.Limits(max_connections=MANY)
    async with httpx.AsyncClient(
        base_url=served.base_url, timeout=60, limits=limits, trust_env=False
    ) as busy:

        async def ask() -> int:
            return (await busy.post("/v1/consent-requests", headers=headers, json=body)).status_code

        asked = asyncio.gather(*(ask() for _ in range(MANY)))
        while not asked.done():
            read = await client.get("/v1/documents", headers=person.headers)
            assert read.status_code == 200
        assert Counter(await asked) == {202: MANY}


async def test_a_session_leaves_connections_to_others_whatever_its_requests_wait_for(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Each took a connection to wait for the vault's lock: others were answered 503 meanwhile. The
    way out waits for nothing."""
    busy, other = await make_person(), await make_person()
    limits = httpx.Limits(max_connections=MANY)
    cookie = f"unefois-person={busy.token}"
    async with (
        httpx.AsyncClient(
            base_url=served.base_url, timeout=60, limits=limits, trust_env=False
        ) as at,
        served.services.database.transaction() as tx,
    ):
        await hold_vault(tx, busy.id)
        asked = asyncio.gather(
            *(at.post("/v1/me/proof/wait", headers=busy.headers) for _ in range(40))
        )
        await asyncio.sleep(0)
        for _ in range(5):
            read = await client.get("/v1/documents", headers=other.headers)
            assert read.status_code == 200
        hidden = await client.post(
            "/quick-exit", headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
        )
        assert hidden.status_code == 200
        await tx.commit()
        assert {one.status_code for one in await asked} <= {202, 401, 429}, "signed out meanwhile"


HELD = text('SELECT id FROM unefois."grant" WHERE id = :id FOR UPDATE')
WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


async def until_waiting(tx: AsyncConnection, many: int) -> None:
    """Until so many wait for a lock."""
    for _ in range(500):
        if (await tx.execute(WAITING)).scalar_one() >= many:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("too few wait for a lock")


async def test_nor_do_reads_that_wait_for_a_grant_keep_others_from_theirs(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Its row is held while it is ended with everything else: reads wait on the connections of the
    hot path, of which a session has its part too."""
    person, busy, other = await make_person(), await make_worker(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    held, free = [await granted(client, person, one.headers, "payslip") for one in (busy, other)]
    limits = httpx.Limits(max_connections=MANY)
    async with (
        httpx.AsyncClient(
            base_url=served.base_url, timeout=60, limits=limits, trust_env=False
        ) as at,
        served.services.database.transaction() as tx,
    ):
        await tx.execute(HELD, {"id": held})
        address = f"/v1/grants/{{}}/documents/{paper['id']}/content"
        asked = asyncio.gather(
            *(at.get(address.format(held), headers=busy.headers) for _ in range(40))
        )
        await until_waiting(tx, 2)
        for _ in range(5):
            read = await client.get(address.format(free), headers=other.headers)
            assert read.status_code == 200
        await tx.commit()
        assert {one.status_code for one in await asked} == {200}


async def test_an_administration_has_one_part_with_all_its_tokens(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    """It asks for as many as it wants, and each has two spellings: counted by token, two of them
    had every connection."""
    person, busy, other = await make_person(), await make_client(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    tokens = [await client_headers(client, busy) for _ in range(4)]
    held, free = [
        await granted(client, person, one, "payslip") for one in (tokens[0], other.headers)
    ]
    limits = httpx.Limits(max_connections=MANY)
    async with (
        httpx.AsyncClient(
            base_url=served.base_url, timeout=60, limits=limits, trust_env=False
        ) as at,
        served.services.database.transaction() as tx,
    ):
        await tx.execute(HELD, {"id": held})
        address = f"/v1/grants/{{}}/documents/{paper['id']}/content"
        asked = asyncio.gather(*(at.get(address.format(held), headers=one) for one in tokens * 10))
        await until_waiting(tx, 2)
        for _ in range(5):
            read = await client.get(address.format(free), headers=other.headers)
            assert read.status_code == 200
        await tx.commit()
        assert {one.status_code for one in await asked} == {200}
