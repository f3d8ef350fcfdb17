"""Invariant 4: a grant that names a type which was split since goes on as it was, and its papers
stay; nothing new gets that type, and no grant grows to what is offered instead."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted, request_body
from tests.vault.decoding import corpus
from vault import catalogue
from vault.documents import deposit_commit

RETIRED = "french_language_certificate"
TEST, DIPLOMA = catalogue.successors(RETIRED)


@contextmanager
def former_catalogue() -> Iterator[None]:
    """The catalogue of before, which offered what is retired today."""
    with pytest.MonkeyPatch.context() as former:
        former.setattr(catalogue, "is_retired", lambda _: False)
        former.setattr(deposit_commit, "is_retired", lambda _: False)
        yield


async def held_before(
    client: httpx.AsyncClient, person: SomePerson, page: int = 1
) -> dict[str, Any]:
    with former_catalogue():
        return await deposit(client, person, corpus.pdf(page), type_=RETIRED)


async def given_before(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, **changes: Any
) -> str:
    with former_catalogue():
        return await granted(
            client,
            person,
            worker.headers,
            RETIRED,
            narrower={"covers_future": True},
            **changes,
        )


async def listed(client: httpx.AsyncClient, worker: SomeWorker, grant: str) -> set[str]:
    answer = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    assert answer.status_code == 200, answer.text
    return {one["id"] for one in answer.json()["items"]}


async def add(
    client: httpx.AsyncClient, address: str, headers: dict[str, str], code: str, page: int
) -> httpx.Response:
    files = {"file": ("scan.pdf", corpus.pdf(page))}
    return await client.post(address, headers=headers, files=files, data={"type": code})


def assert_told(answer: httpx.Response, pointer: str) -> None:
    """Refused, and told what to name instead."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "document_type_retired")
    assert TEST in problem["what_to_do"]
    assert DIPLOMA in problem["what_to_do"]
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_an_old_grant_goes_on_and_does_not_grow(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    old = await held_before(client, person)
    grant = await given_before(client, person, worker)
    for page, code in enumerate((TEST, DIPLOMA), start=2):
        new = await deposit(client, person, corpus.pdf(page), type_=code)
        address = f"/v1/grants/{grant}/documents/{new['id']}/content"
        assert (await client.get(address, headers=worker.headers)).status_code == 404
        told = await client.get(f"/v1/grants/{grant}/evidence?type={code}", headers=worker.headers)
        assert (told.status_code, told.json()["code"]) == (403, "outside_scope")
    assert await listed(client, worker, grant) == {old["id"]}
    content = f"/v1/grants/{grant}/documents/{old['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    told = await client.get(f"/v1/grants/{grant}/evidence?type={RETIRED}", headers=worker.headers)
    assert (told.json()["held"], told.json()["documents"]) == (True, 1)


async def test_a_request_of_before_can_still_be_answered(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    old = await held_before(client, person)
    with former_catalogue():
        request = await ask(client, worker.headers, person.phone, RETIRED)
    grant = await approve(client, person, request)
    assert await listed(client, worker, grant["id"]) == {old["id"]}


async def test_nothing_new_names_a_retired_type(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    body = request_body(person.phone, "payslip", RETIRED)
    asked = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    assert_told(asked, "#/scope/document_types/1")
    given = await client.post(
        "/v1/grants",
        headers=person.headers,
        json={
            "recipient": {"worker_id": str(worker.id)},
            "scope": body["scope"],
            "purpose": {"code": "housing", "text": "Logement"},
            "duration": "P1M",
        },
    )
    assert_told(given, "#/scope/document_types/1")
    assert_told(await add(client, "/v1/documents", person.headers, RETIRED, 1), "#/type")


async def test_a_grant_to_deposit_keeps_to_what_it_names(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """One of before takes the retired type, as agreed, and not its successors; one that names no
    type takes what is offered."""
    person, worker = await make_person(), await make_worker()
    old = await given_before(client, person, worker, actions=["deposit"])
    under = f"/v1/grants/{old}/documents"
    assert (await add(client, under, worker.headers, RETIRED, 1)).status_code == 201
    refused = await add(client, under, worker.headers, TEST, 2)
    assert (refused.status_code, refused.json()["code"]) == (403, "outside_scope")
    free = await granted(client, person, worker.headers, actions=["deposit"])
    under = f"/v1/grants/{free}/documents"
    assert_told(await add(client, under, worker.headers, RETIRED, 3), "#/type")
    assert (await add(client, under, worker.headers, TEST, 3)).status_code == 201


async def test_a_paper_of_a_retired_type_is_opened_corrected_and_moved(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    old = await held_before(client, person)
    grant = await given_before(client, person, worker)
    address = f"/v1/documents/{old['id']}"
    opened = await client.get(f"{address}/content", headers=person.headers)
    assert (opened.status_code, opened.content) == (200, corpus.pdf(1))
    titled = await client.patch(
        address, headers=person.headers, json={"title": "Mon TCF", "type": RETIRED}
    )
    assert (titled.status_code, titled.json()["type"]) == (200, RETIRED)
    moved = await client.patch(address, headers=person.headers, json={"type": TEST})
    assert (moved.status_code, moved.json()["type"]) == (200, TEST)
    # Moved, it has left the grant: nobody agreed to show that type.
    assert await listed(client, worker, grant) == set()
    back = await client.patch(address, headers=person.headers, json={"type": RETIRED})
    assert_told(back, "#/type")
