"""Mandates over HTTP: prepared, printed, scanned, signed for; what is refused, and when it ends."""

import asyncio
import io
from typing import Any
from uuid import UUID

import httpx
import pypdfium2
import pytest
import segno

from tests.fixtures import MakeClient, MakePerson, MakeWorker, SomePerson
from tests.mandates import (
    authorisation,
    keep_scan,
    mandate_body,
    prepare,
    printed,
    scan_of,
    sign,
)
from tests.meetings import met
from tests.steps import approve, ask, client_headers, deposit, is_problem, log_of, revoke
from tests.vault.decoding import corpus
from tests.web.api.test_consent_evidence import rows_of
from tests.web.api.test_receipts import holds, keys_of, receipt_of
from vault.consent import mandates
from vault.consent.mandate_codes import codes_of
from vault.consent.mandate_papers import TAG_BYTES, PageCode, read_code
from vault.services import Services

PDF = corpus.pdf(1)


async def grants_of(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    answer = await client.get("/v1/grants", headers=person.headers)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_three_authorisations_one_of_them_revoked(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(language="ar"), await make_worker()
    slip = await deposit(client, person, PDF, type_="payslip")
    prepared = await prepare(client, worker, person)
    # Until the person says yes, nothing is given: neither by the paper nor by its print.
    pdf = await printed(client, worker, prepared["id"])
    scan = await keep_scan(client, person, scan_of(pdf))
    assert await grants_of(client, person) == []
    answer = await sign(client, person, prepared["id"], scan, prepared["request_ids"])
    assert answer.status_code == 201, answer.text
    mandate = answer.json()
    first, second, third = mandate["grants"]
    assert [one["scope"]["document_types"] for one in (first, second, third)] == [
        ["payslip"], ["lease"], ["rent_receipt"],
    ]  # fmt: skip
    assert {one["recipient"]["id"] for one in mandate["grants"]} == {str(worker.id)}
    content = f"/v1/grants/{first['id']}/documents/{slip['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    await revoke(client, person, first["id"])
    assert (await client.get(content, headers=worker.headers)).status_code == 403
    states = {one["id"]: one["state"] for one in await grants_of(client, person)}
    assert states == {first["id"]: "revoked", second["id"]: "live", third["id"]: "live"}

    (row, end) = await rows_of(services, first["id"])
    assert (row.kind, row.level, row.channel) == ("signed_mandate", "phone_code", "paper")
    assert (row.language, row.template) == ("ar", "printouts/mandate/2")
    assert row.template_hash.hex() == mandate["template_sha256"]
    assert (row.worker_id, str(row.mandate_id)) == (worker.id, prepared["id"])
    assert (end.change, end.kind, end.mandate_id) == ("revoked", "app", None)
    for side in (person, worker):
        receipt = await receipt_of(client, side, second["id"])
        assert holds(receipt, await keys_of(client))
        (evidence,) = receipt["evidence"]
        assert evidence["mandate"]["id"] == prepared["id"]
        assert len(evidence["mandate"]["scan_sha256"]) == 64
        assert ("languages" in evidence) is (side is person)
    lines = [one for one in await log_of(client, person) if one["action"] == "consent.approve"]
    assert {one["grant"] for one in lines} == {one["id"] for one in mandate["grants"]}


async def test_only_what_was_ticked_is_given(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person)
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    answer = await sign(client, person, prepared["id"], scan, prepared["request_ids"][1:2])
    assert [one["scope"]["document_types"] for one in answer.json()["grants"]] == [["lease"]]
    # To the worker, what was not ticked looks unanswered.
    seen = await client.get(f"/v1/mandates/{prepared['id']}", headers=worker.headers)
    states = [one["state"] for one in seen.json()["authorisations"]]
    assert states == ["waiting", "approved", "waiting"]
    again = await sign(client, person, prepared["id"], scan, prepared["request_ids"][:1])
    is_problem(again, 409, "mandate_signed")
    assert len(await grants_of(client, person)) == 1


async def test_the_same_key_signs_once(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    key = {"Idempotency-Key": "once"}
    body = mandate_body(person, authorisation("payslip"))
    headers = worker.headers | key
    asked = [await client.post("/v1/mandates", headers=headers, json=body) for _ in range(2)]
    assert asked[0].json() == asked[1].json()
    prepared = asked[0].json()
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    each = [
        await sign(client, person, prepared["id"], scan, prepared["request_ids"], **key)
        for _ in range(2)
    ]
    assert [one.status_code for one in each] == [201, 201]
    assert each[0].json()["grants"][0]["id"] == each[1].json()["grants"][0]["id"]


async def test_signed_twice_at_once_it_is_signed_once(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person, authorisation("payslip"))
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    both = await asyncio.gather(
        *(sign(client, person, prepared["id"], scan, prepared["request_ids"]) for _ in range(2))
    )
    assert sorted(one.status_code for one in both) == [201, 409]
    assert len(await grants_of(client, person)) == 1


async def test_a_worker_signs_for_nobody(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    """Neither with a session of their own, nor by a vault of their own."""
    person, worker, system = await make_person(), await make_worker(), await make_client()
    prepared = await prepare(client, worker, person)
    own_vault = await make_person()
    scan = await keep_scan(
        client, own_vault, scan_of(await printed(client, worker, prepared["id"]))
    )
    path, body = f"/v1/mandates/{prepared['id']}", {
        "document_id": scan,
        "authorisations": prepared["request_ids"],
    }  # fmt: skip
    for headers in (worker.headers, await client_headers(client, system)):
        for act in ("sign", "go-on"):
            is_problem(await client.post(f"{path}/{act}", headers=headers, json=body), 403,
                       "wrong_caller")  # fmt: skip
    is_problem(await client.post(f"{path}/sign", headers=own_vault.headers, json=body), 404,
               "not_found")  # fmt: skip
    is_problem(
        await client.post("/v1/mandates", headers=person.headers, json=mandate_body(person)),
        403, "wrong_caller",
    )  # fmt: skip
    assert await grants_of(client, person) == []


async def test_a_scan_that_is_another_paper(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    prepared, other = [await prepare(client, worker, person) for _ in range(2)]
    pdf = await printed(client, worker, prepared["id"])
    papers = {
        "mandate_scan_unread": PDF,
        "mandate_scan_other": scan_of(await printed(client, worker, other["id"]), dpi=150),
        "mandate_scan_incomplete": scan_of(pdf, without=2),
    }
    for code, paper in papers.items():
        document = await keep_scan(client, person, paper)
        answer = await sign(client, person, prepared["id"], document, prepared["request_ids"])
        is_problem(answer, 422, code)
        assert answer.json()["errors"][0]["pointer"] == "#/document_id"
    assert await grants_of(client, person) == []
    # Of somebody else, a paper is not there.
    theirs = await keep_scan(client, await make_person(), scan_of(pdf))
    answer = await sign(client, person, prepared["id"], theirs, prepared["request_ids"])
    is_problem(answer, 404, "not_found")


async def test_a_scan_that_the_worker_put_in(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Who signs adds the scan: nobody says yes to a paper that they never had in hand."""
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person, authorisation("payslip"))
    scan = scan_of(await printed(client, worker, prepared["id"]))
    scope = {"document_types": ["power_of_attorney"], "document_ids": [], "actions": ["deposit"]}
    grant = await approve(
        client, person, await ask(client, worker.headers, person.phone, scope=scope)
    )
    added = await client.post(
        f"/v1/grants/{grant['id']}/documents",
        headers=worker.headers,
        files=[("file", ("scan.pdf", scan))],
        data={"type": "power_of_attorney"},
    )
    assert added.status_code in {200, 201}, added.text
    answer = await sign(client, person, prepared["id"], added.json()["id"], prepared["request_ids"])
    is_problem(answer, 422, "mandate_scan_deposited")
    assert answer.json()["errors"][0]["pointer"] == "#/document_id"
    own = await keep_scan(client, person, scan)
    answer = await sign(client, person, prepared["id"], own, prepared["request_ids"])
    assert answer.status_code == 201, answer.text


async def test_a_sheet_made_at_home_is_no_page_of_it(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """With the words of a code, and one page where two were printed."""
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person)
    id_ = UUID(prepared["id"])
    assert len(pypdfium2.PdfDocument(await printed(client, worker, prepared["id"]))) > 1
    (whole, *_rest) = await codes_of(services, id_, 2)
    tag = read_code(whole)
    assert tag is not None
    forged = [PageCode(id_, 1, 1).text(one) for one in (bytes(TAG_BYTES), tag[1])]
    for code in forged:
        drawn = io.BytesIO()
        segno.make_qr(code, error="h").save(drawn, kind="png", scale=8, border=4)
        document = await keep_scan(client, person, drawn.getvalue())
        answer = await sign(client, person, prepared["id"], document, prepared["request_ids"])
        is_problem(answer, 422, "mandate_scan_unread")
    assert await grants_of(client, person) == []
    # Drawn the same way, what we made is read: it is refused for its tag alone.
    drawn = io.BytesIO()
    segno.make_qr(whole, error="h").save(drawn, kind="png", scale=8, border=4)
    document = await keep_scan(client, person, drawn.getvalue())
    answer = await sign(client, person, prepared["id"], document, prepared["request_ids"])
    is_problem(answer, 422, "mandate_scan_incomplete")


async def test_what_stands_on_no_mandate_is_not_chosen(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person)
    other = await prepare(client, worker, person, authorisation("payslip"))
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    chosen = [prepared["request_ids"][0], other["request_ids"][0]]
    is_problem(await sign(client, person, prepared["id"], scan, chosen), 422, "mandate_choice")
    assert await grants_of(client, person) == []


@pytest.mark.parametrize("action", ["read", "deposit"])
async def test_a_sort_that_became_sensitive_is_not_given_by_a_paper(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    action: str,
) -> None:
    """Not even to add one."""
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person, authorisation("payslip", actions=[action]))
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    monkeypatch.setattr(mandates.catalogue, "is_sensitive", lambda code: code == "payslip")
    answer = await sign(client, person, prepared["id"], scan, prepared["request_ids"])
    is_problem(answer, 422, "mandate_sensitive")
    monkeypatch.undo()
    assert await grants_of(client, person) == []


async def test_one_that_was_withdrawn_leaves_none_given(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """All that was chosen, or nothing: no half of a paper."""
    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person)
    scan = await keep_scan(client, person, scan_of(await printed(client, worker, prepared["id"])))
    last = prepared["request_ids"][2]
    await client.post(f"/v1/consent-requests/{last}/withdraw", headers=worker.headers)
    answer = await sign(client, person, prepared["id"], scan, prepared["request_ids"])
    is_problem(answer, 409, "request_withdrawn")
    assert await grants_of(client, person) == []
    answer = await sign(client, person, prepared["id"], scan, prepared["request_ids"][:2])
    assert len(answer.json()["grants"]) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authorisations": [authorisation("payslip"), authorisation("residence_permit")]},
         "mandate_sensitive"),
        ({"authorisations": [authorisation("residence_permit", actions=["deposit"])]},
         "mandate_sensitive"),
        ({"authorisations": [authorisation("payslip")] * 6}, "invalid_request"),
        ({"authorisations": []}, "invalid_request"),
        ({"authorisations": [authorisation("payslip", duration="P13M")]}, "duration_too_long"),
        ({"language": "tlh"}, "invalid_field"),
        ({"person": {"phone": "0320000001"}}, "phone_landline"),
    ],
)  # fmt: skip
async def test_what_no_mandate_says(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    change: dict[str, Any],
    code: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    body = mandate_body(person) | change
    answer = await client.post("/v1/mandates", headers=worker.headers, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    asked = await client.get("/v1/consent-requests", headers=person.headers)
    assert asked.json()["items"] == []


async def test_a_phone_without_a_vault_gives_the_same_answer(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    nobody = mandate_body(person) | {"person": {"phone": "06 12 34 56 01"}}
    answer = await client.post("/v1/mandates", headers=worker.headers, json=nobody)
    known = await prepare(client, worker, person)
    assert answer.status_code == 202
    assert answer.json().keys() == known.keys()
    unread = [await printed(client, worker, one) for one in (answer.json()["id"], known["id"])]
    assert all(one.startswith(b"%PDF") for one in unread)


async def test_through_a_meeting(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Several things by one meeting, which is used by it."""
    person, worker = await make_person(), await make_worker()
    through = {"person": {"meeting": await met(client, worker, person)}}
    prepared = await prepare(client, worker, person, whom=through["person"])
    waiting = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"]
    assert {one["id"] for one in waiting} == set(prepared["request_ids"])
    again = await client.post(
        "/v1/mandates", headers=worker.headers, json=mandate_body(person) | through
    )
    is_problem(again, 409, "meeting_over")


async def test_a_form_that_changed_is_not_printed(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is kept with a consent is the digest of what was signed."""
    from web.printouts import mandate_sheet

    person, worker = await make_person(), await make_worker()
    prepared = await prepare(client, worker, person)
    monkeypatch.setattr(mandate_sheet, "form_hash", lambda _language: bytes(32))
    answer = await client.get(f"/v1/mandates/{prepared['id']}/sheet.pdf", headers=worker.headers)
    is_problem(answer, 409, "mandate_form_changed")


async def test_another_worker_sees_no_mandate(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, other = await make_person(), await make_worker(), await make_worker()
    prepared = await prepare(client, worker, person)
    for path in ("", "/sheet.pdf"):
        answer = await client.get(f"/v1/mandates/{prepared['id']}{path}", headers=other.headers)
        is_problem(answer, 404, "not_found")
    seen = await client.get(f"/v1/mandates/{prepared['id']}", headers=person.headers)
    assert [one["request_id"] for one in seen.json()["authorisations"]] == prepared["request_ids"]
