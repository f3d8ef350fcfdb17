"""Values that PostgreSQL, the calendar or UTF-8 cannot hold get an error answer, not a crash."""

from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson
from tests.steps import deposit
from tests.vault.decoding import corpus


@pytest.mark.parametrize("client_id", ["\0", "caf\0", "é", " ", "a\nb", "\u202e", "x" * 128])
async def test_a_name_that_no_client_can_have_is_an_unknown_one(
    client: httpx.AsyncClient, make_person: MakePerson, client_id: str
) -> None:
    person = await make_person()
    draft: dict[str, Any] = {
        "recipient": {"client_id": client_id},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=draft)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_recipient")


@pytest.mark.parametrize("day", ["1900-01-01", "9999-12-31"])
async def test_the_ends_of_the_calendar_are_dates_like_others(
    client: httpx.AsyncClient, make_person: MakePerson, day: str
) -> None:
    person = await make_person()
    paper = await deposit(client, person, corpus.pdf(), type_="national_identity_card")
    answer = await client.patch(
        f"/v1/documents/{paper['id']}", headers=person.headers, json={"expires_on": day}
    )
    assert (answer.status_code, answer.json()["expires_on"]) == (200, day)
