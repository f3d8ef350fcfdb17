"""The person's own documents over HTTP: versions, deletion, thirty days to restore, then gone."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from base.ids import new_id
from storage import content
from tests.fixtures import STORES, MakePerson, MakeWorker, MoveClock, SomePerson
from tests.steps import blobs, counted, deposit, drawn, granted, log_of
from tests.vault.decoding import corpus, hostile_pdfs
from vault.maintenance.cleanup import purge_deleted, sweep_blobs
from vault.services import Services

PDF = corpus.pdf(1)
DAYS = timedelta(days=1)


async def test_a_new_version_replaces_what_is_shown_and_keeps_the_document(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF, type_="payslip", title="Paie")
    grant = await granted(client, person, worker.headers, "payslip")
    newer = corpus.pdf(2)
    answer = await client.post(
        f"/v1/documents/{document['id']}/versions",
        headers=person.headers,
        files={"file": ("b.pdf", newer)},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == document["id"]
    assert answer.json()["version"]["number"] == 2
    assert answer.json()["title"] == "Paie"
    path = f"/v1/documents/{document['id']}/content"
    assert (await client.get(path, headers=person.headers)).content == newer
    theirs = await client.get(
        f"/v1/grants/{grant}/documents/{document['id']}/content", headers=worker.headers
    )
    assert theirs.content == newer
    assert await counted(services, "document_version", person) == 2


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_a_deleted_document_is_restored_within_thirty_days_and_gone_after(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    before = await blobs(services)
    document = await deposit(client, person, corpus.phone_jpeg(), type_="payslip")
    await drawn(services, person, document)
    made = await blobs(services) - before
    assert len(made) == 4  # the original, what is sent, the preview, the thumbnail
    grant = await granted(client, person, worker.headers, "payslip", duration="P6M")
    path = f"/v1/documents/{document['id']}"
    theirs = f"/v1/grants/{grant}/documents/{document['id']}/content"
    assert (await client.delete(path, headers=person.headers)).status_code == 204
    for gone in (path, f"{path}/content", f"{path}/preview"):
        assert (await client.get(gone, headers=person.headers)).status_code == 404
    assert (await client.get(theirs, headers=worker.headers)).status_code == 404
    deleted = await client.get("/v1/documents?deleted=true", headers=person.headers)
    assert [item["id"] for item in deleted.json()["items"]] == [document["id"]]

    moved_clock(29 * DAYS)
    assert await _purged(services, person) is False
    restored = await client.post(f"{path}/restore", headers=person.headers)
    assert restored.status_code == 200
    moved_clock(timedelta(0))
    assert (await client.get(theirs, headers=worker.headers)).status_code == 200

    assert (await client.delete(path, headers=person.headers)).status_code == 204
    moved_clock(30 * DAYS + timedelta(hours=1))
    assert await _purged(services, person) is True
    moved_clock(timedelta(0))
    again = await client.post(f"{path}/restore", headers=person.headers)
    assert again.status_code == 404
    for table in ("document", "document_version", "sealed_file"):
        assert await counted(services, table, person) == 0
    # The purge of that day also takes what other tests deleted.
    assert not await blobs(services) & made
    assert await blobs(services) <= before
    actions = [entry["action"] for entry in await log_of(client, person)]
    assert actions.count("document.purge") == 1
    assert actions.count("document.restore") == 2


async def test_the_sweep_takes_only_what_nobody_refers_to(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A recent orphan may still be waiting for its row: it is kept."""
    person = await make_person()
    document = await deposit(client, person, PDF)
    async with content.content_writer(
        services.storage.blobs,
        services.storage.keys,
        person.id,
        "original",
        version_id=new_id(),
    ) as sealing:
        await sealing.write(b"never referred to")
        orphan = (await sealing.commit()).blob_key
    await sweep_blobs(services)
    assert orphan in await blobs(services)
    removed = await sweep_blobs(services, timedelta(0))
    assert removed >= 1
    assert orphan not in await blobs(services)
    kept = await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)
    assert kept.content == PDF


NOTED = {
    "a place": (corpus.phone_jpeg(), "photo_location_removed", b"GPS"),
    "a script": (
        hostile_pdfs.active_pdf("open_action"),
        "pdf_active_content_removed",
        b"JavaScript",
    ),
    "a launch": (hostile_pdfs.active_pdf("launch"), "pdf_active_content_removed", b"cmd.exe"),
    "an embedded file": (hostile_pdfs.active_pdf("embedded"), "pdf_attachments_removed", b"MZ"),
}


@pytest.mark.parametrize("name", NOTED)
async def test_what_was_taken_out_is_said_to_both(
    name: str, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    data, note, trace = NOTED[name]
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, data, type_="payslip")
    assert note in document["file"]["notes"]
    grant = await granted(client, person, worker.headers, "payslip")
    under = f"/v1/grants/{grant}/documents"
    listed = (await client.get(under, headers=worker.headers)).json()["items"]
    assert note in listed[0]["file"]["notes"]
    sent = await client.get(f"{under}/{document['id']}/content", headers=worker.headers)
    assert trace not in sent.content
    assert int(sent.headers["content-length"]) == listed[0]["file"]["size"]
    own = await client.get(f"/v1/documents/{document['id']}/content", headers=person.headers)
    assert own.content == data


async def test_a_signed_pdf_says_that_its_copy_has_no_signature(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    signed = await deposit(client, person, hostile_pdfs.signed_pdf(), type_="payslip")
    assert {"pdf_was_signed", "pdf_signature_lost"} <= set(signed["file"]["notes"])
    plain = await deposit(client, person, corpus.authored_pdf(), type_="payslip")
    assert plain["file"]["notes"] == ["pdf_details_removed"]


async def test_lists_are_whole_and_in_order_page_by_page(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    made = [
        (await deposit(client, person, corpus.plain_jpeg() + bytes([at]), type_="payslip"))["id"]
        for at in range(5)
    ]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/documents", params=query, headers=person.headers)).json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def _purged(services: Services, person: SomePerson) -> bool:
    """Whether the purge, run now, took this person's document."""
    before = await counted(services, "document", person)
    await purge_deleted(services)
    return await counted(services, "document", person) < before
