"""Invariant 7: what a recipient repeats, or reads about themself, reveals nothing that they may not
ask for."""

from typing import Any

import httpx

from tests.fixtures import MakePerson, MakeWorker, SomePerson, new_phone
from tests.steps import Headers, ask, erase, granted, log_of
from tests.vault.decoding import corpus
from vault.services import Services

# Made once, so that the bytes are the same: a PDF made again has another date.
PDF = corpus.pdf()


async def _deposit(client: httpx.AsyncClient, grant: str, headers: Headers) -> dict[str, Any]:
    answer = await client.post(
        f"/v1/grants/{grant}/documents",
        headers={**headers, "Idempotency-Key": "again"},
        files={"file": ("a.pdf", PDF)},
        data={"type": "rent_receipt", "title": "Quittance"},
    )
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def _change_as_owner(client: httpx.AsyncClient, person: SomePerson, document: str) -> None:
    path = f"/v1/documents/{document}"
    changes = {"title": "Ne pas montrer", "type": "payslip", "expires_on": "2031-01-01"}
    assert (await client.patch(path, headers=person.headers, json=changes)).is_success
    newer = {"file": ("b.pdf", corpus.pdf(3))}
    assert (await client.post(f"{path}/versions", headers=person.headers, files=newer)).is_success


async def test_a_deposit_sent_again_does_not_tell_what_became_of_it(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    first = await _deposit(client, grant, worker.headers)

    await _change_as_owner(client, person, first["id"])
    assert await _deposit(client, grant, worker.headers) == first

    deleted = await client.delete(f"/v1/documents/{first['id']}", headers=person.headers)
    assert deleted.status_code == 204
    assert await _deposit(client, grant, worker.headers) == first


async def test_ones_own_doings_do_not_tell_that_a_vault_was_erased(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Before and after the erasure, the worker sees the same log and the same requests."""
    person, worker = await make_person(), await make_worker()
    with_a_vault = await ask(client, worker.headers, person.phone, "payslip")
    without = await ask(client, worker.headers, new_phone(), "payslip")

    async def seen() -> list[set[bool]]:
        named = {entry["request"] for entry in await log_of(client, worker)}
        sent = (await client.get("/v1/consent-requests", headers=worker.headers)).json()["items"]
        known = {(one["id"], one["state"]) for one in sent}
        return [
            {each in named for each in (with_a_vault, without)},
            {(each, "waiting") in known for each in (with_a_vault, without)},
        ]

    before = await seen()
    assert [len(each) for each in before] == [1, 1]
    await erase(services, person)
    assert await seen() == before
