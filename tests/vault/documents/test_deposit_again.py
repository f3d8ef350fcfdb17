"""A deposit sent again: the same key makes one document, another body with it is refused."""

import httpx

from tests.fixtures import MakePerson, MakeWorker
from tests.steps import granted
from tests.vault.decoding import corpus


async def test_a_recipient_who_sends_again_adds_one_document(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    headers = {**worker.headers, "Idempotency-Key": "the-same-paper"}
    content = corpus.pdf()

    async def send(**fields: str) -> httpx.Response:
        return await client.post(
            f"/v1/grants/{grant}/documents",
            headers=headers,
            files={"file": ("a.pdf", content)},
            data={"type": "rent_receipt", **fields},
        )

    first, again, other = await send(), await send(), await send(title="Autre")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"
    held = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    assert [item["id"] for item in held] == [first.json()["id"]]


async def test_without_a_key_a_recipient_adds_each_time_and_the_owner_once(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, actions=["deposit"])
    content = corpus.pdf()
    ids = set()
    for _ in range(2):
        answer = await client.post(
            f"/v1/grants/{grant}/documents",
            headers=worker.headers,
            files={"file": ("a.pdf", content)},
            data={"type": "rent_receipt"},
        )
        assert answer.status_code == 201
        ids.add(answer.json()["id"])
    assert len(ids) == 2
    own = await client.post(
        "/v1/documents",
        headers=person.headers,
        files={"file": ("b.pdf", content)},
        data={"type": "rent_receipt"},
    )
    assert own.status_code == 200
    assert own.json()["id"] in ids
