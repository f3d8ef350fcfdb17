"""A worker's people over HTTP: who gave them something, all of it in one place, under a label."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from base.ids import parse_id
from tests.fixtures import MakeClient, MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.steps import (
    Headers,
    again,
    approve,
    ask,
    client_headers,
    deposit,
    granted,
    is_problem,
    log_of,
    revoke,
)
from tests.vault.decoding import corpus
from vault.consent import person_labels
from vault.consent.grants import revoke as revoke_grant
from vault.maintenance.cleanup import sweep_rows
from vault.services import Services

PDF = corpus.pdf(1)


async def people(client: httpx.AsyncClient, headers: Headers, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/people", headers=headers, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def label(
    client: httpx.AsyncClient, worker: SomeWorker, person: str, text: str | None, **headers: str
) -> httpx.Response:
    return await client.patch(
        f"/v1/people/{person}", headers={**worker.headers, **headers}, json={"label": text}
    )


async def everything(client: httpx.AsyncClient, worker: SomeWorker, person: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/people/{person}", headers=worker.headers)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def ways(shown: dict[str, Any]) -> dict[str, Any]:
    """Each paper's title, and under which grants it is, with which actions."""
    return {
        one["id"]: (one["title"], [(way["grant_id"], way["actions"]) for way in one["grants"]])
        for one in shown["papers"]["items"]
    }


async def gift(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, **scope: list[str]
) -> str:
    """A grant that nobody asked for."""
    body = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_types": [], "document_ids": [], "actions": ["read"], **scope},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_everything_that_one_person_gave_is_in_one_place(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Each paper once, under each grant that covers it; the requests that led to them; what ended;
    one line of the log for each grant used."""
    person, worker = await make_person(), await make_worker()
    tax = await deposit(client, person, PDF, title="Avis")
    pay = await deposit(client, person, corpus.pdf(2), type_="payslip", title="Paie")
    # A paper that no grant covers.
    await deposit(client, person, corpus.pdf(3), type_="lease")
    asked = await ask(client, worker.headers, person.phone, "income_tax_notice", actions=["attest"])
    attest = (await approve(client, person, asked))["id"]
    read = await granted(client, person, worker.headers, "income_tax_notice", "payslip")
    given = await gift(client, person, worker, document_ids=[pay["id"]])
    adding = await gift(client, person, worker, document_types=["lease"], actions=["deposit"])
    over = await granted(client, person, worker.headers, "lease")
    await revoke(client, person, over)
    waiting = await ask(client, worker.headers, person.phone, "payslip")
    before = len(await log_of(client, person))

    (known,) = await people(client, worker.headers)
    assert (known["label"], known["phone"], known["live_grants"]) == (None, person.phone, 4)
    assert (known["waiting_requests"], known["ends_soon"], known["ended_at"]) == (1, False, None)
    assert known["ends_next"] > known["last_given_at"]
    assert len(await log_of(client, person)) == before

    shown = await everything(client, worker, known["id"])
    assert {name: shown[name] for name in known} == known
    assert [one["id"] for one in shown["live"]] == [adding, given, read, attest]
    assert [one["id"] for one in shown["ended"]] == [over]
    assert [one["id"] for one in shown["waiting"]] == [waiting]
    assert {one["grant_id"] for one in shown["approved"]} == {attest, read, over}
    assert ways(shown) == {
        tax["id"]: ("Avis", [(attest, ["attest"]), (read, ["read"])]),
        pay["id"]: ("Paie", [(read, ["read"]), (given, ["read"])]),
    }
    lines = [one for one in await log_of(client, person) if one["action"] == "document.list"]
    assert {one["grant"]: set(one["documents"]) for one in lines} == {
        attest: {tax["id"]},
        read: {tax["id"], pay["id"]},
        given: {pay["id"]},
    }
    assert all(one["purpose"] and one["actor"]["name"] for one in lines)


async def test_a_paper_that_is_only_attested_says_no_more(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, PDF, title="Avis")
    await granted(client, person, worker.headers, "income_tax_notice", actions=["attest"])
    (known,) = await people(client, worker.headers)
    answer = await client.get(f"/v1/people/{known['id']}", headers=worker.headers)
    (paper,) = answer.json()["papers"]["items"]
    assert (paper["type"], paper["title"], paper["file"]) == ("income_tax_notice", None, None)


async def test_pages_of_papers_and_of_people(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Papers under two grants, a page at a time: each once, and recorded where it was shown."""
    person, other, worker = await make_person(), await make_person(), await make_worker()
    held = [
        (await deposit(client, person, corpus.pdf(pages), type_="payslip"))["id"]
        for pages in (1, 2, 3)
    ]
    types = await granted(client, person, worker.headers, "payslip")
    await gift(client, person, worker, document_ids=[held[0]])
    await gift(client, other, worker, document_types=["payslip"])

    first = await client.get("/v1/people?limit=1", headers=worker.headers)
    (newest,) = first.json()["items"]
    assert newest["phone"] is None  # nobody wrote a number
    cursor = first.json()["next"]
    (known,) = await people(client, worker.headers, limit=1, cursor=cursor)
    assert known["phone"] == person.phone

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while query:
        answer = await client.get(f"/v1/people/{known['id']}", params=query, headers=worker.headers)
        page = answer.json()["papers"]
        seen += [one["id"] for one in page["items"]]
        query = {"limit": 2, "cursor": page["next"]} if page["next"] else {}
    assert seen == held[::-1]
    lines = [one for one in await log_of(client, person) if one["grant"] == types]
    listed = [one["documents"] for one in lines if one["action"] == "document.list"]
    assert [len(one) for one in listed] == [1, 2]
    is_problem(
        await client.get(f"/v1/people/{known['id']}?cursor=x", headers=worker.headers),
        422,
        "cursor_invalid",
    )


async def test_a_label_is_written_found_and_taken_away(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    for _ in range(2):
        await granted(client, await make_person(), worker.headers, "payslip")
    eloise, other = [one["id"] for one in await people(client, worker.headers)]
    seen = (await client.get(f"/v1/people/{eloise}", headers=worker.headers)).headers["etag"]

    written = await label(
        client, worker, eloise, "  Éloïse  Œuvrard-Ben Saïd ", **{"If-Match": seen}
    )
    assert (written.status_code, written.json()["label"]) == (200, "Éloïse Œuvrard-Ben Saïd")
    assert (await label(client, worker, other, "M. Benoît")).status_code == 200
    for query, found in {
        "eloise": [eloise],
        "OEUVRARD said": [eloise],
        "saïd éloï": [eloise],
        "ben": [eloise, other],
        "benoit": [other],
        "eloise benoit": [],
        "’": [],
    }.items():
        assert [one["id"] for one in await people(client, worker.headers, q=query)] == found, query

    # Of two changes of what was seen once, the second is refused.
    is_problem(
        await label(client, worker, eloise, "X", **{"If-Match": seen}), 412, "changed_meanwhile"
    )
    now = written.headers["etag"]
    same = await label(client, worker, eloise, "Éloïse Œuvrard-Ben Saïd", **{"If-Match": now})
    assert same.headers["etag"] == now != seen
    gone = await label(client, worker, eloise, " ", **{"If-Match": now})
    assert (gone.json()["label"], gone.headers["etag"]) == (None, seen)
    assert [one["label"] for one in await people(client, worker.headers)] == [None, "M. Benoît"]
    is_problem(await label(client, worker, eloise, "x" * 81), 422, "text_too_long")
    is_problem(
        await client.patch(f"/v1/people/{eloise}", headers=worker.headers, json={}), 422, None
    )


async def test_labels_are_some_hundreds_at_most(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, monkeypatch: Any
) -> None:
    """Each search opens all of them."""
    assert person_labels.MAX_LABELS == 500
    monkeypatch.setattr(person_labels, "MAX_LABELS", 1)
    worker = await make_worker()
    for _ in range(2):
        await granted(client, await make_person(), worker.headers, "payslip")
    one, other = [each["id"] for each in await people(client, worker.headers)]
    assert (await label(client, worker, one, "A")).status_code == 200
    is_problem(await label(client, worker, other, "B"), 409, "too_many_labels")
    assert (await label(client, worker, one, "C")).status_code == 200
    assert (await label(client, worker, one, None)).status_code == 200
    assert (await label(client, worker, other, "B")).status_code == 200


async def test_what_ends_soon_and_what_is_over(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """A grant ends; six months later its person is shown no more, and their label is deleted; a
    grant that is given then brings the person back, under the same id."""
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip", duration="P1M")
    (known,) = await people(client, worker.headers)
    assert (await label(client, worker, known["id"], "Mme A.")).status_code == 200
    assert await people(client, worker.headers, only="ends_soon") == []

    moved_clock(timedelta(days=20))
    headers = await again(services, worker)
    (soon,) = await people(client, headers, only="ends_soon")
    assert (soon["id"], soon["ends_soon"]) == (known["id"], True)

    moved_clock(timedelta(days=35))
    headers = await again(services, worker)
    (over,) = await people(client, headers)
    assert (over["live_grants"], over["ends_next"]) == (0, None)
    assert over["ended_at"] == known["ends_next"]
    answer = await client.get(f"/v1/people/{over['id']}", headers=headers)
    assert (answer.json()["papers"]["items"], len(answer.json()["ended"])) == ([], 1)

    moved_clock(timedelta(days=200))
    await sweep_rows(services)
    assert [one["label"] for one in await people(client, await again(services, worker))] == [
        "Mme A."
    ]
    moved_clock(timedelta(days=31 + 184))
    headers = await again(services, worker)
    assert await people(client, headers) == []
    is_problem(await client.get(f"/v1/people/{known['id']}", headers=headers), 404, "not_found")
    await sweep_rows(services)

    moved_clock(timedelta())
    (back,) = await people(client, worker.headers)
    assert (back["id"], back["label"]) == (known["id"], None)


async def test_what_was_over_does_not_end_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """A person may revoke what has expired: it ended when it expired, and six months count from
    then."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip", duration="P1M")
    (known,) = await people(client, worker.headers)
    moved_clock(timedelta(days=60))
    await revoke_grant(services, person.subject, UUID(grant))
    (over,) = await people(client, await again(services, worker))
    assert over["ended_at"] == known["ends_next"]


async def test_people_are_a_workers(
    client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> None:
    system = await client_headers(client, await make_client())
    for headers in ((await make_person()).headers, system):
        is_problem(await client.get("/v1/people", headers=headers), 403, "wrong_caller")
    is_problem(await client.get("/v1/people"), 401, "unauthenticated")


async def test_the_id_is_a_uuid_of_its_own(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker, person = await make_worker(), await make_person()
    await granted(client, person, worker.headers, "payslip")
    (known,) = await people(client, worker.headers)
    shown = parse_id(known["id"])
    assert shown is not None
    assert (shown.version, shown.variant) == (8, "specified in RFC 4122")
    assert shown != person.id
