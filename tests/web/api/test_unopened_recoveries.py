"""A vault that is to be opened again: what each side sees of it, and what keeps it closed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from auth import administration, phone_means, pin_hashes
from base.database import Database
from tests.assisted import enter_beside
from tests.auth.means_steps import (
    add_phone,
    bearer,
    choose_pin,
    enter,
    usable_pins,
)
from tests.auth.steps import queued_messages, service_log
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
)
from tests.joins import joined
from tests.openings import (
    LATER,
    Agents,
    Waiting,
    open_former,
    own,
    papers,
    tap,
    two_agents,
    waits,
    waits_for,
)
from tests.recoveries import PIN, begun, messages_sent, recoveries, some_paper
from tests.rows import change_row
from tests.steps import deposit, erase, is_problem, log_of
from tests.vault.decoding import corpus
from vault.documents.moves import moved_papers
from vault.recovery.records import RECOVERY_ROW, Recovery
from vault.recovery.recovery_rules import OPEN_WITHIN, WAIT
from vault.services import Services

ASLEEP = timedelta(days=200)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    return await two_agents(services, as_owner, make_worker)


@pytest.fixture
async def waiting(client: httpx.AsyncClient, agents: Agents, make_person: MakePerson) -> Waiting:
    return await waits(client, agents, make_person)


async def test_beside_a_worker_it_says_no_more_than_its_agents_know(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    as_owner: Database,
    agents: Agents,
) -> None:
    (row, *_) = await recoveries(services)
    at_once = {"opens_at": row.complete_at, "earliest_at": row.complete_at}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **at_once)
    card = (waiting.card, PIN)
    beside = await enter_beside(client, agents[0], waiting.lost, card)
    assert (await own(client, beside.headers))["state"] == "waiting"
    assert (await own(client, waiting.headers))["state"] == "ready"
    answer = await client.post("/v1/me/recovery/open", headers=beside.headers, json=waiting.body())
    is_problem(answer, 403, "not_when_assisted")
    (row, *_) = await recoveries(services)
    assert row.opened_at is None


async def test_one_that_was_stopped_or_is_late_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    waiting: Waiting,
    moved_clock: MoveClock,
) -> None:
    moved_clock(WAIT + OPEN_WITHIN + timedelta(minutes=1))
    late = bearer(await enter(client, waiting.card, PIN))
    is_problem(
        await client.post("/v1/me/recovery/open", headers=late, json=waiting.body()),
        409,
        "recovery_over",
    )
    moved_clock(LATER)
    (row, *_) = await recoveries(services)
    ended = {"ended_at": row.complete_at, "ended_by": "session"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **ended)
    assert (await own(client, waiting.headers))["state"] == "stopped"
    await tap(client, waiting, "recovery_stopped")
    items = (await client.get("/v1/me/recoveries", headers=waiting.lost.headers)).json()["items"]
    assert items == []


async def test_a_warning_that_waits_keeps_it_closed(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, moved_clock: MoveClock
) -> None:
    moved_clock(LATER)
    await messages_sent(services, sent=False)
    await tap(client, waiting, "recovery_warning_unsent")
    await messages_sent(services)
    assert (await open_former(client, waiting)).status_code == 201


async def test_a_warning_that_was_never_sent_keeps_it_closed_for_a_week(
    services: Services, client: httpx.AsyncClient, waiting: Waiting, moved_clock: MoveClock
) -> None:
    await messages_sent(services, sent=False)
    moved_clock(timedelta(days=7, minutes=1))
    headers = bearer(await enter(client, waiting.card, PIN))
    answer = await client.post("/v1/me/recovery/open", headers=headers, json=waiting.body())
    assert answer.status_code == 201, answer.text


async def _bar(services: Services, agents: Agents) -> None:
    await administration.deactivate_worker(services, agents[0].id)


async def _bar_structure(services: Services, agents: Agents) -> None:
    await administration.let_open_vaults(services, agents[1].organisation_id, allowed=False)


@pytest.mark.parametrize("bar", [_bar, _bar_structure])
async def test_a_worker_who_was_barred_meanwhile_vouches_for_nobody(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    agents: Agents,
    moved_clock: MoveClock,
    bar: Callable[[Services, Agents], Any],
) -> None:
    moved_clock(LATER)
    await bar(services, agents)
    await tap(client, waiting, "recovery_over")


async def test_of_two_that_want_the_same_vault_neither_opens(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    waiting: Waiting,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    other = await waits(client, agents, make_person)
    (row, mine, *_) = await recoveries(services)
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, former_id=waiting.lost.id)
    moved_clock(LATER)
    for one in (waiting, other):
        assert (await own(client, one.headers))["state"] == "rival"
        await tap(client, one, "recovery_rival")
    ended = {"ended_at": row.complete_at, "ended_by": "worker"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **ended)
    assert (await open_former(client, waiting)).status_code == 201
    assert mine.former_id == waiting.lost.id


async def test_a_vault_that_was_erased_or_joined_meanwhile(
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    gone, ended, stays = [await make_person() for _ in range(3)]
    paper = await deposit(client, ended, corpus.pdf(1))
    erased, moved = [await waits_for(client, agents, one) for one in (gone, ended)]
    await erase(services, gone)
    await joined(client, ended, stays)
    items = (await client.get("/v1/me/recoveries", headers=stays.headers)).json()["items"]
    assert len(items) == 1, "whoever joined it sees it where they are now"
    moved_clock(LATER)
    assert (await own(client, erased.headers))["state"] == "nothing"
    is_problem(await open_former(client, erased), 409, "recovery_over")
    pin = (await usable_pins(services, stays))[0]
    headers = bearer(await open_former(client, moved, pin=pin, again=pin))
    assert await papers(client, headers) == {paper["id"]}
    assert (await client.get("/v1/documents", headers=stays.headers)).status_code == 401


async def test_a_pin_that_cannot_be_chosen_changes_nothing(
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Somebody else on the same phone has it."""
    lost, other = await make_person(), await make_person()
    pin, mine, free, *_ = await usable_pins(services, lost, other)
    assert (await choose_pin(client, lost, mine)).status_code == 204
    answer = await add_phone(client, services, other, lost.phone, pin)
    assert answer.status_code == 201, answer.text
    assert (await client.post("/v1/me/proof/wait", headers=lost.headers)).status_code == 202
    one = await waits_for(client, agents, lost)
    moved_clock(LATER)
    before = len(await queued_messages(services, lost.phone))
    is_problem(await open_former(client, one, pin=pin, again=pin), 422, "pin_weak")
    lines = [line["action"] for line in await log_of(client, lost.headers)]
    assert not {"recovery.open", "means.stop", "means.wait_end"} & {*lines}
    assert len(await queued_messages(services, lost.phone)) == before
    (line, *_) = await log_of(client, one.headers)
    assert (line["action"], line["reason"]) == ("recovery.open", "pin_weak")
    assert (await open_former(client, one, pin=free, again=free)).status_code == 201


async def test_a_phone_that_changed_meanwhile_is_looked_at_again(
    services: Services,
    client: httpx.AsyncClient,
    waiting: Waiting,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moved_clock(LATER)
    compared = moved_papers.possible_doubles

    async def meanwhile(*given: Any) -> Any:
        async with services.database.transaction() as tx:
            await phone_means.remove_phone(services, tx, waiting.lost.id)
        return await compared(*given)

    with monkeypatch.context() as changed:
        changed.setattr(moved_papers, "possible_doubles", meanwhile)
        is_problem(await open_former(client, waiting), 412, "changed_meanwhile")
    assert (await open_former(client, waiting)).status_code == 201


async def test_who_cannot_prove_it_opens_nothing(
    client: httpx.AsyncClient, waiting: Waiting, moved_clock: MoveClock
) -> None:
    moved_clock(LATER)
    wrong = {"card": waiting.card, "pin": "111222"}
    for changes, status, code in (
        ({"proof": {}}, 403, "proof_needed"),
        ({"proof": wrong}, 403, "proof_wrong"),
        ({"again": "000111"}, 422, "pin_again"),
        ({"pin": "12", "again": "12"}, 422, "pin_digits"),
    ):
        is_problem(await open_former(client, waiting, **changes), status, code)
    assert (await open_former(client, waiting)).status_code == 201


async def test_a_row_that_was_put_back_after_a_stop_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    waiting: Waiting,
    moved_clock: MoveClock,
) -> None:
    (row, *_) = await recoveries(services)
    before = {column.name: getattr(row, column.name) for column in Recovery.__table__.c}
    path = f"/v1/me/recoveries/{row.id}/stop"
    assert (await client.post(path, headers=waiting.lost.headers)).status_code == 204
    async with as_owner.transaction() as tx:
        table = Recovery.__table__
        await tx.execute(update(table).where(table.c.id == row.id).values(before))
    moved_clock(LATER)
    assert (await own(client, waiting.headers))["state"] == "ready", "its MAC holds"
    assert (await open_former(client, waiting)).status_code == 503
    line = (await service_log(services))[-1]
    assert (line["action"], line["reason"]) == ("rows.refuse", "altered")
    assert await papers(client, waiting.lost.headers) == set()


async def test_an_agent_alone_bars_nobody_and_opens_nothing(
    client: httpx.AsyncClient,
    services: Services,
    waiting: Waiting,
    agents: Agents,
    moved_clock: MoveClock,
) -> None:
    alone = await begun(client, agents[0], waiting.paper)
    headers = bearer(await enter(client, alone["card"]["code"], PIN))
    moved_clock(LATER)
    assert (await own(client, headers))["state"] == "one_agent"
    body = {"pin": waiting.pin, "again": waiting.pin}
    proof = {"card": alone["card"]["code"], "pin": PIN}
    answer = await client.post(
        "/v1/me/recovery/open", headers=headers, json={**body, "proof": proof}
    )
    is_problem(answer, 409, "recovery_not_yet")
    assert (await open_former(client, waiting)).status_code == 201


async def test_what_each_side_sees(
    client: httpx.AsyncClient,
    waiting: Waiting,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    (mine,) = (await client.get("/v1/me/recoveries", headers=waiting.lost.headers)).json()["items"]
    assert [one["name"] for one in mine["agents"]] == ["Camille Moreau", "Nadia Benali"]
    assert mine["opens_at"]
    seen = await own(client, waiting.headers)
    assert (seen["state"], seen["opens_at"]) == ("waiting", None)
    assert seen["earliest_at"] == mine["opens_at"]
    # Until then, the same for whom nothing was found.
    nobodys = await waits_for(client, agents, await make_person(), some_paper())
    other = await own(client, nobodys.headers)
    for name in ("state", "opens_at", "ended_at", "means"):
        assert other[name] == seen[name], name
    moved_clock(LATER)
    assert (await own(client, nobodys.headers))["state"] == "nothing"
    assert (await own(client, waiting.headers))["state"] == "ready"
    await tap(client, nobodys, "recovery_over")
    items = (await client.get("/v1/me/recoveries", headers=nobodys.headers)).json()["items"]
    assert items == []
    for path in ("/v1/me/recovery", "/v1/me/recovery/receipt"):
        is_problem(await client.get(path, headers=waiting.lost.headers), 404, "not_found")
    answer = await client.post(
        "/v1/me/recovery/open", headers=waiting.lost.headers, json=waiting.body()
    )
    assert answer.status_code == 403, "its own proof first"
