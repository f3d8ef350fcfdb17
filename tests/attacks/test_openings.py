"""A vault that is opened again: killed at its commit, tried before its time, by others, twice,
by a row that somebody wrote."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from auth import pin_hashes
from auth.pin_rules import is_weak
from auth.sessions import subject_of
from base.database import Database
from base.embedded.server import Addresses
from base.settings import Settings
from tests.attacks.statements import statements
from tests.auth.means_steps import bearer, enter, means, usable_pins
from tests.fixtures import MakePerson, MakeWorker, MoveClock
from tests.openings import (
    LATER,
    Agents,
    Waiting,
    open_former,
    own,
    papers,
    person_of,
    two_agents,
    waits,
    waits_for,
)
from tests.recoveries import PIN, recoveries, some_paper
from tests.servers.killable import killable
from tests.steps import deposit, granted, is_problem, log_of, until
from tests.vault.decoding import corpus
from vault.recovery import recovery_views
from vault.services import Services

_MEMORY_KIB = pin_hashes._MEMORY_KIB
_HELD = 7_000_001
_FUNCTION = """
CREATE OR REPLACE FUNCTION unefois.held() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(7000001); RETURN NULL; END $$
"""


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


@contextmanager
def held(postgres: Addresses, timing: str) -> Iterator["psycopg.Connection[Any]"]:
    """Whoever opens a vault waits until this connection unlocks: right before the commit, or, with
    `INITIALLY DEFERRED`, in it."""
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as thief:
        thief.execute(_FUNCTION.encode())
        kind = "CONSTRAINT TRIGGER" if timing else "TRIGGER"
        thief.execute(
            f"CREATE {kind} held AFTER UPDATE ON unefois.recovery {timing} FOR EACH ROW"
            " EXECUTE FUNCTION unefois.held()".encode()
        )
        thief.execute("SELECT pg_advisory_lock(%s)", (_HELD,))
        try:
            yield thief
        finally:
            thief.execute("SELECT pg_advisory_unlock_all()")
            thief.execute("DROP FUNCTION unefois.held() CASCADE")


def is_waited_for(thief: "psycopg.Connection[Any]") -> bool:
    query = (
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
    )
    found = thief.execute(query, (_HELD,)).fetchone()
    return found is not None and found[0] == 1


@pytest.mark.timeout(120)
async def test_killed_before_and_in_its_commit(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
    postgres: Addresses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before it, both vaults are as they were; in it, all of it is done, and the card enters."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", _MEMORY_KIB)  # as the server of its own has it
    lost = await make_person()
    mine = await deposit(client, lost, corpus.pdf(1))
    one = await waits_for(client, agents, lost)
    new = await deposit(client, person_of(one), corpus.pdf(2))
    moved_clock(LATER)
    with killable(base_settings) as server:
        for timing in ("", "DEFERRABLE INITIALLY DEFERRED"):
            pid, url = await asyncio.to_thread(server.start)
            with held(postgres, timing) as thief:
                async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
                    tap = asyncio.create_task(open_former(http, one))
                    await until(partial(is_waited_for, thief), 30)
                    await asyncio.to_thread(server.kill, pid)
                    with pytest.raises(httpx.TransportError):
                        await tap
            await until(partial(_is_quiet, postgres), 30)
            if not timing:
                assert await papers(client, one.headers) == {new["id"]}
                assert await papers(client, lost.headers) == {mine["id"]}
                assert (await own(client, one.headers))["state"] == "ready"
                actions = [line["action"] for line in await log_of(client, lost.headers)]
                assert "recovery.open" not in actions
    headers = bearer(await enter(client, one.card, one.pin))
    assert await papers(client, headers) == {mine["id"], new["id"]}
    actions = [line["action"] for line in await log_of(client, headers)]
    assert actions.count("recovery.open") == 1
    assert (await client.get("/v1/documents", headers=lost.headers)).status_code == 401


def _is_quiet(postgres: Addresses) -> bool:
    """Whether no statement of a killed server runs any more."""
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as one:
        found = one.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE state <> 'idle' AND usename = 'unefois_service_login'"
        ).fetchone()
        return found is not None and found[0] == 0


async def test_nothing_of_it_is_read_before_it_opens(
    client: httpx.AsyncClient,
    agents: Agents,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Neither from the vault that waits, nor by who saw the person, nor once it may be opened."""
    lost, worker = await make_person(), await make_worker()
    paper = await deposit(client, lost, corpus.pdf(1), type_="payslip")
    grant = await granted(client, lost, worker.headers, "payslip")
    line = (await log_of(client, lost))[0]["id"]
    one = await waits_for(client, agents, lost)
    document = f"/v1/documents/{paper['id']}"
    mine = [document, f"{document}/content", f"{document}/preview", f"{document}/sheet.pdf"]
    mine += [f"/v1/grants/{grant}", f"/v1/grants/{grant}/receipt", f"/v1/access-log/{line}"]
    for headers in (one.headers, agents[0].headers, agents[1].headers):
        for path in mine:
            answer = await client.get(path, headers=headers)
            assert answer.status_code in (403, 404), path
    moved_clock(LATER)
    for path in mine:
        assert (await client.get(path, headers=one.headers)).status_code == 404, path
    for path in ("/v1/documents", "/v1/grants", "/v1/consent-requests"):
        assert (await client.get(path, headers=one.headers)).json()["items"] == []
    assert (await client.post(f"/v1/grants/{grant}/revoke", headers=one.headers)).status_code == 404
    deleted = await client.delete(document, headers=one.headers)
    assert deleted.status_code == 404


async def test_what_the_new_vault_reads_costs_the_same_whether_or_not_one_was_found(
    services: Services, client: httpx.AsyncClient, agents: Agents, make_person: MakePerson
) -> None:
    found = await waits(client, agents, make_person)
    nobodys = await waits_for(client, agents, await make_person(), some_paper())
    rows = {row.waiting_id for row in await recoveries(services)}
    costs = []
    for one in (nobodys, nobodys, found):
        token = one.headers["Authorization"].removeprefix("Bearer ")
        person = await _subject(services, token)
        assert person.id in rows
        with statements(services) as run:
            seen = await recovery_views.own(services, person)
        assert seen is not None
        assert seen.state == "waiting"
        costs.append(list(run))
    assert len(costs[1]) >= 1
    assert costs[1] == costs[2]


async def _subject(services: Services, token: str) -> Any:
    async with services.database.transaction() as tx:
        return await subject_of(services, tx, token)


async def test_it_opens_once_and_for_its_own_person_alone(
    client: httpx.AsyncClient, waiting: Waiting, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    stranger = await make_person()
    moved_clock(LATER)
    path = "/v1/me/recovery/open"
    answer = await client.post(path, headers=stranger.headers, json=waiting.body())
    assert answer.status_code == 403
    headers = bearer(await open_former(client, waiting))
    assert (await open_former(client, waiting)).status_code == 401, "its session is over"
    proof = {"pin": waiting.pin}
    again = await client.post(path, headers=headers, json=waiting.body(proof=proof))
    is_problem(again, 404, "not_found")
    is_problem(await client.get("/v1/me/recovery", headers=headers), 404, "not_found")
    # The waiting vault's PIN opens nothing any more, by the same card.
    assert (await enter(client, waiting.card, PIN)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        "opens_at = began_at, earliest_at = began_at",
        "former_id = (SELECT id FROM unefois.person WHERE id <> former_id AND id <> waiting_id"
        " LIMIT 1)",
        "ended_at = NULL, ended_by = NULL, complete_at = began_at, earliest_at = began_at",
    ],
)
async def test_a_row_that_was_written_without_the_key_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    waiting: Waiting,
    moved_clock: MoveClock,
    change: str,
) -> None:
    moved_clock(LATER)
    (row, *_) = await recoveries(services)
    async with as_owner.transaction() as tx:
        query = text(f"UPDATE unefois.recovery SET {change} WHERE id = :id")  # noqa: S608
        await tx.execute(query, {"id": row.id})
    is_problem(await open_former(client, waiting), 503, "row_altered")
    for path in ("/v1/me/recovery", "/v1/me/recovery/receipt"):
        is_problem(await client.get(path, headers=waiting.headers), 503, "row_altered")
    assert (await client.get("/v1/documents", headers=waiting.lost.headers)).status_code == 200
    async with as_owner.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.recovery WHERE id = :id"), {"id": row.id})


async def test_a_pin_is_chosen_five_times_a_day(
    client: httpx.AsyncClient,
    services: Services,
    agents: Agents,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Whoever tries one after the other would learn that of another vault of the same phone."""
    one = await waits(client, agents, make_person)
    (free, *_) = await usable_pins(services, one.lost)
    decoy = await _decoy(services, one)
    moved_clock(LATER)
    for _ in range(5):
        is_problem(await open_former(client, one, pin=decoy, again=decoy), 422, "pin_weak")
    is_problem(await open_former(client, one, pin=free, again=free), 429, "too_many_pins")
    moved_clock(LATER * 1.6)
    headers = bearer(await open_former(client, one, pin=free, again=free))
    assert len(await means(client, headers)) == 2


async def _decoy(services: Services, one: Waiting) -> str:
    for pin in map(str, range(481_000, 482_000)):
        if await pin_hashes.is_decoy(services, one.lost.id, pin) and not is_weak(pin):
            return pin
    raise LookupError("no decoy")
