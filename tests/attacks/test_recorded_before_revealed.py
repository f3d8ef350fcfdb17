"""Invariants 1 and 2: a log that cannot be written reveals nothing, and refusals are recorded."""

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from base.settings import Settings
from tests.attacks.broken_log import Breakable
from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, blobs, client_headers, counted, deposit, drawn, granted, log_of, revoke
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, pictures_of, send
from tests.web.pages.test_pages import a_photo, browser_of
from vault.services import Services
from web.process.services import CannotServe, open_services

PDF = corpus.pdf(2)
TITLE = "Hortense-Titre-51"


async def test_nothing_leaves_when_the_log_cannot_be_written(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
    log: Breakable,
) -> None:
    """Content, range, list, evidence, preview, receipt; for the owner, a worker and a client."""
    person, worker, system = await make_person(), await make_worker(), await make_client()
    document = await deposit(client, person, PDF, title=TITLE)
    await drawn(services, person, document)
    headers = await client_headers(client, system)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    theirs = await granted(client, person, headers, "income_tax_notice", actions=["attest"])
    asked = await ask(client, worker.headers, person.phone, "income_tax_notice")
    known = (await client.get("/v1/people", headers=worker.headers)).json()["items"][0]["id"]
    reading = [
        (person.headers, "/v1/documents"),
        (person.headers, f"/v1/documents/{document['id']}"),
        (person.headers, f"/v1/documents/{document['id']}/content"),
        (person.headers, f"/v1/documents/{document['id']}/preview"),
        (person.headers, f"/v1/documents/{document['id']}/sheet.pdf"),
        (person.headers, f"/v1/consent-requests/{asked}/sheet.pdf"),
        (person.headers, f"/v1/grants/{grant}/receipt.pdf"),
        (worker.headers, f"/v1/grants/{grant}"),
        (worker.headers, f"/v1/grants/{grant}/receipt.pdf"),
        (worker.headers, f"/v1/grants/{grant}/receipt"),
        (worker.headers, f"/v1/grants/{grant}/documents"),
        (worker.headers, f"/v1/grants/{grant}/documents/{document['id']}/content"),
        (worker.headers, f"/v1/grants/{grant}/documents/{document['id']}/preview"),
        (worker.headers, f"/v1/grants/{grant}/evidence?type=income_tax_notice"),
        (worker.headers, f"/v1/people/{known}"),
        (headers, f"/v1/grants/{theirs}/evidence?type=income_tax_notice"),
        (headers, f"/v1/grants/{theirs}/documents"),
    ]
    for caller, path in reading:
        assert (await client.get(path, headers=caller)).status_code == 200, path
    log.break_()
    for caller, path in reading:
        answer = await client.get(path, headers={**caller, "Range": "bytes=0-10"})
        assert answer.status_code >= 500, path
        assert answer.headers["content-type"] == "application/problem+json"
        for secret in (b"%PDF", TITLE.encode(), document["id"].encode(), b"\xff\xd8\xff"):
            assert secret not in answer.content


async def test_nothing_changes_when_the_log_cannot_be_written(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    log: Breakable,
) -> None:
    """A deposit, a correction, a deletion, a revocation, a report: not done, because not
    recorded."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF, title=TITLE)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    asked = await ask(client, worker.headers, person.phone, "payslip")
    kept = await blobs(services)
    path = f"/v1/documents/{document['id']}"
    line = (await log_of(client, person))[0]["id"]
    log.break_()
    refused = [
        await client.post(f"/v1/access-log/{line}/report", headers=person.headers),
        await client.post(
            "/v1/documents",
            headers=person.headers,
            files={"file": corpus.pdf(1)},
            data={"type": "payslip"},
        ),
        await client.patch(path, headers=person.headers, json={"title": "Autre"}),
        await client.delete(path, headers=person.headers),
        await client.post(f"/v1/grants/{grant}/revoke", headers=person.headers),
        await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers),
        await client.post(f"/v1/consent-requests/{asked}/withdraw", headers=worker.headers),
        await client.request("DELETE", "/v1/me", headers=person.headers, json={"code": "123456"}),
        await client.post("/v1/me/erasure/code", headers=person.headers),
        await client.delete("/v1/sessions/current", headers=person.headers),
        await client.delete("/v1/sessions?current=true", headers=person.headers),
    ]
    assert {answer.status_code // 100 for answer in refused} == {5}
    log.mend()
    assert await counted(services, "document", person) == 1
    assert await counted(services, "report", person) == 0
    assert await blobs(services) >= kept
    assert (await client.get(path, headers=person.headers)).json()["title"] == TITLE
    still = await client.get(f"/v1/grants/{grant}", headers=worker.headers)
    assert still.json()["state"] == "live"
    sent = await client.get(f"/v1/consent-requests/{asked}", headers=worker.headers)
    assert sent.json()["state"] == "waiting"


async def test_the_event_is_there_when_the_first_byte_is(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Read on another connection as soon as the headers arrive: the event is committed."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    before = await counted(services, "access_event")
    async with client.stream("GET", path, headers=worker.headers) as answer:
        assert answer.status_code == 200
        assert await counted(services, "access_event") == before + 1
        await answer.aread()


async def test_the_service_does_not_start_without_its_log(
    base_settings: Settings, postgres: Addresses
) -> None:
    """It refuses to start if it may not insert, and if it may do more than insert."""
    address = postgres.owner_url.replace("+psycopg", "")
    wrong = [
        ("REVOKE INSERT ON unefois.access_event FROM", "GRANT INSERT ON unefois.access_event TO"),
        ("GRANT UPDATE ON unefois.access_event TO", "REVOKE UPDATE ON unefois.access_event FROM"),
        ("GRANT DELETE ON unefois.access_event TO", "REVOKE DELETE ON unefois.access_event FROM"),
        (
            "GRANT TRUNCATE ON unefois.access_outcome TO",
            "REVOKE TRUNCATE ON unefois.access_outcome FROM",
        ),
    ]
    with psycopg.connect(address, autocommit=True) as owner:
        for spoil, mend in wrong:
            owner.execute(f"{spoil} unefois_service".encode())
            try:
                with pytest.raises(CannotServe, match="the log cannot be trusted"):
                    async with open_services(base_settings):
                        pass
            finally:
                owner.execute(f"{mend} unefois_service".encode())
    async with open_services(base_settings):
        pass


async def test_a_refusal_is_recorded_though_its_act_is_rolled_back(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """One entry in the person's log, one in the refused caller's own activity, and nothing else."""
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    document = await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice", actions=["deposit"])
    under = f"/v1/grants/{grant}/documents"
    events = await counted(services, "access_event")

    async def refused(who: SomeWorker, path: str, reason: str, status: int) -> None:
        nonlocal events
        answer = await client.get(path, headers=who.headers)
        assert answer.status_code == status
        events += 1
        assert await counted(services, "access_event") == events
        answered = "not_found" if status == 404 else reason
        for log, expected in (
            (await log_of(client, person), reason),
            (await log_of(client, who), answered),
        ):
            assert (log[0]["outcome"], log[0]["reason"]) == ("refused", expected)
            streamed = log[0]["action"] in {"document.read", "document.preview"}
            assert log[0]["confirmed"] == ("not_sent" if streamed else None)

    content = f"{under}/{document['id']}/content"
    await refused(worker, content, "action_not_granted", 403)
    await refused(worker, under, "action_not_granted", 403)
    await refused(colleague, content, "not_recipient", 404)
    await refused(colleague, under, "not_recipient", 404)
    await revoke(client, person, grant)
    events += 1
    await refused(worker, content, "revoked", 403)


async def test_an_unattributable_refusal_costs_a_line_too(
    services: Services, client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    """What does not exist is recorded under the service's key: same appearance, same cost."""
    worker = await make_worker()
    events = await counted(services, "access_event")
    nothing = "01890000-0000-7000-8000-000000000001"
    for path in (f"/v1/grants/{nothing}", f"/v1/grants/{nothing}/documents/{nothing}/content"):
        assert (await client.get(path, headers=worker.headers)).status_code == 404
    assert await counted(services, "access_event") == events + 2


async def test_the_owners_own_acts_are_recorded_as_theirs(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person: SomePerson = await make_person()
    document = await deposit(client, person, PDF)
    path = f"/v1/documents/{document['id']}"
    await client.get("/v1/documents", headers=person.headers)
    await client.get(f"{path}/content", headers=person.headers)
    await client.patch(path, headers=person.headers, json={"title": "Avis"})
    await client.delete(path, headers=person.headers)
    await client.post(f"{path}/restore", headers=person.headers)
    entries = await log_of(client, person)
    actions = [entry["action"] for entry in entries if entry["documents"] == [document["id"]]]
    assert actions == [
        "document.list",
        "document.restore",
        "document.delete",
        "document.correct",
        "document.read",
        "document.list",
        "document.deposit",
    ]
    assert {entry["actor"]["kind"] for entry in entries} <= {"owner", "anonymous"}
    assert entries[0]["sentence"].startswith("Vous ")


async def test_no_photo_of_a_paper_being_added_is_shown_when_the_log_cannot_be_written(
    served: Served, make_person: MakePerson, log: Breakable
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        (only,) = pictures_of(await browser.get(f"{draft_of(sent)}/check"))
        assert (await browser.get(f"{only}/preview")).content.startswith(b"\xff\xd8\xff")
        log.break_()
        answer = await browser.get(f"{only}/preview")
        assert answer.status_code >= 500
        assert b"\xff\xd8\xff" not in answer.content
