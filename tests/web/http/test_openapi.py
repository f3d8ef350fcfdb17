"""The description of the API says what the service does: names, lists, answers, who may call."""

import json
import re
from typing import Any

import httpx
import jsonschema_rs
import pytest

from audit.events import Action, ActorKind, Outcome
from auth.visitor import DEVICES
from tests.fixtures import MakePerson
from vault import catalogue
from vault.decoding.media import MediaType, Note
from vault.rules import GrantAction, Reason
from web.http.problem_codes import CODES, STATUS_OF
from web.http.problems import problem
from web.pages.labels import REASONS
from web.tools.openapi import described

Described = dict[str, Any]


@pytest.fixture(scope="module")
def api() -> Described:
    document: Described = json.loads(described())
    return document


def operations(api: Described) -> dict[str, Described]:
    """Each operation by its id."""
    found = [each for ways in api["paths"].values() for each in ways.values()]
    return {operation["operationId"]: operation for operation in found}


def test_operation_ids_are_unique_verbs_of_a_client(api: Described) -> None:
    count = sum(len(ways) for ways in api["paths"].values())
    found = operations(api)
    assert len(found) == count
    for name in found:
        assert re.fullmatch(r"[a-z]+(?:[A-Z][a-z]+)+", name), name
    assert {"listGrants", "approveConsentRequest", "getDocumentContent"} <= set(found)


def test_each_operation_says_who_may_call_and_under_what_heading(api: Described) -> None:
    tags = {tag["name"] for tag in api["tags"]}
    assert all(tag["description"] for tag in api["tags"])
    public = set()
    for name, operation in operations(api).items():
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= tags, name
        assert operation["summary"], name
        assert operation["security"] in ([], [{"bearer": []}]), name
        if operation["security"] == []:
            public.add(name)
    assert {"startSignIn", "finishSignIn", "issueToken", "listDocumentTypes"} <= public
    assert not {"listGrants", "getDocument", "sendConsentRequest", "getMe"} & public


SIGN_IN_REASONS = [
    "too_many_wrong_codes", "vault_asleep", "pin_wrong", "card_barred", "pin_weak", "last_means",
    "phone_not_added", "proof_needed", "proof_wrong", "too_many_proofs", "session_too_short",
    "too_many_pins", "changed_meanwhile", "card_stopped", "card_not_barred", "freed_too_often",
    "too_many_cards", "too_many_anchors", "join_over", "join_not_now",
    "too_many_trusted", "trusted_over", "trusted_too_new", "recovery_not_yet", "recovery_stopped",
    "recovery_over", "recovery_rival", "warning_unsent",
    "too_many_representatives", "representation_over",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DocumentTypeCode", [each.code for each in catalogue.document_types()]),
        ("FamilyCode", [each.code for each in catalogue.families()]),
        ("PurposeCode", [each.code for each in catalogue.purposes()]),
        ("LegalBasisCode", [each.code for each in catalogue.legal_bases()]),
        ("SensitiveKind", list(catalogue.SensitiveKind)),
        ("GrantAction", list(GrantAction)),
        ("MediaType", list(MediaType)),
        ("FileNote", list(Note)),
        ("DeviceWord", list(DEVICES)),
        ("LoggedAction", list(Action)),
        ("LoggedOutcome", list(Outcome)),
        ("LoggedActorKind", list(ActorKind)),
        ("RefusalReason", [*Reason, *SIGN_IN_REASONS]),
        ("ProblemCode", sorted(STATUS_OF)),
    ],
)
def test_closed_lists_are_enumerated(api: Described, name: str, words: list[str]) -> None:
    assert set(api["components"]["schemas"][name]["enum"]) == {str(word) for word in words}


def test_each_reason_that_is_read_in_the_log_is_enumerated(api: Described) -> None:
    listed = set(api["components"]["schemas"]["RefusalReason"]["enum"])
    assert set(REASONS) <= listed


def test_no_code_is_a_free_text(api: Described) -> None:
    """Whatever names a type, a purpose, a basis, an act or a reason refers to its list."""
    lists = {
        "type": "DocumentTypeCode",
        "document_types": "DocumentTypeCode",
        "purpose_code": "PurposeCode",
        "legal_basis": "LegalBasisCode",
        "action": "LoggedAction",
        "actions": "GrantAction",
        "outcome": "LoggedOutcome",
    }
    seen = 0
    for name, schema in api["components"]["schemas"].items():
        for field, shape in schema.get("properties", {}).items():
            if field in lists and name != "Problem":
                seen += 1
                assert f"#/components/schemas/{lists[field]}" in json.dumps(shape), (name, field)
    assert seen >= 20


def test_each_problem_is_as_described(api: Described) -> None:
    """Its code is enumerated, and the answer of its status names it."""
    schema = {"$ref": "#/components/schemas/Problem", "components": api["components"]}
    validator = jsonschema_rs.validator_for(schema)
    named = {
        answer["content"]["application/problem+json"]["example"]["status"]: answer["description"]
        for answer in api["components"]["responses"].values()
    }
    assert set(CODES) - set(named) == {405, 500}
    for code, status in STATUS_OF.items():
        answer = problem(code, status, language="fr", request_id="a-request")
        validator.validate(json.loads(bytes(answer.body)))
        if status in named:
            assert f"`{code}`" in named[status]
    for answer in api["components"]["responses"].values():
        validator.validate(answer["content"]["application/problem+json"]["example"])
    of_a_page = problem("form_expired", 403, language="fr", request_id="a-request")
    with pytest.raises(jsonschema_rs.ValidationError):
        validator.validate(json.loads(bytes(of_a_page.body)))


async def test_it_is_served_as_it_is_written(client: httpx.AsyncClient, api: Described) -> None:
    answer = await client.get("/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == api
    assert api["servers"][0]["url"] == "/"
    assert api["info"]["license"]["identifier"] == "EUPL-1.2"


async def test_a_word_that_is_not_in_the_list_keeps_its_own_error(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """The lists describe; the rules refuse, each with its code."""
    person = await make_person()
    body = {
        "recipient": {"worker_email": "a@b.example"},
        "scope": {"document_types": ["unheard_of"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Un logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", json=body, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_document_type")
    body["scope"] = {"document_types": ["payslip"], "actions": ["read"]}
    body["purpose"] = {"code": "unheard_of", "text": "Un logement"}
    answer = await client.post("/v1/grants", json=body, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_purpose")
