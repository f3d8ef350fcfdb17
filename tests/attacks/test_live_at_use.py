"""Invariant 3: a grant is judged in its current state; nothing begun after it ends is served."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import psycopg

from base.embedded.server import Addresses
from tests.fixtures import MakePerson, MakeWorker, MoveClock
from tests.steps import again, deposit, granted, revoke, until
from tests.vault.decoding import corpus
from vault.services import Services

ROUNDS = 50
READERS = 3
PDF = corpus.pdf(1)


async def test_no_read_is_recorded_after_a_revocation_commits(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Fifty races of readers against a revocation. By the database's clock, every read that was
    allowed was judged before the revocation; a reader who got bytes has a log entry."""
    person = await make_person()
    document = await deposit(client, person, PDF)
    served = refused = 0
    for _ in range(ROUNDS):
        worker = await make_worker()
        grant = await granted(client, person, worker.headers, "income_tax_notice")
        path = f"/v1/grants/{grant}/documents/{document['id']}/content"
        got: list[int] = []

        async def read(path: str, headers: dict[str, str], got: list[int]) -> None:
            while True:
                answer = await client.get(path, headers=headers)
                got.append(answer.status_code)
                if answer.status_code != 200:
                    assert answer.json()["code"] == "grant_revoked"
                    return
                assert answer.content == PDF

        readers = [asyncio.create_task(read(path, worker.headers, got)) for _ in range(READERS)]
        await asyncio.sleep(random.random() * 0.03)
        await revoke(client, person, grant)
        # Reads that begin now are all refused.
        late = await client.get(path, headers=worker.headers)
        assert late.status_code == 403
        await asyncio.wait_for(asyncio.gather(*readers), 20)
        newest = {"limit": "100"}
        page = await client.get("/v1/access-log", params=newest, headers=person.headers)
        lines = [one for one in page.json()["items"] if one["grant"] == grant]
        revoked = [one for one in lines if one["action"] == "grant.revoke"]
        reads = [one for one in lines if one["action"] == "document.read"]
        allowed = [one for one in reads if one["outcome"] == "allowed"]
        assert len(revoked) == 1
        ended = datetime.fromisoformat(revoked[0]["at"])
        assert all(datetime.fromisoformat(one["at"]) <= ended for one in allowed)
        # Allowed, then revoked before the first byte: 403 too, and nothing was sent.
        assert got.count(200) <= len(allowed)
        served += len(allowed)
        refused += len(reads) - len(allowed)
    assert served > ROUNDS
    assert refused >= ROUNDS * READERS


async def test_an_open_judgement_holds_the_revocation_back(
    client: httpx.AsyncClient,
    postgres: Addresses,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """The revocation waits until a reader's judgement is committed: neither happens in part."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    address = postgres.service_url.replace("+psycopg", "")
    async with await psycopg.AsyncConnection.connect(address) as judging:
        await judging.execute('SELECT 1 FROM unefois."grant" WHERE id = %s FOR SHARE', (grant,))
        revoking = asyncio.create_task(revoke(client, person, grant))
        done, _ = await asyncio.wait([revoking], timeout=0.5)
        assert not done
        await judging.commit()
        await asyncio.wait_for(revoking, 10)
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.get(path, headers=worker.headers)).status_code == 403


async def test_an_expired_grant_refuses_everything_with_no_job_run(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    actions = ["read", "deposit"]
    grant = await granted(
        client, person, worker.headers, "income_tax_notice", duration="P1M", actions=actions
    )
    moved_clock(timedelta(days=31, hours=1))
    headers = await again(services, worker)
    under = f"/v1/grants/{grant}"
    for path in (
        f"{under}/documents",
        f"{under}/documents/{document['id']}/content",
        f"{under}/documents/{document['id']}/preview",
        f"{under}/evidence?type=income_tax_notice",
    ):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "grant_expired"), path
    added = await client.post(
        f"{under}/documents",
        headers=headers,
        files={"file": PDF},
        data={"type": "income_tax_notice"},
    )
    assert (added.status_code, added.json()["code"]) == (403, "grant_expired")


async def test_a_deposit_under_way_is_judged_again_when_it_commits(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Revoked while the file was arriving: nothing is added."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip", actions=["deposit"])
    begun = asyncio.Event()
    go_on = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\npayslip\r\n'
        yield (
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + PDF[:5000]
        )
        begun.set()
        await go_on.wait()
        yield PDF[5000:] + b"\r\n--b--\r\n"

    sending = asyncio.create_task(
        client.post(
            f"/v1/grants/{grant}/documents",
            headers={**worker.headers, "Content-Type": "multipart/form-data; boundary=b"},
            content=body(),
        )
    )
    await asyncio.wait_for(begun.wait(), 10)
    await revoke(client, person, grant)
    go_on.set()
    answer = await sending
    assert (answer.status_code, answer.json()["code"]) == (403, "grant_revoked")
    assert (await client.get("/v1/documents", headers=person.headers)).json()["items"] == []


async def test_while_nobody_listens_a_grant_is_not_called_revoked(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    postgres: Addresses,
) -> None:
    """A revocation made now would not be heard: nothing is sent, and nothing said of the grant."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    with psycopg.connect(postgres.service_url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute(ending)
    await until(lambda: not services.revocations.listening)
    answer = await client.get(path, headers=worker.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    await until(lambda: services.revocations.listening)
    assert (await client.get(path, headers=worker.headers)).status_code == 200
