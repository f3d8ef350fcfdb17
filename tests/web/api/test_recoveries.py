"""A vault that is opened again by two agents: who they may be, what they are told, what is kept."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import bearer, enter
from tests.auth.steps import service_log
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.recoveries import (
    PIN,
    ReadPaper,
    agent,
    begin,
    begun,
    recoveries,
    second,
    some_paper,
    with_anchor,
)
from tests.steps import deposit, erase, is_problem, log_of
from tests.vault.decoding import corpus
from vault.recovery import records
from vault.recovery.recovery_rules import SECOND_WITHIN, WAIT
from vault.services import Services

MakeAgent = Callable[..., Awaitable[SomeWorker]]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
def make_agent(services: Services, as_owner: Database, make_worker: MakeWorker) -> MakeAgent:
    """`await make_agent("Nadia Benali")`."""
    return partial(agent, services, as_owner, make_worker)


@pytest.fixture
async def first(make_agent: MakeAgent) -> SomeWorker:
    return await make_agent("Camille Moreau")


@pytest.fixture
async def colleague(make_agent: MakeAgent, first: SomeWorker) -> SomeWorker:
    """Of the same structure."""
    return await make_agent("Nadia Benali", organisation=first.organisation_id)


@pytest.fixture
def paper() -> ReadPaper:
    """Of a person who enrolled it: `lost`."""
    return some_paper()


@pytest.fixture
async def lost(services: Services, make_person: MakePerson, paper: ReadPaper) -> SomePerson:
    """Who lost everything, and has an anchor."""
    person = await make_person()
    await with_anchor(services, person, paper)
    return person


async def test_two_agents_who_read_the_same_paper(
    services: Services,
    client: httpx.AsyncClient,
    first: SomeWorker,
    colleague: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    answer = await begin(client, first, paper, language="ar")
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert {*told} == {"code", "card", "second_agent", "earliest_at"}
    assert (told["second_agent"], told["earliest_at"]) == (True, None)
    (row, *_) = await recoveries(services)
    assert (row.former_id, row.complete_at, row.opens_at) == (lost.id, None, None)

    answer = await second(client, colleague, told["code"], paper)
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert {*answer.json()} == {"earliest_at"}
    (row, *_) = await recoveries(services)
    assert row.opens_at - row.complete_at == WAIT
    assert datetime.fromisoformat(answer.json()["earliest_at"]) == row.earliest_at == row.opens_at
    # Nothing is open: neither with the new card, nor in the place of what was there.
    waiting = bearer(await enter(client, told["card"]["code"], PIN))
    assert (await client.get("/v1/documents", headers=waiting)).json()["items"] == []
    assert (await client.get("/v1/me/means", headers=lost.headers)).json()["items"]


async def test_what_the_card_opens_takes_papers_at_once(
    client: httpx.AsyncClient, first: SomeWorker, lost: SomePerson, paper: ReadPaper
) -> None:
    await deposit(client, lost, corpus.pdf(1))
    told = await begun(client, first, paper)
    headers = bearer(await enter(client, told["card"]["code"], PIN))
    files = {"file": ("a.pdf", corpus.pdf(2))}
    data = {"type": "payslip"}
    added = await client.post("/v1/documents", headers=headers, files=files, data=data)
    assert added.status_code == 201, added.text
    assert len((await client.get("/v1/documents", headers=headers)).json()["items"]) == 1
    assert len((await client.get("/v1/documents", headers=lost.headers)).json()["items"]) == 1


async def test_both_agents_are_named_in_both_logs_and_learn_nothing_by_their_own(
    client: httpx.AsyncClient,
    first: SomeWorker,
    colleague: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, first, paper)
    assert (await second(client, colleague, told["code"], paper)).status_code == 202
    waiting = bearer(await enter(client, told["card"]["code"], PIN))
    for headers in (lost.headers, waiting):
        lines = [one for one in await log_of(client, headers) if "recovery" in one["action"]]
        assert [(one["action"], one["actor"]["name"]) for one in lines] == [
            ("recovery.second", "Nadia Benali"),
            ("recovery.begin", "Camille Moreau"),
        ]
        assert "rouvrir des papiers" in lines[0]["sentence"]
        for word in (paper["family_name"], paper["birth_date"], paper["document_end"], PIN):
            assert word not in str(lines)
    for worker in (first, colleague):
        own = await log_of(client, worker)
        assert not [one for one in own if "recovery" in one["action"]]


async def test_whether_something_was_found_nothing_tells(
    services: Services,
    client: httpx.AsyncClient,
    first: SomeWorker,
    colleague: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    unknown = some_paper()
    answers = []
    for one in (paper, unknown):
        began = await begun(client, first, one)
        answer = await second(client, colleague, began["code"], one)
        answers.append((answer.status_code, {*began}, {*began["card"]}, {*answer.json()}))
    assert answers[0] == answers[1]
    (nobodys, found, *_) = await recoveries(services)
    assert (found.former_id, nobodys.former_id) == (lost.id, None)
    assert nobodys.complete_at is not None
    assert nobodys.opens_at is None
    lines = [one for one in await service_log(services) if "recovery" in str(one["action"])]
    assert [one["action"] for one in lines[-2:]] == ["recovery.begin", "recovery.second"]


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("which", ["first", "second"])
async def test_an_agent_who_read_something_else_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    first: SomeWorker,
    colleague: SomeWorker,
    paper: ReadPaper,
    which: str,
) -> None:
    other = paper | {"document_end": "99ZZ"}
    read = (other, paper) if which == "first" else (paper, other)
    told = await begun(client, first, read[0])
    assert (await second(client, colleague, told["code"], read[1])).status_code == 202
    (row, *_) = await recoveries(services)
    assert row.complete_at is not None
    assert row.opens_at is None


@pytest.mark.usefixtures("lost")
async def test_of_two_vaults_of_one_paper_none_is_meant(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    first: SomeWorker,
    paper: ReadPaper,
) -> None:
    await with_anchor(services, await make_person(), paper)
    await begun(client, first, paper)
    (row, *_) = await recoveries(services)
    assert row.former_id is None


async def test_who_may_be_an_agent(
    services: Services,
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    make_worker: MakeWorker,
    make_person: MakePerson,
    first: SomeWorker,
    paper: ReadPaper,
) -> None:
    told = await begun(client, first, paper)
    new = await make_agent("Sofia Petit", days=89.9)
    elsewhere = await make_worker(name="Karim Haddad")
    person = await make_person()
    for worker, code in ((new, "agent_too_new"), (elsewhere, "desk_not_allowed")):
        is_problem(await begin(client, worker, paper), 403, code)
        is_problem(await second(client, worker, told["code"], paper), 403, code)
        lines = [str(one.get("reason")) for one in (await service_log(services))[-2:]]
        assert lines == [code, code]
    for headers, status in ((person.headers, 403), ({}, 401)):
        for path in ("/v1/desk/recoveries", "/v1/desk/recoveries/second"):
            body = {"pin": PIN, "again": PIN, "document": paper}
            body = body if path.endswith("ies") else {"code": told["code"], "document": paper}
            answer = await client.post(path, headers=headers, json=body)
            assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "same",
    [
        {"name": "MOREAU Camille"},
        {"name": "C. Moreau"},
        {"name": "Mme Camille Moreau"},
        {"name": "Nadia Benali", "email": "+again"},
    ],
)
@pytest.mark.usefixtures("lost")
async def test_one_agent_with_two_accounts_is_one(
    services: Services,
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    first: SomeWorker,
    colleague: SomeWorker,
    paper: ReadPaper,
    same: dict[str, str],
) -> None:
    told = await begun(client, first, paper)
    fields: dict[str, Any] = dict(same)
    if "email" in fields:
        name, _, domain = first.email.partition("@")
        fields["email"] = f"{name}{fields['email']}@{domain.upper()}"
    name = fields.pop("name")
    again = await make_agent(name, **fields)
    for worker in (first, again):
        is_problem(await second(client, worker, told["code"], paper), 409, "same_agent")
    (row, *_) = await recoveries(services)
    assert row.complete_at is None
    assert (await second(client, colleague, told["code"], paper)).status_code == 202


async def test_a_second_look_that_is_sent_again_changes_nothing(
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    moved_clock: MoveClock,
    first: SomeWorker,
    colleague: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, first, paper)
    once = await second(client, colleague, told["code"], paper)
    before = await log_of(client, lost)
    moved_clock(timedelta(hours=1))
    twice = await second(client, colleague, told["code"], some_paper())
    assert twice.json() == once.json()
    third = await make_agent("Sofia Petit")
    is_problem(await second(client, third, told["code"], paper), 403, "recovery_code_wrong")
    is_problem(await second(client, first, told["code"], paper), 403, "recovery_code_wrong")
    lines = [one["action"] for one in await log_of(client, lost)]
    assert lines.count("recovery.second") == 1
    assert len([one for one in before if one["action"] == "recovery.second"]) == 1


@pytest.mark.usefixtures("lost")
async def test_a_code_that_serves_no_more(
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    moved_clock: MoveClock,
    first: SomeWorker,
    paper: ReadPaper,
) -> None:
    told = await begun(client, first, paper)
    moved_clock(SECOND_WITHIN - timedelta(minutes=1))
    late = await make_agent("Nadia Benali")
    moved_clock(SECOND_WITHIN + timedelta(minutes=1))
    is_problem(await second(client, late, told["code"], paper), 403, "recovery_code_wrong")
    moved_clock(timedelta(0))


async def test_five_wrong_codes_and_no_more(
    client: httpx.AsyncClient, first: SomeWorker, colleague: SomeWorker, paper: ReadPaper
) -> None:
    told = await begun(client, first, paper)
    for code in ("0000000000", "12", "", "é½", told["code"][:-1]):
        is_problem(await second(client, colleague, code, paper), 403, "recovery_code_wrong")
    is_problem(await second(client, colleague, told["code"], paper), 429, "too_many_recoveries")


async def test_a_worker_begins_no_more_than_people_come(
    client: httpx.AsyncClient, first: SomeWorker, colleague: SomeWorker
) -> None:
    for _ in range(5):
        await begun(client, first, some_paper())
    refused = await begin(client, first, some_paper())
    is_problem(refused, 429, "too_many_recoveries")
    assert int(refused.headers["retry-after"]) > 0
    assert (await begin(client, colleague, some_paper())).status_code == 202, "an account's own"


async def test_what_is_typed_wrong_begins_nothing_and_costs_no_turn(
    services: Services, client: httpx.AsyncClient, first: SomeWorker
) -> None:
    before = len(await recoveries(services))
    for changes, code in (
        ({"pin": "48269", "again": "48269"}, "pin_digits"),
        ({"again": "482694"}, "pin_again"),
        ({"document": some_paper(kind="library_card")}, "document_kind"),
        ({"document": some_paper(birth_date="2080-01-01")}, "anchor_date"),
        ({"document": some_paper(document_end="1")}, "anchor_document"),
        ({"document": some_paper(family_name="")}, "anchor_name"),
    ):
        is_problem(await begin(client, first, some_paper(), **changes), 422, code)
    assert len(await recoveries(services)) == before
    for _ in range(5):
        await begun(client, first, some_paper())


async def test_a_vault_that_is_erased_meanwhile(
    services: Services,
    client: httpx.AsyncClient,
    first: SomeWorker,
    colleague: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, first, paper)
    await erase(services, lost)
    (row, *_) = await recoveries(services)
    assert row.former_id is None
    assert (await second(client, colleague, told["code"], paper)).status_code == 202
    (row, *_) = await recoveries(services)
    assert (row.former_id, row.opens_at) == (None, None)


async def test_a_crash_before_the_commit_leaves_nothing(
    services: Services,
    client: httpx.AsyncClient,
    first: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = await recoveries(services), await log_of(client, lost)

    async def broken(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(records, "add", broken)
    assert (await begin(client, first, paper)).status_code == 500
    monkeypatch.undo()
    assert len(await recoveries(services)) == len(before[0])
    assert [one["action"] for one in await log_of(client, lost)][-1] == before[1][-1]["action"]
    assert "recovery.begin" not in str(await log_of(client, lost))


async def test_somebody_who_never_had_a_vault_has_a_place_for_papers(
    client: httpx.AsyncClient, first: SomeWorker
) -> None:
    told = await begun(client, first, some_paper())
    headers = bearer(await enter(client, told["card"]["secret"], PIN))
    assert (await client.get("/v1/documents", headers=headers)).json()["items"] == []
