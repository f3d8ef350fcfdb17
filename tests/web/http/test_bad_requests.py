"""Broken and strange requests: each is a problem that says what to do, repeats nothing of the
request, changes nothing, and is never a failure of ours."""

import json
from typing import Any

import httpx
import pytest
import structlog

from tests.fixtures import MakePerson, MakeWorker
from tests.steps import counted, deposit, request_body
from tests.vault.decoding import corpus
from vault.services import Services

SECRET = "Jean-Valjean-24601"

BROKEN = {
    "cut": b'{"person": {"phone": "+336',
    "empty": b"",
    "not utf-8": b'{"person": "\xff\xfe"}',
    "a list": b"[]",
    "null": b"null",
    "deep": b"[" * 30_000 + b"]" * 30_000,
    "not a number": b'{"duration": NaN}',
    "huge number": b'{"duration": 1e999999}',
    "many digits": b'{"duration": ' + b"9" * 20_000 + b"}",
    "lone surrogate": b'{"duration": "\\ud800"}',
    "form": f"person={SECRET}".encode(),
}
# The field and what it is given; then where the answer says that it is wrong.
WRONG: dict[str, tuple[str, Any, list[str]]] = {
    "unknown field": ("surname", SECRET, ["#"]),
    "unknown nested field": ("person", {"phone": "+33612345678", "name": SECRET}, ["#/person"]),
    "not a phone": ("person", {"phone": SECRET}, ["#/person/phone"]),
    "phone of another script": (
        "person",
        {"phone": "+３３６１２３４５６７８９０１２"},
        ["#/person/phone"],
    ),
    "too many types": (
        "scope",
        {"document_types": [SECRET] * 60, "actions": ["read"]},
        ["#/scope/document_types"],
    ),
    "unknown types": (
        "scope",
        {"document_types": ["payslip", "payslip", SECRET, "x"], "actions": ["read"]},
        ["#/scope/document_types/2", "#/scope/document_types/3"],
    ),
    "unknown action": (
        "scope",
        {"document_types": ["payslip"], "actions": ["read", SECRET]},
        ["#/scope/actions/1"],
    ),
    "no action": ("scope", {"document_types": ["payslip"], "actions": []}, ["#/scope/actions"]),
    "nothing asked": ("scope", {"document_types": [], "actions": ["read"]}, ["#/scope"]),
    "unknown purpose": ("purpose", {"code": SECRET, "text": "x"}, ["#/purpose/code"]),
    "empty purpose": ("purpose", {"code": "housing", "text": " "}, ["#/purpose/text"]),
    "endless purpose": ("purpose", {"code": "housing", "text": SECRET * 1000}, ["#/purpose/text"]),
    "no contact": ("contact", {"name": " ", "job": "x"}, ["#/contact/name"]),
    "no duration": ("duration", SECRET, ["#/duration"]),
    "negative duration": ("duration", "-P1M", ["#/duration"]),
    "thirteen months": ("duration", "P13M", ["#/duration"]),
    "a year and a second": ("duration", "P1YT1S", ["#/duration"]),
    "no time": ("duration", "P0D", ["#/duration"]),
    "centuries": ("duration", "P99999999999Y", ["#/duration"]),
    "unknown basis": ("legal_basis", SECRET, ["#/legal_basis"]),
    "kept without leave": ("store_for", "P1M", ["#/store_for"]),
    "kept for ever": ("store_for", "for ever", ["#/store_for"]),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_json_is_a_problem(
    name: str, services: Services, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    before = await counted(services, "consent_request")
    headers = {**worker.headers, "Content-Type": "application/json"}
    answer = await client.post("/v1/consent-requests", headers=headers, content=BROKEN[name])
    _is_problem(answer, {400, 413, 422})
    assert await counted(services, "consent_request") == before


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_field_is_named_and_its_value_repeated_nowhere(
    name: str, services: Services, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    before = await counted(services, "consent_request")
    field, value, places = WRONG[name]
    body = request_body("+33612345678", "payslip") | {field: value}
    with structlog.testing.capture_logs() as logs:
        answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    _is_problem(answer, {422})
    assert [error["pointer"] for error in answer.json()["errors"]] == places
    assert SECRET not in json.dumps(logs, default=str)
    assert await counted(services, "consent_request") == before


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_another_content_type_is_refused(
    media_type: str | None, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    """It is said what is wrong: `curl -d` announces a form."""
    worker = await make_worker()
    body = json.dumps(request_body("+33612345678", "payslip"))
    headers = worker.headers | ({"Content-Type": media_type} if media_type else {})
    answer = await client.post("/v1/consent-requests", headers=headers, content=body)
    _is_problem(answer, {415})
    assert answer.json()["code"] == "wrong_media_type"


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/x+json"])
async def test_json_of_the_wrong_form_is_told_so(
    media_type: str, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    headers = worker.headers | {"Content-Type": media_type}
    answer = await client.post("/v1/consent-requests", headers=headers, content="[1]")
    _is_problem(answer, {422})


@pytest.mark.parametrize("length", [65_000, 70_000, 10_000_000])
async def test_a_body_too_long_is_not_held(
    length: int, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    body = request_body("+33612345678", "payslip") | {"more": "x" * length}
    answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    _is_problem(answer, {422} if length < 65_536 else {413})


@pytest.mark.parametrize(
    "token",
    ["", "x", "Bearer", "Bearer x y", "Basic eDp4", "Bearer " + "a" * 5000, "Bearer a.b.c",
     "bearer é", "Bearer ..", "Bearer eyJhbGciOiJub25lIn0.e30."],
)  # fmt: skip
async def test_a_strange_token_is_nobodys(token: str, client: httpx.AsyncClient) -> None:
    headers = {b"Authorization": token.encode()}
    answer = await client.get("/v1/documents", headers=headers)  # type: ignore[arg-type]  # raw bytes
    _is_problem(answer, {401})
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=1e3", "cursor=x", "cursor=%00",
     "cursor=é", "cursor=AAAA", "deleted=perhaps", "cursor=" + "a" * 300],
)  # fmt: skip
async def test_a_strange_query_is_a_problem(
    query: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    for path in ("/v1/documents", "/v1/access-log", "/v1/grants", "/v1/consent-requests"):
        if query.startswith("deleted") and path != "/v1/documents":
            continue
        answer = await client.get(f"{path}?{query}", headers=person.headers)
        _is_problem(answer, {422})


@pytest.mark.parametrize(
    "change",
    [{"title": "a\x00b"}, {"title": "\u202egnirts"}, {"title": "😀" * 1000}, {"title": " "},
     {"paper_location": "\u2066../\u2069"}, {"title": None}],
)  # fmt: skip
async def test_words_are_made_safe_before_they_are_kept(
    change: dict[str, str | None], client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1), title="Avant")
    path = f"/v1/documents/{document['id']}"
    answer = await client.patch(path, headers=person.headers, json=change)
    assert answer.status_code in {200, 422}, answer.text
    kept = (await client.get(path, headers=person.headers)).json()
    for word in (kept["title"], kept["paper_location"]):
        assert word is None or not set(word) & set("\0\u202e\u2066\u2069")
        assert word is None or len(word) <= 200


async def test_a_correction_of_a_state_that_changed_is_refused(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    path = f"/v1/documents/{document['id']}"
    seen = (await client.get(path, headers=person.headers)).headers["etag"]
    first = await client.patch(
        path, headers={**person.headers, "If-Match": seen}, json={"title": "Un"}
    )
    assert first.status_code == 200
    for tag in (seen, '"x"', "W/" + seen):
        late = await client.patch(
            path, headers={**person.headers, "If-Match": tag}, json={"title": "Deux"}
        )
        _is_problem(late, {412})
    assert (await client.get(path, headers=person.headers)).json()["title"] == "Un"


def _is_problem(answer: httpx.Response, statuses: set[int]) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["what_to_do"]
    assert problem["detail"]
    assert SECRET not in answer.text
