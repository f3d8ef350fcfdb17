"""The first release from end to end: papers are deposited from a phone, a worker asks, the person
narrows and approves, an administration asks without a file, and the log records all of it."""

import io
from datetime import timedelta
from typing import Any

import httpx
import pypdfium2
import pytest
from PIL import Image

from tests.fixtures import (
    STORES,
    MakeClient,
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    MoveClock,
    SomePerson,
    SomeWorker,
)
from tests.steps import (
    Document,
    again,
    approve,
    ask,
    client_headers,
    deposit,
    granted,
    log_of,
    request_body,
    revoke,
)
from tests.vault.decoding import corpus
from vault.services import Services

NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_the_story_of_a_housing_file(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
    moved_clock: MoveClock,
) -> None:
    """Deposits, a request narrowed, retrieval, a colleague refused, revocation, expiry, the log."""
    ccas = await make_organisation("CCAS de Lille")
    person = await make_person()
    worker = await make_worker(ccas, name="Camille Moreau")
    colleague = await make_worker(ccas, name="Dominique Petit")

    # The person photographs two papers and chooses a PDF.
    photo = corpus.phone_jpeg()
    pdf = corpus.pdf(3)
    energy = await deposit(client, person, photo, type_="energy_bill", name="IMG_1.jpg")
    heic = await deposit(client, person, corpus.heic(), type_="rent_receipt", name="IMG_2.heic")
    notice = await deposit(client, person, pdf, type_="income_tax_notice", name="avis.pdf")
    assert (await _bytes(client, person.headers, f"/v1/documents/{energy['id']}")) == photo

    grant = await _narrow(client, person, worker)
    under = f"/v1/grants/{grant['id']}/documents"

    listed = await client.get(under, headers=worker.headers)
    assert {one["id"] for one in listed.json()["items"]} == {energy["id"], notice["id"]}
    nowhere = await _hidden_answer(client, worker, under, heic)
    await _returns_content(client, worker, f"{under}/{notice['id']}", pdf)
    shown = await client.get(f"{under}/{energy['id']}/content", headers=worker.headers)
    _without_metadata(photo, shown.content)
    await _has_preview(client, worker, f"{under}/{notice['id']}")

    # A second worker of the same organisation sees none of it.
    for path in (under, f"{under}/{notice['id']}/content", f"/v1/grants/{grant['id']}"):
        refused = await client.get(path, headers=colleague.headers)
        assert refused.status_code == 404
        assert _without_id(refused) == _without_id(nowhere)

    # After the revocation, nothing more is served.
    await revoke(client, person, grant["id"])
    gone = await client.get(f"{under}/{notice['id']}/content", headers=worker.headers)
    assert (gone.status_code, gone.json()["code"]) == (403, "grant_revoked")
    await _grant_expires(services, client, person, worker, notice, pdf, moved_clock)
    await _log_records_all(client, person, worker, colleague, grant["id"], notice["id"])


async def _narrow(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> dict[str, Any]:
    """The worker asks for three types; the person approves two, for a shorter time."""
    request = await ask(
        client, worker.headers, person.phone, "energy_bill", "rent_receipt", "income_tax_notice"
    )
    asked = await client.get(f"/v1/consent-requests/{request}", headers=person.headers)
    assert asked.json()["requester"]["organisation"] == "CCAS de Lille"
    assert asked.json()["purpose"]["text"] == "Demande de logement social"
    return await approve(
        client,
        person,
        request,
        scope={"document_types": ["energy_bill", "income_tax_notice"]},
        duration="P7D",
    )


async def _hidden_answer(
    client: httpx.AsyncClient, worker: SomeWorker, under: str, document: Document
) -> httpx.Response:
    """A type left out of the grant gets the same answer as an unknown document; returns it."""
    hidden = await client.get(f"{under}/{document['id']}/content", headers=worker.headers)
    nowhere = await client.get(f"{under}/{NOBODY}/content", headers=worker.headers)
    assert hidden.status_code == nowhere.status_code == 404
    assert _without_id(hidden) == _without_id(nowhere)
    return nowhere


async def _returns_content(
    client: httpx.AsyncClient, worker: SomeWorker, document: str, pdf: bytes
) -> None:
    """Content and range return the PDF byte for byte."""
    whole = await client.get(f"{document}/content", headers=worker.headers)
    assert (whole.status_code, whole.content) == (200, pdf)
    assert whole.headers["content-disposition"].startswith("attachment;")
    assert whole.headers["content-security-policy"].startswith("sandbox")
    assert "avis" not in whole.headers["content-disposition"]
    part = await client.get(
        f"{document}/content", headers={**worker.headers, "Range": "bytes=10-99"}
    )
    assert (part.status_code, part.content) == (206, pdf[10:100])


async def _has_preview(client: httpx.AsyncClient, worker: SomeWorker, document: str) -> None:
    preview = await client.get(f"{document}/preview", headers=worker.headers)
    assert preview.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(preview.content)).format == "JPEG"


async def _grant_expires(
    services: Services,
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    notice: Document,
    pdf: bytes,
    moved_clock: MoveClock,
) -> None:
    """No job runs: the database's clock alone ends the grant."""
    short = await granted(client, person, worker.headers, "income_tax_notice", duration="P1D")
    path = f"/v1/grants/{short}/documents/{notice['id']}/content"
    assert (await client.get(path, headers=worker.headers)).content == pdf
    moved_clock(timedelta(hours=23, minutes=59))
    assert (await client.get(path, headers=await again(services, worker))).content == pdf
    moved_clock(timedelta(days=1, seconds=1))
    ended = await client.get(path, headers=await again(services, worker))
    assert (ended.status_code, ended.json()["code"]) == (403, "grant_expired")
    moved_clock(timedelta(0))


async def _log_records_all(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    colleague: SomeWorker,
    grant: str,
    notice: str,
) -> None:
    """Each act and each refusal, with who, organisation, why; each reader sees only their own."""
    entries = await log_of(client, person)
    by_worker = [entry for entry in entries if entry["actor"].get("name") == "Camille Moreau"]
    for action, outcome, reason in (
        ("consent.request", "allowed", None),
        ("document.list", "allowed", None),
        ("document.read", "allowed", None),
        ("document.preview", "allowed", None),
        ("document.read", "refused", "document_not_covered"),
        ("document.read", "refused", "revoked"),
        ("document.read", "refused", "expired"),
    ):
        found = [
            entry
            for entry in by_worker
            if (entry["action"], entry["outcome"], entry["reason"]) == (action, outcome, reason)
        ]
        assert found, (action, outcome, reason)
        assert found[0]["actor"]["organisation"] == "CCAS de Lille"
        assert found[0]["purpose"] == "Demande de logement social"
        assert "Camille Moreau" in found[0]["sentence"]
    reads = [entry for entry in by_worker if entry["action"] == "document.read"]
    assert any(entry["documents"] == [notice] and entry["grant"] == grant for entry in reads)

    _shows_colleague_and_owner(entries)
    activity = await log_of(client, worker)
    assert {entry["actor"]["name"] for entry in activity} == {"Camille Moreau"}
    assert not {"consent.approve", "document.deposit"} & {entry["action"] for entry in activity}
    theirs = await log_of(client, colleague)
    assert {entry["actor"]["name"] for entry in theirs} == {"Dominique Petit"}
    assert "Dominique Petit" not in str(await log_of(client, worker))


def _shows_colleague_and_owner(entries: list[dict[str, Any]]) -> None:
    of_colleague = [entry for entry in entries if entry["actor"].get("name") == "Dominique Petit"]
    assert {entry["outcome"] for entry in of_colleague} == {"refused"}
    assert {entry["reason"] for entry in of_colleague} == {"not_recipient"}
    assert {entry["action"] for entry in of_colleague} >= {"document.list", "document.read"}

    own = {entry["action"] for entry in entries if entry["actor"]["kind"] == "owner"}
    assert own >= {"vault.open", "document.deposit", "document.read", "consent.approve",
                   "grant.revoke"}  # fmt: skip
    assert sorted((entry["id"] for entry in entries), reverse=True) == [
        entry["id"] for entry in entries
    ]


@pytest.mark.parametrize("store", STORES, indirect=True)
async def test_an_administration_gets_evidence_without_a_file(
    client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> None:
    """private_key_jwt, a request to attest, evidence; content stays refused; the log says so."""
    person, system = await make_person(), await make_client(name="API Aides")
    notice = await deposit(
        client,
        person,
        corpus.pdf(3),
        type_="income_tax_notice",
        issued_on="2026-08-01",
        expires_on="2027-08-01",
        title="Avis de mes revenus",
    )
    headers = await client_headers(client, system)
    grant = await granted(client, person, headers, "income_tax_notice", actions=["attest"])
    answer = await client.get(
        f"/v1/grants/{grant}/evidence", params={"type": "income_tax_notice"}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    evidence = answer.json()
    assert evidence["held"] is True
    assert (evidence["issued_on"], evidence["valid_until"]) == ("2026-08-01", "2027-08-01")
    assert evidence["verified"] is False
    assert "revenus" not in answer.text

    not_asked = await client.get(
        f"/v1/grants/{grant}/evidence", params={"type": "payslip"}, headers=headers
    )
    assert not_asked.status_code == 403
    content = await client.get(
        f"/v1/grants/{grant}/documents/{notice['id']}/content", headers=headers
    )
    assert (content.status_code, content.json()["code"]) == (403, "action_not_granted")
    listed = await client.get(f"/v1/grants/{grant}/documents", headers=headers)
    assert listed.json()["items"][0]["title"] is None

    entries = [
        entry for entry in await log_of(client, person) if entry["actor"]["kind"] == "client"
    ]
    recorded = {(entry["action"], entry["outcome"], entry["reason"]) for entry in entries}
    assert ("document.attest", "allowed", None) in recorded
    assert ("document.attest", "refused", "type_not_covered") in recorded
    assert ("document.read", "refused", "action_not_granted") in recorded
    assert {entry["actor"]["organisation"] for entry in entries} == {"CAF du Nord"}


async def test_a_request_says_nothing_of_who_holds_the_phone(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    answers = [
        await client.post(
            "/v1/consent-requests",
            headers=worker.headers,
            json=request_body(phone, "income_tax_notice"),
        )
        for phone in (person.phone, "+33612345670")
    ]
    assert {answer.status_code for answer in answers} == {202}
    known, unknown = (set(answer.json()) for answer in answers)
    assert known == unknown


async def test_several_photos_are_one_paper(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The owner keeps each photo; the recipient gets one PDF, without any place."""
    person, worker = await make_person(), await make_worker()
    photos = [corpus.phone_jpeg(), corpus.heic(), corpus.webp()]
    answer = await client.post(
        "/v1/documents",
        headers=person.headers,
        files=[("file", (f"IMG_{at}", photo)) for at, photo in enumerate(photos)],
        data={"type": "lease"},
    )
    assert answer.status_code == 201, answer.text
    lease = answer.json()["id"]
    for at, photo in enumerate(photos, 1):
        kept = await client.get(
            f"/v1/documents/{lease}/content", params={"part": at}, headers=person.headers
        )
        assert kept.content == photo
    grant = await granted(client, person, worker.headers, "lease")
    paper = await _bytes(client, worker.headers, f"/v1/grants/{grant}/documents/{lease}")
    assert paper.startswith(b"%PDF-")
    assert len(pypdfium2.PdfDocument(paper)) == 3
    assert corpus.MAKER not in paper


async def _bytes(client: httpx.AsyncClient, headers: dict[str, str], path: str) -> bytes:
    answer = await client.get(f"{path}/content", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def _without_metadata(original: bytes, sent: bytes) -> None:
    """The same pixels, turned the same way, without place or device."""
    assert corpus.MAKER in original
    for trace in (corpus.MAKER, corpus.COMMENT, b"GPS", b"ftyp", b"JFXX", b"MPF"):
        assert trace not in sent
    before, after = Image.open(io.BytesIO(original)), Image.open(io.BytesIO(sent))
    assert dict(after.getexif()) == {0x0112: 6}
    assert not after.getexif().get_ifd(0x8825)
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert after.info.get("icc_profile") == before.info.get("icc_profile")


def _without_id(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "request_id"}
