"""The answers of the two routes of a document under a grant."""

import uuid
from dataclasses import dataclass, field
from inspect import signature

import httpx
import pytest
from starlette.responses import JSONResponse

from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.steps import Headers, deposit, drawn, granted
from tests.vault.decoding import corpus
from vault.services import Services
from web.api import grant_documents

TEMPLATE = "/v1/grants/{grant_id}/documents/{document_id}"


@dataclass(frozen=True, slots=True)
class Shared:
    """A document that a worker may read."""

    grant: str
    document: str
    person: SomePerson
    headers: Headers = field(repr=False)

    def path(self, end: str, *, grant: str | None = None, document: str | None = None) -> str:
        return f"/v1/grants/{grant or self.grant}/documents/{document or self.document}/{end}"


@pytest.fixture
async def shared(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> Shared:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.noisy_jpeg(50_000), name="p.jpg")
    await drawn(services, person, document)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    return Shared(grant, document["id"], person, worker.headers)


ENDS = pytest.mark.parametrize("end", ["content", "preview"])


@ENDS
async def test_the_recipient_reads(client: httpx.AsyncClient, shared: Shared, end: str) -> None:
    answer = await client.get(shared.path(end), headers=shared.headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    kind = {"content": "attachment", "preview": "inline"}[end]
    assert answer.headers["content-disposition"].startswith(kind)
    assert len(answer.content) == int(answer.headers["content-length"])


async def test_only_the_content_is_given_by_ranges(
    client: httpx.AsyncClient, shared: Shared
) -> None:
    headers = {**shared.headers, "Range": "bytes=10-19"}
    assert (await client.get(shared.path("content"), headers=headers)).status_code == 206
    assert (await client.get(shared.path("preview"), headers=headers)).status_code == 200
    endless = {**shared.headers, "Range": "bytes=" + "0" * 300 + "-"}
    answer = await client.get(shared.path("content"), headers=endless)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_invalid")


@ENDS
async def test_other_methods_are_not_allowed(
    client: httpx.AsyncClient, management: httpx.AsyncClient, shared: Shared, end: str
) -> None:
    methods = ("POST", "PUT", "PATCH", "DELETE")
    for method in methods:
        answer = await client.request(method, shared.path(end), headers=shared.headers)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert answer.json()["code"] == "method_not_allowed"
    measures = (await management.get("/metrics")).text
    for method in methods:
        assert f'method="{method}",route="{TEMPLATE}/{end}",status="405"' in measures
    assert shared.grant not in measures


@ENDS
async def test_unknown_and_malformed_ids_answer_alike(
    client: httpx.AsyncClient, management: httpx.AsyncClient, shared: Shared, end: str
) -> None:
    for name in (str(uuid.uuid4()), "nope", "0", "é", "a" * 3000):
        for path in (shared.path(end, grant=name), shared.path(end, document=name)):
            answer = await client.get(path, headers=shared.headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    measures = (await management.get("/metrics")).text
    assert f'method="GET",route="{TEMPLATE}/{end}",status="404"' in measures


@ENDS
async def test_nobody_reads(client: httpx.AsyncClient, shared: Shared, end: str) -> None:
    token = shared.headers["Authorization"].encode()
    for authorizations in ((), (b"Basic abc",), (b"Bearer a.b.c",), (b"Bearer x",), (token, token)):
        headers = [(b"Authorization", value) for value in authorizations]
        answer = await client.get(shared.path(end), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        sent = any(value.startswith(b"Bearer") for value in authorizations)
        assert ('error="invalid_token"' in answer.headers["www-authenticate"]) is sent
    # A malformed id is checked first.
    answer = await client.get(shared.path(end, grant="nope"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@ENDS
async def test_a_person_is_not_a_recipient(
    client: httpx.AsyncClient, shared: Shared, end: str
) -> None:
    answer = await client.get(shared.path(end), headers=shared.person.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_caller")


@ENDS
async def test_the_handler_is_given_all_that_its_description_says(
    client: httpx.AsyncClient, shared: Shared, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    described = signature(getattr(grant_documents, end))

    async def given(*values: object) -> JSONResponse:
        return JSONResponse(list(described.bind(*values).arguments))

    monkeypatch.setattr(grant_documents, end, given)
    answer = await client.get(shared.path(end), headers=shared.headers)
    assert answer.json() == list(described.parameters)
