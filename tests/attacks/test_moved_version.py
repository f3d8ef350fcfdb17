"""A version that someone with the database alone gives to another document, or to another vault, is
refused when it is used: under a grant, and by its owner."""

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import deposit, granted, is_problem
from tests.vault.decoding import corpus


@pytest.mark.parametrize("column", ["document_id", "person_id"])
async def test_a_version_that_was_moved_opens_for_nobody(
    column: str,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    person, other, worker = await make_person(), await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1))
    # A second version, so that its number is free in the document that it is moved to.
    newer = await client.post(
        f"/v1/documents/{paper['id']}/versions",
        headers=person.headers,
        files={"file": ("a.pdf", corpus.pdf(2))},
    )
    assert newer.status_code == 201, newer.text
    another = await deposit(client, other, corpus.pdf(3))
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    under = f"/v1/grants/{grant}/documents"
    ways = [
        (f"{under}/{paper['id']}/content", worker.headers),
        (under, worker.headers),
        (f"/v1/documents/{paper['id']}/content", person.headers),
    ]
    for path, headers in ways:
        assert (await client.get(path, headers=headers)).status_code == 200, path

    moved_to = {"document_id": another["id"], "person_id": other.id}[column]
    async with as_owner.transaction() as tx:
        moved = await tx.execute(
            text(f"UPDATE unefois.document_version SET {column} = :to WHERE id = :id"),  # noqa: S608  (our own names)
            {"to": moved_to, "id": newer.json()["version"]["id"]},
        )
        assert moved.rowcount == 1
    for path, headers in ways:
        is_problem(await client.get(path, headers=headers), 503, "row_altered")
