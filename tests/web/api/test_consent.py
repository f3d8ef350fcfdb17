"""Consent over HTTP: the bodies of the contract, their answers and their refusals."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker, new_phone
from tests.vault.consent.steps import make_document
from vault.services import Services


def request_body(phone: str, **changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "person": {"phone": phone},
        "scope": {
            "document_types": ["income_tax_notice"],
            "document_ids": [],
            "actions": ["read"],
        },
        "purpose": {"code": "housing", "text": "Demande de logement social"},
        "legal_basis": "consent",
        "duration": "P1M",
        "may_store": False,
        "contact": {"name": "Inès Moreau", "job": "AS", "phone": "01 48 70 60 00", "hours": "9-12"},
    }
    return body | changed


async def send_request(
    client: httpx.AsyncClient, worker: SomeWorker, phone: str, **changed: Any
) -> Any:
    answer = await client.post(
        "/v1/consent-requests", json=request_body(phone, **changed), headers=worker.headers
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def phone_without_overseas() -> str:
    """A phone number with only one way of writing it."""
    return new_phone()[:4] + "1" + new_phone()[5:]


async def a_person(make_person: MakePerson) -> SomePerson:
    return await make_person(phone_without_overseas())


async def test_from_the_question_to_the_withdrawal(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await a_person(make_person), await make_worker()
    tax = await make_document(services, person.subject, "income_tax_notice")
    # 1. Sent, and read by both.
    sent = await send_request(client, worker, person.phone)
    assert set(sent) == {"id", "state", "lapses_at"}
    mine = (await client.get("/v1/consent-requests", headers=person.headers)).json()
    (item,) = mine["items"]
    assert item["requester"]["job"] == "Assistante sociale"
    assert item["requester"]["contact"]["hours"] == "9-12"
    assert item["covers"] == [
        {
            "type": "income_tax_notice",
            "sensitive": False,
            "document_ids": [str(tax)],
            "sensitive_ids": [],
        }
    ]
    theirs = (await client.get("/v1/consent-requests", headers=worker.headers)).json()
    assert theirs["items"][0]["person"] == {"phone": person.phone, "meeting": None}
    assert theirs["items"][0]["state"] == "waiting"
    # 2. Approved, for a shorter time.
    approving = f"/v1/consent-requests/{sent['id']}/approve"
    answer = await client.post(approving, json={"duration": "P1W"}, headers=person.headers)
    assert answer.status_code == 201, answer.text
    grant = answer.json()
    assert grant["recipient"]["id"] == str(worker.id)
    assert grant["scope"]["document_types"] == ["income_tax_notice"]
    assert grant["duration"] == "P1W"
    assert person.phone not in answer.text
    await used_and_withdrawn(client, person, worker, grant)


async def used_and_withdrawn(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, grant: dict[str, Any]
) -> None:
    # 3. Used for evidence, its receipt read.
    path = f"/v1/grants/{grant['id']}"
    evidence = await client.get(
        f"{path}/evidence", params={"type": "income_tax_notice"}, headers=worker.headers
    )
    assert evidence.json()["held"] is True
    receipt = await client.get(f"{path}/receipt", headers=worker.headers)
    assert receipt.headers["content-type"] == "application/ld+json"
    assert receipt.json()["@type"] == "dpv:ConsentRecord"
    for subject in (person, worker):
        listed = await client.get("/v1/grants", headers=subject.headers)
        assert [each["id"] for each in listed.json()["items"]] == [grant["id"]]
        assert (await client.get(path, headers=subject.headers)).json() == grant
    # 4. Revoked, twice.
    for _ in range(2):
        revoked = await client.post(f"{path}/revoke", headers=person.headers)
        assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    after = await client.get(
        f"{path}/evidence", params={"type": "income_tax_notice"}, headers=worker.headers
    )
    assert (after.status_code, after.json()["code"]) == (403, "grant_revoked")
    assert after.headers["cache-control"] == "no-store"


async def test_refusing_is_silent(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await a_person(make_person), await make_worker()
    sent = await send_request(client, worker, person.phone)
    path = f"/v1/consent-requests/{sent['id']}"
    before = (await client.get(path, headers=worker.headers)).json()
    answer = await client.post(f"{path}/refuse", json={"reason": "not_me"}, headers=person.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(path, headers=worker.headers)).json() == before
    assert (await client.get(path, headers=person.headers)).json()["state"] == "not_me"
    again = await client.post(f"{path}/approve", headers=person.headers)
    assert (again.status_code, again.json()["code"]) == (409, "request_answered")


async def test_a_person_gives_unasked(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await a_person(make_person), await make_worker()
    body = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_types": ["payslip"], "actions": ["attest"]},
        "purpose": {"code": "housing", "text": "Mon dossier"},
        "duration": "P3M",
        "covers_future": True,
    }
    headers = person.headers | {"Idempotency-Key": str(new_id())}
    first = await client.post("/v1/grants", json=body, headers=headers)
    again = await client.post("/v1/grants", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["covers_future"] is True
    other = await client.post("/v1/grants", json=body | {"duration": "P1M"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    two = {"worker_email": worker.email, "client_id": "caf"}
    both = await client.post("/v1/grants", json=body | {"recipient": two}, headers=person.headers)
    assert both.status_code == 422


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"surprise": 1}, 422, "invalid_request"),
        ({"person": {"phone": "+33612345678", "name": "x"}}, 422, "invalid_request"),
        ({"person": {"phone": "not a phone"}}, 422, "phone_invalid"),
        ({"legal_basis": "none"}, 422, "unknown_legal_basis"),
        ({"duration": "P2Y"}, 422, "duration_too_long"),
        ({"duration": "1 month"}, 422, "duration_invalid"),
        ({"purpose": {"code": "housing", "text": "\u202e\u200b "}}, 422, "text_empty"),
        ({"purpose": {"code": "housing", "text": "a" * 501}}, 422, "invalid_request"),
        ({"scope": {"document_types": ["nothing"], "actions": ["read"]}}, 422,
         "unknown_document_type"),
        ({"scope": {"document_types": [], "actions": ["read"]}}, 422, "scope_empty"),
        ({"scope": {"document_types": ["payslip"], "actions": []}}, 422, "invalid_request"),
        ({"scope": {"document_types": ["payslip"], "actions": ["own"]}}, 422, "invalid_request"),
        ({"scope": {"document_types": ["payslip"] * 51, "actions": ["read"]}}, 422,
         "invalid_request"),
        ({"scope": {"document_ids": ["x"], "actions": ["read"]}}, 422, "invalid_request"),
    ],
)  # fmt: skip
async def test_a_wrong_question_is_a_problem_that_says_what_to_do(
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
    changed: dict[str, Any],
    status: int,
    code: str,
) -> None:
    worker = await make_worker()
    body = request_body("+33612345678", **changed)
    answer = await client.post("/v1/consent-requests", json=body, headers=worker.headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["what_to_do"]


async def test_widening_is_422_and_unknown_or_malformed_ids_are_one_404(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await a_person(make_person), await make_worker()
    sent = await send_request(client, worker, person.phone)
    path = f"/v1/consent-requests/{sent['id']}/approve"
    for body in (
        {"scope": {"document_types": ["passport"]}},
        {"scope": {"actions": ["read", "deposit"]}},
        {"duration": "P2M"},
        {"may_store": True},
    ):
        answer = await client.post(path, json=body, headers=person.headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "scope_widened")
    other = await a_person(make_person)
    answers = []
    for request_id in (sent["id"], str(UUID(int=1)), "nonsense"):
        answer = await client.post(
            f"/v1/consent-requests/{request_id}/approve", headers=other.headers
        )
        problem = answer.json()
        del problem["request_id"]
        answers.append((answer.status_code, problem))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404


async def test_each_side_keeps_to_its_own_addresses(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await a_person(make_person), await make_worker()
    body = request_body("+33612345678")
    by_person = await client.post("/v1/consent-requests", json=body, headers=person.headers)
    assert (by_person.status_code, by_person.json()["code"]) == (403, "wrong_caller")
    path = f"/v1/grants/{new_id()}/revoke"
    assert (await client.post(path, headers=worker.headers)).status_code == 403
    assert (await client.get("/v1/grants")).status_code == 401
