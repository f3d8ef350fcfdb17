"""A value of the wrong kind is refused and its field named, never silently made into another."""

from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker
from tests.steps import deposit, is_problem, request_body
from tests.vault.decoding import corpus

PDF = corpus.pdf(1)
NO_DATES = [
    "0", "1767225600", "-1", "1e9", "2026-1-5", "2026-01-05T00:00:00", "2026-01-05T00:00:00Z",
    " 2026-01-05", "2026-01-05 ", "2026-01-05\n", "20260105", "2026-W01-1", "2026-13-01",
    "2026-02-30", "0000-01-01", "0001-01-01", "1447-06-15", "2569-01-05", "+2026-01-05",
    "05/01/2026", "２０２６-01-05", "٢٠٢٦-٠١-٠٥", "today", "null",
]  # fmt: skip


@pytest.mark.parametrize("field", ["issued_on", "expires_on"])
async def test_what_is_no_date_is_refused_and_named(
    field: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    kept = await deposit(client, person, PDF, type_="payslip")
    for written in NO_DATES:
        answer = await client.post(
            "/v1/documents",
            headers=person.headers,
            files={"file": PDF},
            data={"type": "payslip", field: written},
        )
        is_problem(answer, 422, "invalid_field")
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/{field}"], written
    not_texts: list[Any] = [0, 1767225600, 1.5, True, [], {}, ["2026-01-05"]]
    for value in [*NO_DATES, *not_texts]:
        answer = await client.patch(
            f"/v1/documents/{kept['id']}", headers=person.headers, json={field: value}
        )
        is_problem(answer, 422, "invalid_request")
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/{field}"], value


async def test_a_date_is_taken_and_given_back(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    kept = await deposit(client, person, PDF, type_="payslip")
    for written in ("2026-01-05", "2024-02-29", "1900-01-01", "9999-12-31", None):
        answer = await client.patch(
            f"/v1/documents/{kept['id']}", headers=person.headers, json={"expires_on": written}
        )
        assert answer.json()["expires_on"] == written


@pytest.mark.parametrize("value", ["yes", "true", "false", "off", 1, 0, "1", 1.0])
async def test_only_true_and_false_are_yes_and_no(
    value: Any, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    body = request_body(person.phone, "payslip") | {"may_store": value}
    answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/may_store"]
    kept = await deposit(client, person, PDF, type_="payslip")
    answer = await client.patch(
        f"/v1/documents/{kept['id']}", headers=person.headers, json={"sensitive": value}
    )
    assert [one["pointer"] for one in answer.json()["errors"]] == ["#/sensitive"]


@pytest.mark.parametrize("limit", ["5.0", "%205", "5%20", "1_0", "%2B5", "1e1", "\u0665", ""])
async def test_a_number_of_the_query_is_in_digits(
    limit: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    answer = await client.get(f"/v1/documents?limit={limit}", headers=person.headers)
    is_problem(answer, 422, "invalid_request")
    assert [one["parameter"] for one in answer.json()["errors"]] == ["limit"]
