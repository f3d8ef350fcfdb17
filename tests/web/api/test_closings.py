"""After its last day a service takes nothing more in; what is there is read, shared no further,
taken away and erased. Before it, every page says the day."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import httpx
import psycopg
import pytest

from auth import administration, closing_report, closings, one_time_codes, sessions
from base.database import Database
from tests.closings import LAST_DAY, end, stand_at
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
    Served,
    SomePerson,
    SomeWorker,
    last_code,
    new_phone,
    sign_in,
)
from tests.mandates import mandate_body
from tests.steps import ask, deposit, granted, is_problem, log_of, request_body
from tests.uploads import begin
from tests.vault.decoding import corpus
from tests.vault.exports.import_steps import ZIP, good
from tests.vault.exports.steps import made
from tests.web.pages.test_entering import browser
from vault.services import Services


@pytest.fixture(autouse=True)
async def afterwards(services: Services, as_owner: Database) -> AsyncIterator[None]:
    """No other test is in a service that closes."""
    await end(services, as_owner)
    yield
    await end(services, as_owner)


LONG: dict[str, Any] = {"duration": "P12M"}


async def _again(services: Services, person: SomePerson) -> SomePerson:
    """The person, who signs in again: sessions are over long ago."""
    token = await sign_in(services, phone=person.phone)
    return SomePerson(person.id, person.phone, token, person.subject, services)


async def _at_work(services: Services, worker: SomeWorker) -> dict[str, str]:
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
    return {"Authorization": f"Bearer {opened.token}"}


@dataclass(frozen=True)
class Closed:
    """On the day after the last one: a person and a worker, who signed in again; what was there."""

    person: SomePerson
    worker: SomeWorker
    at_work: dict[str, str]
    paper: str
    grant: str
    waiting: str


@pytest.fixture
async def closed(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> Closed:
    person, worker = await make_person(), await make_worker()
    await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
    paper = (await deposit(client, person, corpus.pdf(), type_="payslip"))["id"]
    actions = ["read", "deposit"]
    grant = await granted(client, person, worker.headers, "payslip", actions=actions, **LONG)
    await closings.announce(services, LAST_DAY)
    # On the last day, all is as ever.
    stand_at(moved_clock, LAST_DAY, 23, 50)
    person, at_work = await _again(services, person), await _at_work(services, worker)
    waiting = await ask(client, at_work, person.phone, "payslip", **LONG)
    await deposit(client, person, corpus.pdf(2))
    stand_at(moved_clock, LAST_DAY + timedelta(days=1), 0, 10)
    return Closed(person, worker, at_work, paper, grant, waiting)


async def test_after_the_last_day_nothing_is_added(
    services: Services, client: httpx.AsyncClient, closed: Closed
) -> None:
    mine, at_work = closed.person.headers, closed.at_work
    file = {"files": {"file": ("a.pdf", corpus.pdf(3))}, "data": {"type": "payslip"}}
    given = {
        "recipient": {"worker_email": closed.worker.email},
        "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
        "may_store": False,
    }
    phone = new_phone()
    begun = await one_time_codes.send_code(services, phone=phone)
    entering = {"secret": begun.secret, "code": await last_code(services, phone)}
    for headers, path, sent in (
        (mine, "/v1/documents", file),
        (mine | ZIP, "/v1/me/import", {"content": good()}),
        (mine, f"/v1/documents/{closed.paper}/versions", {"files": file["files"]}),
        (mine, "/v1/grants", {"json": given}),
        (mine, f"/v1/consent-requests/{closed.waiting}/approve", {"json": {}}),
        (at_work, f"/v1/grants/{closed.grant}/documents", file),
        (at_work, "/v1/consent-requests", {"json": request_body(closed.person.phone, "payslip")}),
        (at_work, "/v1/mandates", {"json": mandate_body(closed.person)}),
        (at_work, "/v1/desk/vaults", {"json": {"pin": "482693", "again": "482693"}}),
        ({}, f"/v1/sign-ins/{begun.id}", {"json": entering}),
    ):
        answer = await client.post(path, headers=headers, **cast("dict[str, Any]", sent))
        assert answer.status_code == 403, (path, answer.text)
        is_problem(answer, 403, "service_closed")
    is_problem(await begin(client, closed.person, 1000), 403, "service_closed")
    # The person's log says what was refused in their vault; of their own papers, nobody was.
    refused = {
        (one["action"], one["reason"])
        for one in await log_of(client, closed.person)
        if one["outcome"] == "refused"
    }
    assert refused == {
        (action, "closed") for action in ("document.deposit", "grant.give", "consent.approve")
    }


async def test_after_the_last_day_what_is_there_is_read_taken_away_and_erased(
    services: Services, client: httpx.AsyncClient, closed: Closed
) -> None:
    mine = closed.person.headers
    for headers, path in (
        (mine, f"/v1/documents/{closed.paper}/content"),
        (closed.at_work, f"/v1/grants/{closed.grant}/documents/{closed.paper}/content"),
    ):
        assert (await client.get(path, headers=headers)).status_code == 200
    for path in (
        f"/v1/consent-requests/{closed.waiting}/refuse",
        f"/v1/grants/{closed.grant}/revoke",
        "/v1/me/erasure/code",
    ):
        answer = await client.post(path, headers=mine)
        assert answer.is_success, answer.text
    before = await closing_report.report(services)
    exported = (await made(client, closed.person))["id"]
    for _ in range(2):
        path = f"/v1/me/exports/{exported}/content"
        assert (await client.get(path, headers=mine)).status_code == 200
    after = await closing_report.report(services)
    assert before is not None
    assert after is not None
    assert (after.exported, after.left) == (before.exported + 1, before.left - 1)


async def test_every_page_says_the_day_and_me_does(
    services: Services,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    me = (await client.get("/v1/me", headers=person.headers)).json()
    assert me["closes_on"] is None
    async with browser(served, person=person.token, worker=worker.token) as at:
        assert "Ce service" not in (await at.get("/me")).text
        await closings.announce(services, LAST_DAY)
        for path in ("/me", "/pro/people", "/pages", "/nowhere"):
            page = (await at.get(path)).text
            assert "Ce service ferme le" in page, path
            assert f"{LAST_DAY.day}" in page
            assert str(LAST_DAY.year) in page
    async with browser(served) as at:
        assert "Ce service ferme le" in (await at.get("/?done=x")).text
        at.cookies.set("unefois-language", "en", domain="127.0.0.1")
        assert "This service closes on" in (await at.get("/?done=x")).text
    me = (await client.get("/v1/me", headers=person.headers)).json()
    assert me["closes_on"] == LAST_DAY.isoformat()
    stand_at(moved_clock, LAST_DAY + timedelta(days=1))
    closings.forget(services)
    async with browser(served) as at:
        assert "Ce service a fermé le" in (await at.get("/?done=x")).text


async def test_pages_are_shown_while_the_database_does_not_answer(
    services: Services, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what was last known."""
    await closings.announce(services, LAST_DAY)
    assert (known := await closings.shown(services)) is not None
    monkeypatch.setattr(closings, "_SHOWN_FOR", 0.0)

    async def away(*_: object) -> object:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(closings, "current", away)
    assert await closings.shown(services) == known
