"""Invariant 4: a sensitive paper is shown only where its owner picked it, whatever made it so."""

from typing import Any

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted
from tests.vault.decoding import corpus

PDF = corpus.pdf(1)


async def mark(
    client: httpx.AsyncClient,
    person: SomePerson,
    document: dict[str, Any],
    *,
    sensitive: bool = True,
) -> dict[str, Any]:
    answer = await client.patch(
        f"/v1/documents/{document['id']}",
        headers=person.headers,
        json={"sensitive": sensitive},
    )
    assert answer.status_code == 200
    changed: dict[str, Any] = answer.json()
    assert changed["sensitive"] is sensitive
    return changed


async def seen_under(
    client: httpx.AsyncClient, worker: SomeWorker, grant: str, *documents: dict[str, Any]
) -> tuple[set[str], list[int], dict[str, Any]]:
    """What a worker gets: the ids listed, a status for each opened, the evidence of payslips."""
    under = f"/v1/grants/{grant}"
    listed = (await client.get(f"{under}/documents", headers=worker.headers)).json()["items"]
    opened = [
        await client.get(f"{under}/documents/{one['id']}/content", headers=worker.headers)
        for one in documents
    ]
    told = await client.get(f"{under}/evidence?type=payslip", headers=worker.headers)
    return {one["id"] for one in listed}, [one.status_code for one in opened], told.json()


@pytest.mark.parametrize("code", ["other", "bank_statement"])
async def test_what_may_hold_anything_is_granted_only_paper_by_paper(
    code: str, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, PDF, type_=code)
    scope = {"document_types": [code], "document_ids": [], "actions": ["read"]}
    body = {
        "recipient": {"worker_id": str(worker.id)},
        "scope": scope,
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    given = await client.post("/v1/grants", headers=person.headers, json=body)
    assert (given.status_code, given.json()["code"]) == (422, "sensitive_by_type")
    # It may be asked for, and is then picked.
    request = await ask(client, worker.headers, person.phone, code)
    whole = await client.post(
        f"/v1/consent-requests/{request}/approve", headers=person.headers, json={}
    )
    assert (whole.status_code, whole.json()["code"]) == (422, "sensitive_by_type")
    picked = await approve(client, person, request, scope={"document_ids": [held["id"]]})
    listed, opened, _ = await seen_under(client, worker, picked["id"], held)
    assert (listed, opened) == ({held["id"]}, [200])


@pytest.mark.parametrize("ticked", [False, True])
async def test_a_paper_called_sensitive_leaves_the_grants_by_type(
    ticked: bool, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, PDF, type_="payslip")
    narrower = {"covers_future": True} if ticked else {}
    grant = await granted(client, person, worker.headers, "payslip", narrower=narrower)
    assert (await seen_under(client, worker, grant, paper))[:2] == ({paper["id"]}, [200])
    # 1. Marked: as if it was not held, in all three answers.
    await mark(client, person, paper)
    listed, opened, told = await seen_under(client, worker, grant, paper)
    assert (listed, opened) == (set(), [404])
    assert (told["held"], told["documents"]) == (False, 0)
    # 2. No longer marked: as if it was added that day.
    await mark(client, person, paper, sensitive=False)
    listed, opened, told = await seen_under(client, worker, grant, paper)
    assert (listed, opened) == (({paper["id"]}, [200]) if ticked else (set(), [404]))
    assert told["held"] is ticked


async def test_a_paper_deposited_as_sensitive_is_in_no_grant_by_type(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, PDF, type_="payslip", sensitive="true")
    assert paper["sensitive"] is True
    grant = await granted(
        client, person, worker.headers, "payslip", narrower={"covers_future": True}
    )
    later = await deposit(client, person, corpus.pdf(2), type_="payslip", sensitive="true")
    listed, opened, told = await seen_under(client, worker, grant, paper, later)
    assert (listed, opened, told["held"]) == (set(), [404, 404], False)


async def test_a_paper_called_sensitive_is_shown_where_it_was_picked(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """By id beside the type, with the words of its type; the recipient is not told of the mark."""
    person, worker = await make_person(), await make_worker()
    plain = await deposit(client, person, PDF, type_="payslip")
    marked = await deposit(client, person, corpus.pdf(2), type_="payslip", sensitive="true")
    hidden = await deposit(client, person, corpus.pdf(3), type_="payslip", sensitive="true")
    request = await ask(client, worker.headers, person.phone, "payslip")
    mine = (await client.get("/v1/consent-requests", headers=person.headers)).json()
    (covers,) = mine["items"][0]["covers"]
    assert set(covers["document_ids"]) == {plain["id"], marked["id"], hidden["id"]}
    assert set(covers["sensitive_ids"]) == {marked["id"], hidden["id"]}
    scope = {"document_types": ["payslip"], "document_ids": [marked["id"]]}
    grant = (await approve(client, person, request, scope=scope))["id"]
    listed, opened, told = await seen_under(client, worker, grant, plain, marked, hidden)
    assert (listed, opened) == ({plain["id"], marked["id"]}, [200, 200, 404])
    assert (told["held"], told["documents"]) == (True, 2)
    items = await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    shapes = {frozenset(one) for one in items.json()["items"]}
    assert len(shapes) == 1
    assert "sensitive" not in next(iter(shapes))


async def test_only_the_owner_calls_a_paper_sensitive(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip", actions=["deposit"])
    sent = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=worker.headers,
        files={"file": PDF},
        data={"type": "payslip", "sensitive": "true"},
    )
    assert (sent.status_code, sent.json()["code"]) == (422, "invalid_field")


async def test_adding_papers_of_a_sensitive_type_shows_none(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """What a grant shows is picked; what is only added under it is of the types that were asked."""
    person, worker = await make_person(), await make_worker()
    held = await deposit(client, person, PDF, type_="mdph_notification")
    request = await ask(
        client, worker.headers, person.phone, "mdph_notification", actions=["deposit"]
    )
    grant = (await approve(client, person, request))["id"]
    under = f"/v1/grants/{grant}"
    sent = await client.post(
        f"{under}/documents",
        headers=worker.headers,
        files={"file": corpus.pdf(2)},
        data={"type": "mdph_notification"},
    )
    assert sent.status_code == 201
    for path in ("documents", f"documents/{held['id']}/content", "evidence?type=mdph_notification"):
        answer = await client.get(f"{under}/{path}", headers=worker.headers)
        assert answer.status_code == 403, path
    # With anything that shows, it is picked as ever.
    request = await ask(
        client, worker.headers, person.phone, "mdph_notification", actions=["attest", "deposit"]
    )
    path = f"/v1/consent-requests/{request}/approve"
    answer = await client.post(path, headers=person.headers, json={})
    assert (answer.status_code, answer.json()["code"]) == (422, "sensitive_by_type")
    narrower = {"scope": {"actions": ["deposit"]}}
    assert (await client.post(path, headers=person.headers, json=narrower)).status_code == 201


async def test_the_rows_do_not_tell_which_papers_are_sensitive(
    client: httpx.AsyncClient, make_person: MakePerson, postgres: Addresses
) -> None:
    """Of a marked paper a thief sees a tag and the length of every other: nothing to tell by."""
    person = await make_person()
    await deposit(client, person, PDF, type_="payslip")
    await deposit(client, person, corpus.pdf(2), type_="payslip", sensitive="true")
    await deposit(client, person, corpus.pdf(3), type_="lease")
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as owner:
        rows = owner.execute(
            "SELECT length(type_tag), length(sealed), typed_at = created_at, type_tag"
            " FROM unefois.document WHERE person_id = %s",
            [person.id],
        ).fetchall()
    assert len({row[:3] for row in rows}) == 1
    assert len({row[3] for row in rows}) == 3
