"""Evidence is "verified" only for what an administration deposited, not for what the owner changed
since."""

from typing import Any

import httpx
import pytest

from tests.fixtures import MakeClient, MakePerson, MakeWorker
from tests.steps import client_headers, granted
from tests.vault.decoding import corpus

TYPE = "caf_payment_certificate"


@pytest.mark.parametrize(
    ("changes", "newer", "still"),
    [
        ({"title": "Ma CAF", "paper_location": "classeur bleu"}, False, True),
        ({"issued_on": "2026-11-01"}, False, False),
        ({"expires_on": "2036-01-01"}, False, False),
        ({}, True, False),
    ],
)
async def test_the_owner_does_not_speak_in_its_name(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    changes: dict[str, Any],
    newer: bool,
    still: bool,
) -> None:
    person, worker, system = await make_person(), await make_worker(), await make_client()
    caf = await client_headers(client, system)
    deposit = await granted(client, person, caf, actions=["deposit"])
    given = await client.post(
        f"/v1/grants/{deposit}/documents",
        headers=caf,
        files={"file": ("a.pdf", corpus.pdf())},
        data={"type": TYPE, "issued_on": "2026-01-01"},
    )
    assert given.status_code == 201
    assert given.json()["verified"] is True
    read = await granted(client, person, worker.headers, TYPE)
    path = f"/v1/documents/{given.json()['id']}"

    async def verified() -> set[bool]:
        evidence = await client.get(
            f"/v1/grants/{read}/evidence", params={"type": TYPE}, headers=worker.headers
        )
        listed = await client.get(f"/v1/grants/{read}/documents", headers=worker.headers)
        return {evidence.json()["verified"], *(one["verified"] for one in listed.json()["items"])}

    assert await verified() == {True}
    if changes:
        answer = await client.patch(path, headers=person.headers, json=changes)
        assert answer.status_code == 200
    if newer:
        answer = await client.post(
            f"{path}/versions", headers=person.headers, files={"file": corpus.pdf(2)}
        )
        assert answer.status_code == 201
    assert await verified() == {still}


async def test_changed_back_it_is_still_the_owners_word(
    client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> None:
    """A type changed and changed back has the same value, but its author is now the owner."""
    person, system = await make_person(), await make_client()
    caf = await client_headers(client, system)
    grant = await granted(
        client, person, caf, TYPE, actions=["deposit", "attest"], narrower={"covers_future": True}
    )
    given = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=caf,
        files={"file": ("a.pdf", corpus.pdf())},
        data={"type": TYPE},
    )
    path = f"/v1/documents/{given.json()['id']}"
    for type_ in ("payslip", TYPE):
        changed = await client.patch(path, headers=person.headers, json={"type": type_})
        assert changed.status_code == 200
    listed = await client.get(f"/v1/grants/{grant}/documents", headers=caf)
    assert [one["verified"] for one in listed.json()["items"]] == [False]
