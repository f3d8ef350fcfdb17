"""A paper that is in both vaults when they become one: kept once, with what each knew of it."""

from typing import Any
from uuid import UUID

import httpx

from tests.fixtures import MakeClient, MakePerson, MakeWorker, SomePerson
from tests.joins import joined
from tests.steps import client_headers, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.vault.reconciliation.steps import found
from vault.documents.own_documents import see_own
from vault.services import Services

PDF = corpus.pdf(1)


async def paper(client: httpx.AsyncClient, person: SomePerson, document: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/documents/{document}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


async def correct(
    client: httpx.AsyncClient, person: SomePerson, document: str, **values: Any
) -> None:
    path = f"/v1/documents/{document}"
    answer = await client.patch(path, headers=person.headers, json=values)
    assert answer.status_code == 200, answer.text


async def test_the_paper_that_stays_gets_what_only_the_other_said(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    before = await found(services)
    kept = await deposit(client, stays, PDF, type_="payslip")
    gone = await deposit(client, ended, PDF, type_="payslip", title="Paie de mai")
    await correct(client, ended, gone["id"], issued_on="2026-05-31", income_year=2025)
    await joined(client, ended, stays)
    both = await paper(client, stays, kept["id"])
    assert (both["title"], both["issued_on"]) == ("Paie de mai", "2026-05-31")
    # It is a correction of its person's, told by the log as any.
    assert [
        one["action"]
        for one in reversed(await log_of(client, stays))
        if one["action"] in ("document.correct", "vault.join")
    ] == ["document.correct", "vault.join"]
    assert await found(services) == before


async def test_nothing_is_written_where_the_other_said_nothing_more(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    kept = await deposit(client, stays, PDF, type_="payslip", title="Mai")
    await deposit(client, ended, PDF, type_="payslip", title="Juin")
    before = await paper(client, stays, kept["id"])
    await joined(client, ended, stays)
    after = await paper(client, stays, kept["id"])
    assert after == before
    assert "document.correct" not in [one["action"] for one in await log_of(client, stays)]


async def test_a_paper_that_was_delicate_in_one_is_delicate(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Who sees the type in the vault that stays sees it no more: in the other one, its person had
    said that it is shown only where it is picked."""
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    kept = await deposit(client, stays, PDF, type_="payslip")
    gone = await deposit(client, ended, PDF, type_="payslip")
    await correct(client, ended, gone["id"], sensitive=True)
    grant = await granted(client, stays, worker.headers, "payslip")
    read = f"/v1/grants/{grant}/documents/{kept['id']}/content"
    assert (await client.get(read, headers=worker.headers)).status_code == 200
    await joined(client, ended, stays)
    assert (await paper(client, stays, kept["id"]))["sensitive"] is True
    assert (await client.get(read, headers=worker.headers)).status_code == 404


async def test_a_paper_that_an_administration_vouches_for_stays_so(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_client: MakeClient,
) -> None:
    """Where the other one is the person's own, both stay; where it is the same, nothing is added to
    the word of the administration but the title."""
    system = await make_client()
    caf = await client_headers(client, system)

    async def vouched(person: SomePerson, pages: int) -> str:
        deposits = await granted(client, person, caf, actions=["deposit"])
        given = await client.post(
            f"/v1/grants/{deposits}/documents",
            headers=caf,
            files={"file": ("a.pdf", corpus.pdf(pages))},
            data={"type": "caf_payment_certificate"},
        )
        assert given.status_code == 201, given.text
        return str(given.json()["id"])

    ended, stays = await make_person(), await make_person()
    comes = await vouched(ended, 1)
    mine = await deposit(client, stays, corpus.pdf(1), type_="caf_payment_certificate")
    kept = await vouched(stays, 2)
    gone = await deposit(client, ended, corpus.pdf(2), title="Juin")
    await correct(client, ended, gone["id"], issued_on="2026-05-31")
    await joined(client, ended, stays)
    listed = (await client.get("/v1/documents", headers=stays.headers)).json()["items"]
    seen = [await see_own(services, stays.subject, UUID(one["id"])) for one in listed]
    verified = {str(one.id): one.verified for one in seen}
    assert verified == {comes: True, mine["id"]: False, kept: True}
    both = await paper(client, stays, kept)
    assert (both["title"], both["issued_on"]) == ("Juin", None)
