"""A document put back from before a change, a version taken away, a purge undone, a verdict or a
deposit that the log tells otherwise: each is named."""

from uuid import UUID

import httpx
import pytest

from audit.events import Action
from tests.fixtures import MakePerson, SomePerson
from tests.steps import deposit
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import a_document, a_grant, a_worker, found, picture, record
from vault.documents import own_documents, type_suggestions
from vault.documents.records import change_version
from vault.documents.type_suggestions import Suggested
from vault.services import Services


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def correct(services: Services, person: SomePerson, document: str) -> None:
    await own_documents.correct(
        services, person.subject, UUID(document), {"title": "Janvier"}, if_match=None
    )


async def add_version(client: httpx.AsyncClient, person: SomePerson, document: str) -> None:
    answer = await client.post(
        f"/v1/documents/{document}/versions",
        headers=person.headers,
        files={"file": ("photo.jpg", picture(77))},
    )
    assert answer.status_code == 201, answer.text


async def test_a_story_of_documents_has_no_fault(
    services: Services, client: httpx.AsyncClient, person: SomePerson
) -> None:
    document = (await a_document(client, person))["id"]
    again = await client.post(  # the same bytes: held already
        "/v1/documents",
        headers=person.headers,
        files={"file": ("photo.jpg", picture(1))},
        data={"type": "payslip"},
    )
    assert again.json()["id"] == document
    await add_version(client, person, document)
    await correct(services, person, document)
    await own_documents.delete(services, person.subject, UUID(document))
    await own_documents.restore(services, person.subject, UUID(document))
    assert await found(services) == set()


@pytest.mark.parametrize("change", ["correct", "delete", "version"])
async def test_an_older_row(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief, change: str
) -> None:
    document = (await a_document(client, person))["id"]
    before = thief.take("document", document)
    if change == "correct":
        await correct(services, person, document)
    elif change == "delete":
        await own_documents.delete(services, person.subject, UUID(document))
    else:
        await add_version(client, person, document)
    with thief.changing("document"):
        thief.put("document", *before)
        assert await found(services) == {f"older document {document}"}
    assert await found(services) == set()


async def test_a_row_of_before_a_proposal_or_its_answer(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief
) -> None:
    """What was refused comes back for nobody."""
    worker = await a_worker(services)
    paper = await deposit(client, person, picture(3), type_="other", name="photo.jpg")
    document = UUID(paper["id"])
    grant = await a_grant(services, person, str(worker.id), document)
    rows = [thief.take("document", paper["id"])]
    said = Suggested(type="payslip")
    await type_suggestions.suggest(services, worker, grant.id, document, said)
    rows.append(thief.take("document", paper["id"]))
    (one,) = (await own_documents.see_own(services, person.subject, document)).suggestions
    await type_suggestions.refuse(services, person.subject, document, one.id)
    assert await found(services) == set()
    for row in rows:
        with thief.changing("document"):
            thief.put("document", *row)
            assert await found(services) == {f"older document {document}"}


async def test_versions_and_files_taken_away(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief
) -> None:
    made = await a_document(client, person)
    document, first = made["id"], made["version"]["id"]
    await add_version(client, person, document)
    with thief.changing("document_version", "sealed_file"):
        thief.remove("sealed_file", first, "version_id")
        assert await found(services) == {f"files document_version {first}"}
        thief.remove("document_version", first)
        assert await found(services) == {f"versions document {document}"}
    with thief.changing("sealed_file"):
        # Without it, recipients would get the original, with what it says of its maker.
        assert thief.run("DELETE FROM unefois.sealed_file WHERE version_id = %s"
                         " AND role = 'rendition' RETURNING id", first)  # fmt: skip
        assert await found(services) == {f"files document_version {first}"}


async def test_files_changed_about(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief
) -> None:
    made = await a_document(client, person)
    other = await a_document(client, person, 200)
    version = made["version"]["id"]
    (original,) = [one for one in thief.take("sealed_file", version, "version_id")
                   if one["role"] == "original"]  # fmt: skip
    (theirs,) = [one for one in thief.take("sealed_file", other["version"]["id"], "version_id")
                 if one["role"] == "original"]  # fmt: skip
    with thief.changing("sealed_file"):
        thief.put("sealed_file", original | {"blob_key": "files/elsewhere"})
        assert await found(services) == {f"sealed sealed_file {original['id']}"}
        thief.remove("sealed_file", theirs["id"])
        thief.put("sealed_file", original | {"envelope": theirs["envelope"]})
        assert f"sealed sealed_file {original['id']}" in await found(services)


async def test_a_purge_undone_and_one_not_told(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief
) -> None:
    document = (await a_document(client, person))["id"]
    tables = ("document", "document_version", "sealed_file")
    with thief.changing(*tables):
        thief.remove("sealed_file", person.id, "person_id")
        thief.remove("document_version", document, "document_id")
        thief.remove("document", document)
        assert await found(services) == {f"missing document {document}"}
    await record(services, Action.PURGE, person, documents=(UUID(document),))
    assert await found(services) == {f"back document {document}"}
    thief.remove("sealed_file", person.id, "person_id")
    thief.remove("document_version", document, "document_id")
    thief.remove("document", document)
    assert await found(services) == set()


async def test_an_infected_version_put_back(
    services: Services, client: httpx.AsyncClient, person: SomePerson
) -> None:
    """The event of the verdict, without the row that it would have left."""
    made = await a_document(client, person)
    document = UUID(made["id"])
    await record(services, Action.INFECTED, person, documents=(document,), details={"version": 1})
    assert await found(services) == {f"infected document {document}"}
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await change_version(tx, macs, person.id, UUID(made["version"]["id"]), scan="infected")
    assert await found(services) == set()


async def test_a_type_tag_of_another_type(
    services: Services, client: httpx.AsyncClient, person: SomePerson, thief: Thief
) -> None:
    document = (await a_document(client, person))["id"]
    with thief.changing("document"):
        thief.run("UPDATE unefois.document SET type_tag = sha256(type_tag) WHERE id = %s", document)
        assert await found(services) == {f"mac document {document}", f"tag document {document}"}
        thief.run("UPDATE unefois.document SET sealed = sha256(sealed) WHERE id = %s", document)
        assert f"sealed document {document}" in await found(services)
