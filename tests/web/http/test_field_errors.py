"""`errors` of a problem: each wrong field by its place, all at once, without what was sent."""

from typing import Any

import httpx
import pytest

from base.errors import ServiceError, about, invalid
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import ask, deposit, request_body
from tests.vault.decoding import corpus
from web.http.field_errors import pointer

PDF = corpus.pdf(1)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ((), "#"), (("foo",), "#/foo"), (("foo", 0), "#/foo/0"), (("",), "#/"),
        (("a/b",), "#/a~1b"), (("c%d",), "#/c%25d"), (("e^f",), "#/e%5Ef"), ((" ",), "#/%20"),
        (("m~n",), "#/m~0n"), (("~1",), "#/~01"), (("é",), "#/%C3%A9"),
    ],
)  # fmt: skip
def test_a_pointer_is_a_uri_fragment(path: tuple[str | int, ...], written: str) -> None:
    """The examples of RFC 6901 §6, among others."""
    assert pointer(path) == written


def test_what_is_wrong_within_a_field_is_named_within_it() -> None:
    with pytest.raises(ServiceError) as caught, about("scope"), about("types", 2):
        raise invalid("x")
    assert caught.value.fields == (("scope", "types", 2),)
    with pytest.raises(ServiceError) as caught, about("file", 0):
        raise invalid("x", fields=[("name",), ("size",)])
    assert caught.value.fields == (("file", 0, "name"), ("file", 0, "size"))


def places(answer: httpx.Response) -> list[tuple[str, str]]:
    """Where, and the code."""
    assert answer.status_code == 422, answer.text
    return [(next(iter(error.values())), error["code"]) for error in answer.json()["errors"]]


async def test_all_the_fields_of_a_body_are_named_at_once(
    client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    body: dict[str, Any] = request_body("+33612345678", "payslip") | {
        "person": {},
        "scope": {"document_types": ["x" * 65, ""], "document_ids": ["x"], "actions": ["own"]},
        "may_store": "perhaps",
        "purpose": {"code": "housing", "text": "x" * 501},
        "extra": 1,
        "more": 2,
    }
    del body["duration"]
    headers = (await make_worker()).headers
    answer = await client.post("/v1/consent-requests", headers=headers, json=body)
    assert set(places(answer)) == {
        ("#/person", "exactly_one"),
        ("#/scope/document_types/0", "too_long"),
        ("#/scope/document_types/1", "too_short"),
        ("#/scope/document_ids/0", "wrong_form"),
        ("#/scope/actions/0", "not_in_list"),
        ("#/may_store", "wrong_form"),
        ("#/purpose/text", "too_long"),
        ("#/duration", "required"),
        ("#", "unknown"),
    }
    assert len(places(answer)) == 9


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("fr", "C’est trop long : 500 au plus."), ("en", "This is too long: 500 at most.")],
)
async def test_each_error_is_a_sentence_in_the_callers_language(
    client: httpx.AsyncClient, make_worker: MakeWorker, language: str, sentence: str
) -> None:
    headers = {**(await make_worker()).headers, "Accept-Language": language}
    purpose = {"code": "housing", "text": "x" * 501}
    body = request_body("+33612345678", "payslip", purpose=purpose)
    answer = await client.post("/v1/consent-requests", headers=headers, json=body)
    assert answer.json()["errors"] == [
        {"pointer": "#/purpose/text", "code": "too_long", "detail": sentence}
    ]


GRANTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "to nobody": ({"recipient": {}}, ["#/recipient"]),
    "to two": ({"recipient": {"worker_email": "a@b.fr", "client_id": "x"}}, ["#/recipient"]),
    "to no address": ({"recipient": {"worker_email": "x"}}, ["#/recipient/worker_email"]),
    "to a stranger": ({"recipient": {"client_id": "nobody"}}, ["#/recipient"]),
    "of another's paper": (
        {"scope": {"document_ids": ["01890000-0000-7000-8000-000000000001"], "actions": ["read"]}},
        ["#/scope/document_ids/0"],
    ),
    "of a sensitive type": (
        {"scope": {"document_types": ["payslip", "residence_permit"], "actions": ["read"]}},
        ["#/scope/document_types/1"],
    ),
    "for too long": ({"duration": "P2Y"}, ["#/duration"]),
    "without a reason": ({"purpose": {"code": "x", "text": "y"}}, ["#/purpose/code"]),
}


@pytest.mark.parametrize("name", GRANTS)
async def test_a_grant_names_what_is_wrong(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, name: str
) -> None:
    changes, expected = GRANTS[name]
    person, worker = await make_person(), await make_worker()
    body = {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Un logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=body | changes)
    assert [place for place, _ in places(answer)] == expected


APPROVALS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "longer": ({"duration": "P2M"}, ["#/duration"]),
    "no duration": ({"duration": "soon"}, ["#/duration"]),
    "kept": ({"may_store": True}, ["#/may_store"]),
    "another act": ({"scope": {"actions": ["deposit"]}}, ["#/scope"]),
    "another type": ({"scope": {"document_types": ["birth_certificate"]}}, ["#/scope"]),
    "nothing": ({"scope": {"document_types": []}}, ["#/scope"]),
    "another's paper": (
        {"scope": {"document_ids": ["01890000-0000-7000-8000-000000000001"]}},
        ["#/scope/document_ids/0"],
    ),
}


@pytest.mark.parametrize("name", APPROVALS)
async def test_an_approval_names_what_is_wrong(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, name: str
) -> None:
    changes, expected = APPROVALS[name]
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    answer = await client.post(
        f"/v1/consent-requests/{request}/approve", headers=person.headers, json=changes
    )
    assert [place for place, _ in places(answer)] == expected


async def test_approving_what_cannot_be_granted_whole_points_at_the_scope(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The type is in the request, not in the body: the body's scope is where to pick."""
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "residence_permit")
    path = f"/v1/consent-requests/{request}/approve"
    for body in ({}, {"scope": {"actions": ["read"]}}):
        answer = await client.post(path, headers=person.headers, json=body)
        assert places(answer) == [("#/scope", "sensitive_by_type")]


FORMS: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "three": (
        {"issued_on": "tomorrow", "expires_on": "x", "sensitive": "perhaps"},
        [
            ("#/type", "required"), ("#/issued_on", "wrong_form"), ("#/expires_on", "wrong_form"),
            ("#/sensitive", "wrong_form"),
        ],
    ),
    "unknown": ({"type": "payslip", "colour": "crimson"}, [("#", "unknown")]),
    "no such type": ({"type": "nothing"}, [("#/type", "unknown_document_type")]),
    "too long": ({"type": "payslip", "title": "x" * 300}, [("#/title", "text_too_long")]),
    "reversed": (
        {"type": "payslip", "issued_on": "2026-02-01", "expires_on": "2026-01-01"},
        [("#/issued_on", "expires_before_issued"), ("#/expires_on", "expires_before_issued")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_is_named_as_a_body(
    client: httpx.AsyncClient, make_person: MakePerson, name: str
) -> None:
    fields, expected = FORMS[name]
    person = await make_person()
    answer = await client.post(
        "/v1/documents", headers=person.headers, files={"file": PDF}, data=fields
    )
    assert places(answer) == expected
    assert "crimson" not in answer.text


async def test_a_field_that_is_known_is_named_when_it_comes_twice_or_too_long(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Any other name may be anything: the form itself is named."""
    person = await make_person()
    for field, expected in (("title", "#/title"), ("amina", "#")):
        twice: list[tuple[str, Any]] = [(field, (None, "a")), (field, (None, "b"))]
        long: list[tuple[str, Any]] = [(field, (None, "a" * 9000))]
        for parts, code in ((twice, "repeated_field"), (long, "field_too_large")):
            answer = await client.post("/v1/documents", headers=person.headers, files=parts)
            assert answer.json()["code"] == code
            assert [error["pointer"] for error in answer.json()["errors"]] == [expected]
            assert "amina" not in answer.text
    other = {"scan": ("x.pdf", PDF)}
    answer = await client.post("/v1/documents", headers=person.headers, files=other)
    assert places(answer) == [("#", "unknown_field")]


async def test_a_newer_content_has_files_and_nothing_else(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """What would be ignored is refused, and the document stays as it is."""
    person = await make_person()
    document = await deposit(client, person, PDF)
    path = f"/v1/documents/{document['id']}"
    answer = await client.post(
        f"{path}/versions",
        headers=person.headers,
        files={"file": corpus.pdf(2)},
        data={"title": "Autre"},
    )
    assert places(answer) == [("#", "invalid_field")]
    kept = (await client.get(path, headers=person.headers)).json()
    assert kept["version"] == document["version"]


async def test_a_file_is_named_by_its_position(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    photo = corpus.noisy_jpeg(20_000)
    for files, status, place in (
        ([PDF, b""], 422, "#/file/1"),
        ([b"not a paper at all" * 100], 415, "#/file/0"),
        ([photo, b"\xff\xd8\xff\xe0" + b"\0" * 5000], 422, "#/file/1"),
    ):
        answer = await client.post(
            "/v1/documents",
            headers=person.headers,
            files=[("file", (f"{n}.jpg", data)) for n, data in enumerate(files)],
            data={"type": "payslip"},
        )
        assert answer.status_code == status, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [place]
    none = await client.post(
        "/v1/documents", headers=person.headers, files={"type": (None, "payslip")}
    )
    assert places(none) == [("#/file", "file_missing")]


async def test_parameters_and_headers_are_named_as_such(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    unknown = "01890000-0000-7000-8000-000000000001"
    for headers, path, error in (
        (
            person.headers,
            "/v1/documents?cursor=x",
            {"parameter": "cursor", "code": "cursor_invalid"},
        ),
        (person.headers, "/v1/documents?limit=0", {"parameter": "limit", "code": "out_of_range"}),
        (person.headers, "/v1/grants?state=odd", {"parameter": "state", "code": "not_in_list"}),
        (
            worker.headers,
            f"/v1/grants/{unknown}/evidence?type=odd",
            {"parameter": "type", "code": "unknown_document_type"},
        ),
        (
            worker.headers,
            f"/v1/grants/{unknown}/evidence",
            {"parameter": "type", "code": "required"},
        ),
        (
            worker.headers,
            "/v1/organisation/activity?month=2026-13",
            {"parameter": "month", "code": "month_invalid"},
        ),
    ):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 422
        assert [
            {name: value for name, value in found.items() if name != "detail"}
            for found in answer.json()["errors"]
        ] == [error]
    keyed = {**worker.headers, "Idempotency-Key": "a\tb"}
    body = request_body(person.phone, "payslip")
    answer = await client.post("/v1/consent-requests", headers=keyed, json=body)
    assert [error["header"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_sign_ins_and_corrections_name_their_fields(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, PDF)
    for body, expected in (
        ({"phone": "x"}, ["#/phone"]),
        ({"email": "x"}, ["#/email"]),
        ({}, ["#/phone", "#/email"]),
    ):
        answer = await client.post("/v1/sign-ins", json=body)
        assert [place for place, _ in places(answer)] == expected
    for change, expected in (
        ({"type": None}, ["#/type"]),
        ({"sensitive": None}, ["#/sensitive"]),
        ({"title": "x" * 201}, ["#/title"]),
        ({"paper_location": "x" * 201}, ["#/paper_location"]),
        ({"type": "odd"}, ["#/type"]),
    ):
        path = f"/v1/documents/{document['id']}"
        answer = await client.patch(path, headers=person.headers, json=change)
        assert [place for place, _ in places(answer)] == expected


async def test_what_is_not_there_names_no_field(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Nor does a body that cannot be read, nor a caller who is nobody."""
    person = await make_person()
    json_body = {**person.headers, "Content-Type": "application/json"}
    answers = [
        await client.get("/v1/documents/nope", headers=person.headers),
        await client.get("/v1/documents"),
        await client.post("/v1/grants", headers=json_body, content=b"{"),
    ]
    for answer in answers:
        assert "errors" not in answer.json()
