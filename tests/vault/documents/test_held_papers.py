"""Papers held from before: cleaned by today's rules before a recipient reads them, once; and the
signatures of a PDF, which its owner may hand on as it was signed."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pikepdf
import pytest
from sqlalchemy import text

from base.database import Database
from base.key_names import DOCUMENT_VERSION
from tests.fixtures import MakePerson, MakeWorker, SomePerson
from tests.rows import change_row
from tests.steps import deposit, drawn, given_paper, granted, is_problem, log_of
from tests.vault.decoding import corpus, signed_pdfs
from vault.decoding.media import CLEANING
from vault.documents import recipients_copy, records
from vault.services import Services
from vault.tables import VERSION_ROW, DocumentVersion

MARK = b"/Producer (Bureau de Mme Durand)"


def with_details(pdf: bytes) -> bytes:
    """A PDF whose Info names its maker."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        opened.docinfo["/Producer"] = "Bureau de Mme Durand"
        opened.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert MARK in out.getvalue()
    return out.getvalue()


async def make_held(
    services: Services,
    as_owner: Database,
    person: SomePerson,
    document: dict[str, Any],
    *,
    keep_copies: bool = False,
) -> None:
    """The document as the first release left it: recipients get the bytes that came, or, with
    `keep_copies`, the copy that was made of them."""
    version = document["version"]["id"]
    async with services.database.transaction() as tx:
        row = await records.version(tx, person.id, version)
        assert row is not None
        reader = await services.field_encryption.reader(person.id, tx)
        writer = await services.field_encryption.writer(person.id, tx)
    values = reader.open(DOCUMENT_VERSION, row.id, row.sealed)
    for name in ("cleaning", "same", "carries", "signatures"):
        del values[name]
    if not keep_copies:
        values |= {"rendition_media_type": values["media_type"], "rendition_size": values["size"]}
    sealed = writer.seal(DOCUMENT_VERSION, row.id, values)
    await change_row(services, as_owner, DocumentVersion, VERSION_ROW, row.id, sealed=sealed)
    if keep_copies:
        return
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("DELETE FROM unefois.sealed_file WHERE version_id = :id AND role <> 'original'"),
            {"id": version},
        )


async def test_a_held_pdf_is_cleaned_before_it_is_read_and_once(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = with_details(corpus.pdf(1))
    paper = await given_paper(client, make_person, make_worker, raw)
    person, worker, document = paper.person, paper.worker, paper.document
    await make_held(services, as_owner, person, document)
    path = f"/v1{paper.under}/content"
    inspect, inspected = services.decoder.inspect, []

    async def counted(*args: Any, **kwargs: Any) -> Any:
        inspected.append(len(await log_of(client, person)))
        return await inspect(*args, **kwargs)

    monkeypatch.setattr(services.decoder, "inspect", counted)
    before = len(await log_of(client, person))
    answers = await asyncio.gather(*(client.get(path, headers=worker.headers) for _ in range(3)))
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(b"%PDF-")
        assert b"Durand" not in answer.content
        assert answer.content == answers[0].content
    # Recorded before anything was opened, and decoded once.
    assert len(inspected) == 1
    assert inspected[0] > before
    own = await client.get(f"/v1{paper.own}/content", headers=person.headers)
    assert own.content == raw
    listed = await client.get(f"/v1/grants/{paper.grant}/documents", headers=worker.headers)
    assert listed.json()["items"][0]["file"]["size"] == len(answers[0].content)


async def test_a_held_paper_that_no_longer_opens_is_given_to_nobody(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = corpus.pdf(1)
    paper = await given_paper(client, make_person, make_worker, raw)
    person, worker, document = paper.person, paper.worker, paper.document
    await make_held(services, as_owner, person, document)
    path = f"/v1{paper.under}/content"

    async def busy(*args: Any, **kwargs: Any) -> Any:
        raise recipients_copy.ServiceError(
            recipients_copy.ErrorKind.UNAVAILABLE, "decoder_busy", retry_after=5
        )

    async def refuse(*args: Any, **kwargs: Any) -> Any:
        raise recipients_copy.ServiceError(recipients_copy.ErrorKind.INVALID, "does_not_decode")

    with monkeypatch.context() as patch:
        # What passes is not the paper's fault: nothing is noted.
        patch.setattr(services.decoder, "inspect", busy)
        is_problem(await client.get(path, headers=worker.headers), 503, "decoder_busy")
        patch.setattr(services.decoder, "inspect", refuse)
        is_problem(await client.get(path, headers=worker.headers), 409, "cannot_be_handed_on")
    # Not decoded again, with the same answer; its owner still has it.
    is_problem(await client.get(path, headers=worker.headers), 409, "cannot_be_handed_on")
    own = await client.get(f"/v1{paper.own}/content", headers=person.headers)
    assert own.content == raw


async def test_cleaning_takes_neither_the_turn_of_its_owner_nor_their_time(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And its reader hears nothing of either."""
    paper = await given_paper(client, make_person, make_worker, corpus.pdf(1))
    person, worker, document = paper.person, paper.worker, paper.document
    await make_held(services, as_owner, person, document)
    accounts = set()

    async def spent(*args: Any, account: UUID, **kwargs: Any) -> Any:
        accounts.add(account)
        raise recipients_copy.ServiceError(
            recipients_copy.ErrorKind.TOO_MANY, "decoding_time_spent", retry_after=90, minutes=2
        )

    monkeypatch.setattr(services.decoder, "inspect", spent)
    path = f"/v1{paper.under}/content"
    answer = await client.get(path, headers=worker.headers)
    is_problem(answer, 503, "decoder_busy")
    assert answer.headers["retry-after"] == "600"  # a step, not a countdown
    assert accounts
    assert accounts.isdisjoint({person.id, worker.id})


async def test_a_preview_of_the_copy_of_before_is_not_kept_beside_the_new_one(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job draws what came in while a recipient's read has it cleaned."""
    paper = await given_paper(client, make_person, make_worker, with_details(corpus.pdf(1)))
    person, worker, document = paper.person, paper.worker, paper.document
    await make_held(services, as_owner, person, document)
    path = f"/v1{paper.under}"
    draw, inspect = services.decoder.preview, services.decoder.inspect

    async def without_preview(*args: Any, **kwargs: Any) -> Any:
        decoding = await inspect(*args, **kwargs)
        decoding.preview = None
        return decoding

    async def slowly(*args: Any, **kwargs: Any) -> bytes:
        picture = await draw(*args, **kwargs)
        assert (await client.get(f"{path}/content", headers=worker.headers)).status_code == 200
        return picture

    with monkeypatch.context() as patch:
        patch.setattr(services.decoder, "inspect", without_preview)
        patch.setattr(services.decoder, "preview", slowly)
        await drawn(services, person, document)
    answer = await client.get(f"{path}/preview", headers=worker.headers)
    is_problem(answer, 404, "no_preview")
    await drawn(services, person, document)
    assert (await client.get(f"{path}/preview", headers=worker.headers)).status_code == 200


async def test_the_owner_keeps_the_pdf_of_photos_that_can_no_longer_be_cleaned(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper = await given_paper(client, make_person, make_worker, [corpus.phone_jpeg()] * 2)
    person, worker, document = paper.person, paper.worker, paper.document
    own = f"/v1{paper.own}/content"
    before = (await client.get(own, headers=person.headers)).content
    await make_held(services, as_owner, person, document, keep_copies=True)
    path = f"/v1{paper.under}"

    async def refuse(*args: Any, **kwargs: Any) -> Any:
        raise recipients_copy.ServiceError(recipients_copy.ErrorKind.INVALID, "does_not_decode")

    monkeypatch.setattr(services.decoder, "inspect", refuse)
    for file in ("content", "preview"):
        answer = await client.get(f"{path}/{file}", headers=worker.headers)
        is_problem(answer, 409, "cannot_be_handed_on")
    kept = await client.get(own, headers=person.headers)
    assert (kept.status_code, kept.content) == (200, before)


async def test_without_the_row_of_its_copy_a_pdf_is_not_given_raw(
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """Whoever writes the database can delete the copy's row: the original does not replace it."""
    paper = await given_paper(client, make_person, make_worker, with_details(corpus.pdf(1)))
    worker = paper.worker
    async with as_owner.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.sealed_file WHERE role = 'rendition'"))
    path = f"/v1{paper.under}/content"
    is_problem(await client.get(path, headers=worker.headers), 503, "content_broken")


async def test_the_copy_of_another_edition_has_another_etag(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    paper = await given_paper(client, make_person, make_worker, corpus.pdf(1))
    person, worker, document = paper.person, paper.worker, paper.document
    path = f"/v1{paper.under}/content"
    answer = await client.get(path, headers=worker.headers)
    version = document["version"]["id"]
    assert answer.headers["etag"] == f'"{version}.{CLEANING}"'
    own = await client.get(f"/v1{paper.own}/content", headers=person.headers)
    assert own.headers["etag"] == f'"{version}"'


async def test_a_signed_pdf_says_who_signed_and_is_handed_on_whole_only_if_its_owner_chooses(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    signed = signed_pdfs.signed(corpus.pdf(1))
    document = await deposit(client, person, signed, type_="payslip")
    (signature,) = document["file"]["signatures"]
    assert (signature["signer"], signature["state"]) == (signed_pdfs.SIGNER, "whole")
    age = datetime.now(UTC) - datetime.fromisoformat(signature["signed_at"])
    assert timedelta(0) <= age < timedelta(minutes=5)
    assert document["file"]["original_may_be_given"] is True
    assert document["file"]["original_given"] is False
    grant = await granted(client, person, worker.headers, "payslip")
    under = f"/v1/grants/{grant}/documents"
    path, own = f"{under}/{document['id']}/content", f"/v1/documents/{document['id']}"
    copy = (await client.get(path, headers=worker.headers)).content
    assert copy != signed
    assert b"/ByteRange" not in copy

    async def choose(value: object) -> httpx.Response:
        return await client.patch(own, headers=person.headers, json={"give_original": value})

    chosen = await choose(True)
    assert chosen.status_code == 200, chosen.text
    assert chosen.json()["file"]["original_given"] is True
    given = await client.get(path, headers=worker.headers)
    assert given.content == signed
    assert given.headers["etag"].endswith('.signed"')
    (item,) = (await client.get(under, headers=worker.headers)).json()["items"]
    assert item["file"]["size"] == len(signed)
    assert item["file"]["signatures"] == [signature]
    # A correction of the title leaves the choice; another version, and a no, end it.
    titled = await client.patch(own, headers=person.headers, json={"title": "Paie"})
    assert titled.json()["file"]["original_given"] is True
    is_problem(await choose(None), 422, "invalid_field")
    assert (await choose(False)).json()["file"]["original_given"] is False
    assert (await client.get(path, headers=worker.headers)).content == copy
    assert (await choose(True)).status_code == 200
    newer = await client.post(
        f"{own}/versions", headers=person.headers, files={"file": ("b.pdf", signed + b"\n")}
    )
    assert newer.json()["file"]["original_given"] is False
    assert (await client.get(path, headers=worker.headers)).content != signed + b"\n"


async def test_what_is_said_of_the_cleaned_copy_is_not_said_of_the_signed_file(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    signed = signed_pdfs.signed(corpus.pdf(1))
    paper = await given_paper(client, make_person, make_worker, signed)
    person, worker = paper.person, paper.worker
    own, of_the_copy = (
        f"/v1{paper.own}",
        {"pdf_details_removed", "pdf_signature_lost"},
    )
    for given in (True, False):
        answer = await client.patch(own, headers=person.headers, json={"give_original": given})
        listed = await client.get(f"/v1/grants/{paper.grant}/documents", headers=worker.headers)
        for told in (answer.json(), *listed.json()["items"]):
            assert "pdf_was_signed" in told["file"]["notes"]
            assert of_the_copy & set(told["file"]["notes"]) == (set() if given else of_the_copy)


@pytest.mark.parametrize(
    ("data", "states"),
    [
        (signed_pdfs.altered(signed_pdfs.signed(corpus.pdf(1))), ["altered"]),
        (signed_pdfs.added_to(signed_pdfs.signed(corpus.pdf(1))), ["added_to"]),
        (signed_pdfs.signed(corpus.pdf(1), attached=True), ["whole"]),
        (corpus.pdf(1), []),
    ],
    ids=["altered", "added to", "with an attachment", "unsigned"],
)
async def test_what_is_not_signed_or_carries_more_cannot_be_handed_on(
    client: httpx.AsyncClient, make_person: MakePerson, data: bytes, states: list[str]
) -> None:
    person = await make_person()
    document = await deposit(client, person, data, type_="payslip")
    assert [each["state"] for each in document["file"]["signatures"]] == states
    assert document["file"]["original_may_be_given"] is False
    answer = await client.patch(
        f"/v1/documents/{document['id']}", headers=person.headers, json={"give_original": True}
    )
    is_problem(answer, 409, "original_cannot_be_given")
    assert "il a changé après la signature" in answer.json()["detail"]


async def test_nothing_is_told_of_a_copy_that_nobody_gets(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Neither to its owner nor to the recipient, while the signed PDF is given as it is."""
    signed = signed_pdfs.signed(corpus.pdf(1))
    paper = await given_paper(client, make_person, make_worker, signed)
    person, worker, document = paper.person, paper.worker, paper.document
    before = document["file"]["notes"]
    assert {"pdf_signature_lost", "pdf_details_removed"} <= set(before)
    for given, notes in ((True, ["pdf_was_signed"]), (False, before)):
        own = f"/v1{paper.own}"
        chosen = await client.patch(own, headers=person.headers, json={"give_original": given})
        assert chosen.json()["file"]["notes"] == notes
        listed = await client.get(f"/v1/grants/{paper.grant}/documents", headers=worker.headers)
        assert listed.json()["items"][0]["file"]["notes"] == notes
