"""Invariant 4 over HTTP: limits of every grant, for any requester, approved or given directly."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from base.embedded.server import Addresses
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted, request_body
from tests.vault.decoding import corpus
from vault.catalogue.document_types import document_types

SENSITIVE = [one.code for one in document_types() if one.sensitive]
PDF = corpus.pdf(1)


def draft(worker: SomeWorker, **changes: Any) -> dict[str, Any]:
    """A grant that the person gives without a request."""
    given: dict[str, Any] = {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    return given | changes


@pytest.mark.parametrize("duration", ["P13M", "P366DT1S", "P53W", "P1Y1D", "P2Y", "P12MT1S", ""])
async def test_no_grant_lasts_more_than_twelve_months(
    duration: str, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    body = request_body(person.phone, "payslip", duration=duration)
    asked = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    assert asked.status_code == 422
    body = draft(worker, duration=duration)
    given = await client.post("/v1/grants", headers=person.headers, json=body)
    assert given.status_code == 422


async def test_twelve_months_is_a_year_to_the_day(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip", duration="P12M")
    grant = await approve(client, person, request)
    ends = datetime.fromisoformat(grant["ends_at"])
    year = datetime.now(UTC) + timedelta(days=366)
    assert timedelta(days=-2) < ends - year < timedelta(hours=1)


async def test_the_database_refuses_a_longer_one(postgres: Addresses) -> None:
    """The table itself, without the code, requires an end and at most a year."""
    values = "gen_random_uuid(), %s, 'worker', gen_random_uuid(), gen_random_uuid(), true, true"
    columns = (
        "id, person_id, recipient_kind, recipient_id, organisation_id, may_attest, may_read,"
        " may_deposit, covers_future, type_tags, document_ids, given_at, ends_at, sealed"
    )
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as owner:
        found = owner.execute("SELECT id FROM unefois.person LIMIT 1").fetchone()
        assert found
        for ends, named in (
            ("now() + interval '12 months 1 second'", "a_year_at_most"),
            ("now()", "ck_grant_ends"),
            ("NULL", "ends_at"),
        ):
            with pytest.raises(psycopg.errors.IntegrityError, match=named):
                row = f"{values}, false, false, '{{}}', '{{}}', now(), {ends}, ''"
                insert = f'INSERT INTO unefois."grant" ({columns}) VALUES ({row})'  # noqa: S608  (ours)
                owner.execute(insert.encode(), found)
            owner.rollback()


@pytest.mark.parametrize("code", SENSITIVE)
async def test_a_sensitive_type_is_never_granted_whole(
    code: str,
    client: httpx.AsyncClient,
    sensitive_pair: tuple[SomePerson, SomeWorker],
) -> None:
    person, worker = sensitive_pair
    body = draft(worker, scope={"document_types": [code], "document_ids": [], "actions": ["read"]})
    given = await client.post("/v1/grants", headers=person.headers, json=body)
    assert (given.status_code, given.json()["code"]) == (422, "sensitive_by_type")


@pytest.fixture(scope="module")
async def pairs() -> dict[int, tuple[SomePerson, SomeWorker]]:
    return {}


@pytest.fixture
async def sensitive_pair(
    pairs: dict[int, tuple[SomePerson, SomeWorker]],
    make_person: MakePerson,
    make_worker: MakeWorker,
    request: pytest.FixtureRequest,
) -> tuple[SomePerson, SomeWorker]:
    """A new pair every few types: giving grants is rate-limited."""
    number = SENSITIVE.index(request.node.callspec.params["code"]) // 15
    if number not in pairs:
        pairs[number] = (await make_person(), await make_worker())
    return pairs[number]


async def test_a_sensitive_document_is_opened_only_where_the_person_picked_it(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    picked = await deposit(client, person, PDF, type_="residence_permit")
    other = await deposit(client, person, corpus.pdf(2), type_="residence_permit")
    request = await ask(client, worker.headers, person.phone, "residence_permit")
    whole = await client.post(
        f"/v1/consent-requests/{request}/approve", headers=person.headers, json={}
    )
    assert (whole.status_code, whole.json()["code"]) == (422, "sensitive_by_type")
    scope = {"document_ids": [picked["id"]]}
    grant = (await approve(client, person, request, scope=scope))["id"]
    under = f"/v1/grants/{grant}/documents"
    listed = (await client.get(under, headers=worker.headers)).json()["items"]
    assert [one["id"] for one in listed] == [picked["id"]]
    opened = await client.get(f"{under}/{picked['id']}/content", headers=worker.headers)
    assert opened.content == PDF
    hidden = await client.get(f"{under}/{other['id']}/content", headers=worker.headers)
    assert hidden.status_code == 404


@pytest.mark.parametrize("ticked", [False, True])
async def test_what_is_added_later_is_covered_only_if_ticked(
    ticked: bool, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    first = await deposit(client, person, PDF, type_="payslip")
    narrower = {"covers_future": True} if ticked else {}
    grant = await granted(client, person, worker.headers, "payslip", narrower=narrower)
    later = await deposit(client, person, corpus.pdf(2), type_="payslip")
    relabelled = await deposit(client, person, corpus.pdf(3), type_="lease")
    await client.patch(
        f"/v1/documents/{relabelled['id']}", headers=person.headers, json={"type": "payslip"}
    )
    under = f"/v1/grants/{grant}/documents"
    listed = (await client.get(under, headers=worker.headers)).json()["items"]
    expected = {first["id"]} | ({later["id"], relabelled["id"]} if ticked else set())
    assert {one["id"] for one in listed} == expected
    for document in (first, later, relabelled):
        answer = await client.get(f"{under}/{document['id']}/content", headers=worker.headers)
        assert answer.status_code == (200 if document["id"] in expected else 404)


async def test_only_what_was_granted_may_be_done(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Each action alone allows its own call and no other."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF, type_="payslip")
    allowed_calls = {
        "attest": {"list", "evidence"},
        "read": {"list", "evidence", "content"},
        "deposit": {"deposit"},
    }
    for action, allowed in allowed_calls.items():
        grant = await granted(client, person, worker.headers, "payslip", actions=[action])
        under = f"/v1/grants/{grant}"
        tried = {
            "list": await client.get(f"{under}/documents", headers=worker.headers),
            "evidence": await client.get(f"{under}/evidence?type=payslip", headers=worker.headers),
            "content": await client.get(
                f"{under}/documents/{document['id']}/content", headers=worker.headers
            ),
            "deposit": await client.post(
                f"{under}/documents",
                headers=worker.headers,
                files={"file": corpus.pdf(4)},
                data={"type": "payslip"},
            ),
        }
        assert {call for call, answer in tried.items() if answer.is_success} == allowed, action
        refusals = {answer.status_code for call, answer in tried.items() if call not in allowed}
        assert refusals <= {403}
