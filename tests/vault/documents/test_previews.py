"""Previews: there when the 201 leaves; by a job where a deposit gave none."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from tests.fixtures import STORES, MakePerson, SomePerson
from tests.steps import Document, counted, deposit, drawn
from tests.vault.decoding import corpus
from vault.decoding.decoder import Decoder, DecodingResult, Source
from vault.services import Services


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_a_preview_is_there_when_the_deposit_is_answered(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    for data in (
        corpus.phone_jpeg(6),
        corpus.heic(),
        corpus.pdf(1),
        corpus.plain_png(),
        corpus.webp(),
    ):
        document = await deposit(client, person, data)
        assert document["file"]["preview"] is True
        await _shows(client, person, document)
        assert await _jobs_of(services, document) == set()
        assert await drawn_already(services, person, document)


async def drawn_already(services: Services, person: SomePerson, document: Document) -> bool:
    """Whether the job adds nothing."""
    before = await counted(services, "sealed_file", person)
    await drawn(services, person, document)
    return await counted(services, "sealed_file", person) == before


async def test_a_new_version_and_several_photos_have_theirs_too(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    pages = [("file", (f"{number}.jpg", corpus.phone_jpeg(6))) for number in range(2)]
    path = f"/v1/documents/{document['id']}"
    answer = await client.post(f"{path}/versions", headers=person.headers, files=pages)
    assert answer.status_code == 201, answer.text
    assert answer.json()["file"]["preview"] is True
    await _shows(client, person, document)


async def test_a_job_draws_the_preview_that_a_deposit_did_not_give(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await make_person()
    inspect = Decoder.inspect

    async def without_preview(
        self: Decoder, sources: Sequence[Source], **rest: Any
    ) -> DecodingResult:
        result = await inspect(self, sources, **rest)
        result.preview = None
        return result

    monkeypatch.setattr(Decoder, "inspect", without_preview)
    document = await deposit(client, person, corpus.phone_jpeg(6))
    assert document["file"]["preview"] is False
    path = f"/v1/documents/{document['id']}/preview"
    assert (await client.get(path, headers=person.headers)).json()["code"] == "no_preview"
    assert await _jobs_of(services, document) == {"preview"}
    assert await _arguments(services, document) == {  # ids, and nothing else
        "owner_id": str(person.id),
        "version_id": document["version"]["id"],
    }
    await drawn(services, person, document)
    await _shows(client, person, document)


async def _shows(client: httpx.AsyncClient, person: SomePerson, document: Document) -> None:
    """A small JPEG without metadata."""
    path = f"/v1/documents/{document['id']}/preview"
    answer = await client.get(path, headers=person.headers)
    assert answer.headers["content-type"] == "image/jpeg"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, dict(picture.getexif())) == ("JPEG", {})
    assert picture.width <= 1000
    assert len(answer.content) <= 300 * 1024


async def _jobs_of(services: Services, document: Document) -> set[str]:
    query = "SELECT task_name FROM procrastinate_jobs WHERE args ->> 'version_id' = :version"
    version = str(UUID(document["version"]["id"]))
    async with services.database.transaction() as tx:
        return set((await tx.execute(text(query), {"version": version})).scalars())


async def _arguments(services: Services, document: Document) -> dict[str, str]:
    query = "SELECT args FROM procrastinate_jobs WHERE args ->> 'version_id' = :version"
    async with services.database.transaction() as tx:
        found = await tx.execute(text(query), {"version": document["version"]["id"]})
        arguments: dict[str, str] = found.scalar_one()
    return arguments
