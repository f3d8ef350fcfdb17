"""« Tout emporter », over HTTP: asked for, made whatever happens, taken in parts."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from auth.message_delivery import inbox
from storage.blobs import BlobKey, BlobUnavailable
from tests.fixtures import STORES, SomePerson
from tests.steps import counted, deposit, log_of
from tests.uploads import padded_pdf
from tests.vault.decoding import corpus
from tests.vault.exports.steps import begun, made, seen, taken, unpacked
from vault.exports import archives, export_job, records
from vault.exports.archives import Superseded


async def test_all_papers_as_they_were_put_in_and_as_they_were_given(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    pdf, photo = corpus.pdf(), corpus.phone_jpeg()
    first = await deposit(client, person, pdf, title="Avis : impôt 2025/2026 ?", name="a.pdf")
    await deposit(client, person, photo, type_="payslip", name="IMG_1.jpg")
    gone = await deposit(client, person, corpus.plain_jpeg(), title="Vieux")
    newer = padded_pdf(40_000)
    path = f"/v1/documents/{first['id']}"
    files = {"file": ("b.pdf", newer)}
    answer = await client.post(f"{path}/versions", headers=person.headers, files=files)
    assert answer.status_code == 201, answer.text
    await client.delete(f"/v1/documents/{gone['id']}", headers=person.headers)

    export = await made(client, person)
    assert (export["state"], export["papers"], export["mine"]) == ("ready", 3, True)
    files_ = await unpacked(client, person, export["id"])
    folder = "papiers/001 Avis - impôt 2025-2026 -"
    assert files_[f"{folder}/original-1.pdf"] == newer
    assert files_[f"{folder}/versions/1/original-1.pdf"] == pdf
    (slip,) = [one for one in files_ if one.startswith("papiers/002") and "original" in one]
    assert files_[slip] == photo
    given = files_[slip.replace("original-1", "donné")]
    assert given != photo
    assert given[:2] == photo[:2]
    assert files_["corbeille/003 Vieux/original-1.jpg"] == corpus.plain_jpeg()
    told = json.loads(files_["documents.json"])
    assert told["unreadable"] == []
    assert [one["type"] for one in told["papers"]] == [
        "income_tax_notice", "payslip", "income_tax_notice",
    ]  # fmt: skip
    assert told["papers"][0]["title"] == "Avis : impôt 2025/2026 ?"
    assert [one["number"] for one in told["papers"][0]["versions"]] == [1, 2]


async def test_its_lines_and_its_messages(client: httpx.AsyncClient, person: SomePerson) -> None:
    await deposit(client, person, corpus.pdf())
    export = await made(client, person)
    assert (
        (await taken(client, person, export["id"]))
        .headers["content-disposition"]
        .startswith('attachment; filename="mes-papiers-20')
    )
    lines = [one for one in await log_of(client, person) if one["action"].startswith("vault.exp")]
    assert [one["sentence"] for one in lines] == [
        "Vous avez pris une copie de tous vos papiers.",
        "Vous avez demandé une copie de tous vos papiers.",
    ]
    messages = [one.text for one in await inbox(person.services, to=person.phone)]
    assert messages[0].startswith("La copie de vos papiers est prête.")
    assert any("quelqu’un demande une copie de tous vos papiers" in one for one in messages)


async def test_an_empty_vault(client: httpx.AsyncClient, person: SomePerson) -> None:
    export = await made(client, person)
    files = await unpacked(client, person, export["id"])
    told = {"accès.json", "demandes.json", "documents.json", "index.html", "manifest.json"}
    told |= {"journal/events.ndjson", "journal/vkey", "reçus/keys.json"}
    assert files.keys() - {"journal/checkpoint"} == told


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_it_is_taken_in_parts(client: httpx.AsyncClient, person: SomePerson) -> None:
    await deposit(client, person, padded_pdf(100_000))
    await deposit(client, person, corpus.phone_jpeg(), type_="payslip")
    export = await made(client, person)
    assert await counted(person.services, "archive_piece", person) > 4
    whole = (await taken(client, person, export["id"])).content
    assert len(whole) == export["bytes"]
    for start, stop in [(0, 1), (29_999, 30_001), (1, len(whole)), (60_000, 90_001)]:
        part = await taken(client, person, export["id"], Range=f"bytes={start}-{stop - 1}")
        assert (part.status_code, part.content) == (206, whole[start:stop])
        assert part.headers["etag"] == f'"{export["id"]}"'
    cut = await taken(client, person, export["id"], Range="bytes=50000-")
    assert whole[:50_000] + cut.content == whole
    head = await client.head(f"/v1/me/exports/{export['id']}/content", headers=person.headers)
    assert int(head.headers["content-length"]) == len(whole)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("commits", [1, 3, 4, 6])
async def test_a_crash_at_each_commit_loses_what_was_not_safe_and_no_more(
    client: httpx.AsyncClient,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
    commits: int,
) -> None:
    """The process ends after some pieces: the next attempt goes on, with the same bytes inside."""
    papers = [padded_pdf(size) for size in (20_000, 9_000, 20_000, 80_000, 5_000)]
    for paper in papers:
        await deposit(client, person, paper)
    export = await begun(client, person)
    add_piece, left = records.add_piece, commits

    async def crash(*given: Any, **values: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _CrashError
        await add_piece(*given, **values)

    monkeypatch.setattr(records, "add_piece", crash)
    with pytest.raises(_CrashError):
        await export_job.make(person.services, person.id, UUID(export["id"]))
    monkeypatch.setattr(records, "add_piece", add_piece)
    before = await seen(client, person, export["id"])
    assert before["state"] == "making"
    await export_job.make(person.services, person.id, UUID(export["id"]))
    assert (await seen(client, person, export["id"]))["bytes"] > before["bytes"]
    files = await unpacked(client, person, export["id"])
    assert [data for path, data in files.items() if "original" in path] == papers


class _CrashError(BaseException):
    """The end of the process, as far as the code can see: nothing catches it."""


@pytest.mark.usefixtures("small_pieces")
async def test_another_attempt_ends_the_one_before(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    """A job that was taken for dead still writes: nothing of it is kept."""
    await deposit(client, person, padded_pdf(100_000))
    export = UUID((await begun(client, person))["id"])
    _, safe = await archives.begin_attempt(person.services, person.id, export)
    _, newer = await archives.begin_attempt(person.services, person.id, export)
    assert newer.attempt == safe.attempt + 1
    async with archives.PieceWriter(person.services, person.id, export, safe) as late:
        await late.write(bytes(30_000))
        with pytest.raises(Superseded):
            await late.write(bytes(1))
    await export_job.make(person.services, person.id, export)
    await unpacked(client, person, str(export))
    with pytest.raises(Superseded):  # it is whole: no attempt begins again
        await archives.begin_attempt(person.services, person.id, export)


async def test_papers_that_come_and_go_meanwhile(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    kept = await deposit(client, person, corpus.pdf(), title="Gardé")
    purged = await deposit(client, person, corpus.plain_jpeg(), title="Parti")
    export = await begun(client, person)
    await deposit(client, person, corpus.phone_jpeg(), title="Plus tard")
    async with person.services.database.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.document WHERE id = :id"), {"id": purged["id"]})
    await export_job.make(person.services, person.id, UUID(export["id"]))
    files = await unpacked(client, person, export["id"])
    told = json.loads(files["documents.json"])["papers"]
    assert [one["id"] for one in told] == [kept["id"], purged["id"]]
    assert told[1] == {"id": purged["id"], "gone": True}
    assert not any("Plus tard" in path for path in files)


@pytest.mark.usefixtures("small_pieces")
async def test_papers_arrive_and_are_replaced_while_it_runs(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there when its making began is in it, each with its own bytes."""
    papers = [padded_pdf(size) for size in (20_000, 21_000, 22_000)]
    for number, paper in enumerate(papers, 1):
        last = await deposit(client, person, paper, title=f"Papier {number}")
    export = await begun(client, person)
    add_piece, newer = records.add_piece, padded_pdf(23_000)

    async def meanwhile(*given: Any, **values: Any) -> None:
        await add_piece(*given, **values)
        if values["position"] == 0:
            asyncio.get_running_loop().create_task(change())

    async def change() -> None:
        await deposit(client, person, corpus.phone_jpeg(), title="Plus tard")
        path = f"/v1/documents/{last['id']}"
        files = {"file": ("b.pdf", newer)}
        await client.post(f"{path}/versions", headers=person.headers, files=files)
        await client.patch(path, headers=person.headers, json={"title": "Autre nom"})
        await client.delete(path, headers=person.headers)
        changed.set()

    changed = asyncio.Event()
    monkeypatch.setattr(records, "add_piece", meanwhile)
    await export_job.make(person.services, person.id, UUID(export["id"]))
    await asyncio.wait_for(changed.wait(), 10)
    files = await unpacked(client, person, export["id"])
    assert [data for path, data in files.items() if "original" in path] == papers
    assert "papiers/003 Papier 3/original-1.pdf" in files
    assert not any("Plus tard" in path or "Autre nom" in path for path in files)


@pytest.mark.usefixtures("small_pieces")
async def test_a_paper_that_cannot_be_read_keeps_no_other_back(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    first = await deposit(client, person, padded_pdf(50_000), title="Un")
    second = padded_pdf(50_001)
    await deposit(client, person, second, title="Deux")
    async with person.services.database.transaction() as tx:
        found = await tx.execute(
            text(
                "SELECT blob_key FROM unefois.sealed_file JOIN unefois.document_version v"
                " ON v.id = version_id WHERE document_id = :id AND role = 'original'"
            ),
            {"id": first["id"]},
        )
        key = found.scalar_one()
    await person.services.storage.blobs.delete(BlobKey(key))
    export = await made(client, person)
    files = await unpacked(client, person, export["id"])
    assert json.loads(files["documents.json"])["unreadable"] == ["papiers/001 Un/original-1.pdf"]
    assert files["papiers/002 Deux/original-1.pdf"] == second


@pytest.mark.usefixtures("small_pieces")
async def test_a_full_disk_puts_it_off(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the job raises is what it is tried again for, for as long as it lasts."""
    await deposit(client, person, padded_pdf(100_000))
    export = await begun(client, person)
    store = type(person.services.storage.blobs)
    writer = store.writer
    monkeypatch.setattr(store, "writer", _full)
    with pytest.raises(BlobUnavailable):
        await export_job.make(person.services, person.id, UUID(export["id"]))
    assert (await seen(client, person, export["id"]))["state"] == "making"
    monkeypatch.setattr(store, "writer", writer)
    await export_job.make(person.services, person.id, UUID(export["id"]))
    await unpacked(client, person, export["id"])


def _full(*_: object) -> None:
    raise BlobUnavailable("no space left")
