"""Malformed forms, and wrong fields with a valid file: refused with a problem, nothing kept."""

import httpx
import pytest

from tests.fixtures import MakePerson
from tests.steps import blobs, counted, is_problem
from tests.vault.decoding import corpus
from vault.services import Services

PDF = corpus.pdf(1)

WRONG_FORMS = {
    "no boundary": ("multipart/form-data", b"--b--\r\n", 415, "form_expected"),
    "another type": ("application/pdf", b"%PDF-1.7", 415, "form_expected"),
    "json": ("application/json", b"{}", 422, "invalid_request"),
    "endless boundary": (f"multipart/form-data; boundary={'b' * 500}", b"", 415, "form_expected"),
    "nothing": ("multipart/form-data; boundary=b", b"", 400, "malformed_form"),
    "not a form": ("multipart/form-data; boundary=b", b"hello", 400, "malformed_form"),
    "wrong boundary": ("multipart/form-data; boundary=b", b"--c\r\n\r\n--c--", 400, None),
    "no end": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-1.7\n',
        400,
        "malformed_form",
    ),
    "no disposition": (
        "multipart/form-data; boundary=b",
        b"--b\r\nX-Y: z\r\n\r\na\r\n--b--\r\n",
        400,
        "malformed_form",
    ),
    "transfer encoding": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n",
        400,
        "part_encoded",
    ),
    "headers without end": (
        "multipart/form-data; boundary=b",
        b"--b\r\n" + b"A: b\r\n" * 5000,
        400,
        "malformed_form",
    ),
    "a huge field": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n' + b"a" * 20_000,
        413,
        "field_too_large",
    ),
    "a field that is not text": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n\xff\xfe\r\n--b--\r\n',
        400,
        "malformed_form",
    ),
    "a field twice": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\na\r\n' * 2 + b"--b--\r\n",
        422,
        "repeated_field",
    ),
    "a thousand fields": (
        "multipart/form-data; boundary=b",
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\na\r\n' % n
            for n in range(1000)
        )
        + b"--b--\r\n",
        422,
        "too_many_fields",
    ),
    "no file": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\npayslip\r\n--b--\r\n',
        422,
        "file_missing",
    ),
    "a file under another name": (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"; filename="a"\r\n\r\na\r\n--b--\r\n',
        422,
        "unknown_field",
    ),
}


@pytest.mark.parametrize("name", WRONG_FORMS)
async def test_a_wrong_form_is_a_problem_and_leaves_nothing(
    name: str, services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    kind, body, status, code = WRONG_FORMS[name]
    person, before = await make_person(), await blobs(services)
    answer = await client.post(
        "/v1/documents", headers={**person.headers, "Content-Type": kind}, content=body
    )
    is_problem(answer, status, code)
    assert await counted(services, "document", person) == 0
    assert await blobs(services) == before


FIELDS = {
    "no type": ({}, "type_missing"),
    "an unknown type": ({"type": "nothing_like_it"}, "unknown_document_type"),
    "an unknown field": ({"type": "payslip", "colour": "red"}, "invalid_field"),
    "no date": ({"type": "payslip", "issued_on": "tomorrow"}, "invalid_field"),
    "dates reversed": (
        {"type": "payslip", "issued_on": "2026-02-01", "expires_on": "2026-01-01"},
        "expires_before_issued",
    ),
}


@pytest.mark.parametrize("name", FIELDS)
async def test_wrong_fields_beside_a_good_file_leave_nothing(
    name: str, services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    fields, code = FIELDS[name]
    person, before = await make_person(), await blobs(services)
    answer = await client.post(
        "/v1/documents", headers=person.headers, files={"file": PDF}, data=fields
    )
    is_problem(answer, 422, code)
    assert "colour" not in answer.text
    assert await blobs(services) == before
