"""The code by which two vaults become one is guessed, typed twice, its row written; a join is cut,
and what was under way meanwhile is not lost in a vault that ended."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from auth import means, pins
from auth.rate_buckets import Rate
from base.database import Database
from base.errors import ErrorKind, ServiceError
from tests.assisted import card_of, enter_beside
from tests.attacks.statements import statements
from tests.attacks.test_meetings import said
from tests.auth.means_steps import add_card, choose_pin, enter, usable_pins
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.joins import answered_join, ask_join, joined, say_yes, type_join
from tests.steps import ask, blobs, deposit, is_problem, log_of
from tests.vault.decoding import corpus
from vault.consent.answers import refuse
from vault.document_view import DocumentMetadata
from vault.documents.moves import records as moved
from vault.documents.own_deposit import deposit_own
from vault.maintenance.cleanup import sweep_rows
from vault.maintenance.joins import join_codes, union
from vault.services import Services


def unused() -> str:
    return f"{secrets.randbelow(10**8):08}"


async def test_every_code_that_does_not_serve_is_refused_alike_at_the_same_cost(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(join_codes, "WRONG_CODES", Rate(20, timedelta(hours=1)))
    person, ended, other = [await make_person() for _ in range(3)]
    typed = (await ask_join(client, ended)).json()["code"]
    assert (await type_join(client, other, typed)).status_code == 200
    own = (await ask_join(client, person)).json()["code"]
    expired = (await ask_join(client, other)).json()["code"]
    refusals, costs = {}, {}
    for name, code in (
        ("warm", unused()),
        ("unknown", unused()),
        ("typed", typed),
        ("own", own),
        ("no code", "é\x00½"),
        ("expired", expired),
    ):
        moved_clock(timedelta(minutes=11) if name == "expired" else timedelta())
        with statements(services) as run, pytest.raises(ServiceError, match="join_code_wrong"):
            await join_codes.answer(services, person.subject, code)
        costs[name] = list(run)
        refusals[name] = said(await type_join(client, person, code))
    assert len(costs["unknown"]) > 5
    assert all(cost == costs["unknown"] for name, cost in costs.items() if name != "warm")
    assert all(refusal == refusals["unknown"] for refusal in refusals.values())
    assert (await ask_join(client, ended)).status_code == 201


async def test_guesses_at_once_are_counted_one_by_one_and_a_good_code_costs_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    for _ in range(2):
        await answered_join(client, await make_person(), person)
    answers = await asyncio.gather(*(type_join(client, person, unused()) for _ in range(30)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(403), statuses.count(429)) == (5, 25)
    good = (await ask_join(client, await make_person())).json()["code"]
    is_problem(await type_join(client, person, good), 429, "too_many_requests")
    moved_clock(timedelta(hours=4, minutes=49))
    is_problem(await type_join(client, person, unused()), 403, "join_code_wrong")
    is_problem(await type_join(client, person, unused()), 429, "too_many_requests")


async def test_a_vault_gets_few_codes_and_of_two_who_type_one_one_sees_it(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    ended, rivals = await make_person(), [await make_person() for _ in range(4)]
    code = (await ask_join(client, ended)).json()["code"]
    answers = await asyncio.gather(*(type_join(client, one, code) for one in rivals))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    # That somebody typed it is in the log, without who it was.
    lines = [one for one in await log_of(client, ended) if one["action"] == "vault.join_see"]
    assert [one["actor"]["kind"] for one in lines] == ["anonymous"]


async def test_a_row_that_was_written_without_the_key_joins_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, as_owner: Database
) -> None:
    ended, thief, stays = [await make_person() for _ in range(3)]
    await deposit(client, ended, corpus.pdf(1))
    plan = await answered_join(client, ended, stays)
    async with as_owner.transaction() as tx:
        change = text("UPDATE unefois.vault_join SET stays_id = :thief WHERE id = :id")
        await tx.execute(change, {"thief": thief.id, "id": plan["id"]})
    path = f"/v1/me/joins/{plan['id']}"
    is_problem(await client.get(path, headers=thief.headers), 503, "row_altered")
    is_problem(await client.post(f"{path}/yes", headers=thief.headers), 503, "row_altered")
    assert (await client.get("/v1/documents", headers=ended.headers)).status_code == 200


async def test_a_crash_before_the_commit_leaves_both_vaults_as_they_were(
    client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, stays = await make_person(), await make_person()
    paper = await deposit(client, ended, corpus.pdf(1))
    plan = await answered_join(client, ended, stays)

    async def cut(*_: object) -> None:
        raise ServiceError(ErrorKind.UNAVAILABLE, "database_busy")

    monkeypatch.setattr(union, "record_left", cut)
    assert (await say_yes(client, stays, plan["id"])).status_code >= 500
    monkeypatch.undo()
    listed = await client.get("/v1/documents", headers=ended.headers)
    assert [one["id"] for one in listed.json()["items"]] == [paper["id"]]
    assert (await client.get("/v1/documents", headers=stays.headers)).json()["items"] == []
    assert (await say_yes(client, stays, plan["id"])).status_code == 200
    listed = await client.get("/v1/documents", headers=stays.headers)
    assert [one["id"] for one in listed.json()["items"]] == [paper["id"]]


async def test_a_crash_after_it_leaves_files_for_the_sweep_alone(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, stays = await make_person(), await make_person()
    for person in (stays, ended):
        await deposit(client, person, corpus.pdf(1))
    plan = await answered_join(client, ended, stays)
    before = await blobs(services)

    async def cut(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(union, "remove_blobs", cut)
    assert (await say_yes(client, stays, plan["id"])).status_code == 500
    monkeypatch.undo()
    assert await blobs(services) == before, "no row refers to those of the second paper"
    again = await client.post(f"/v1/me/joins/{plan['id']}/yes", headers=stays.headers)
    assert (again.status_code, again.json()["state"]) == (200, "joined")
    assert len((await client.get("/v1/documents", headers=stays.headers)).json()["items"]) == 1


class _OneFile:
    """A form with one file, as it arrives."""

    announced, name = 0, "scan.pdf"

    async def files(self) -> AsyncIterator["_OneFile"]:
        yield self

    async def slices(self) -> AsyncIterator[bytes]:
        yield corpus.pdf(1)


async def test_what_was_under_way_in_a_vault_that_ended_is_refused(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A session is looked at when a request begins: what is written later looks again."""
    ended, stays = await make_person(), await make_person()
    await joined(client, ended, stays)
    with pytest.raises(ServiceError, match="not_found"):
        await deposit_own(
            services, ended.subject, _OneFile(), lambda: DocumentMetadata(type="payslip")
        )
    async with services.database.transaction() as tx:
        assert await pins.hold_means(services, tx, ended.id) is None
        assert await pins.hold_means(services, tx, stays.id) is not None
    assert await means.list_means(services, ended.subject) == []
    assert len(await means.list_means(services, stays.subject)) == 1


async def test_what_was_begun_and_not_made_is_swept(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    ended, stays, later = [await make_person() for _ in range(3)]
    made = await joined(client, ended, stays)
    begun = (await ask_join(client, later)).json()["id"]
    moved_clock(timedelta(hours=2))
    await sweep_rows(services)
    assert await rows_of(services, made, begun) == {made}


async def rows_of(services: Services, *ids: str) -> set[str]:
    async with services.database.transaction() as tx:
        query = text("SELECT id FROM unefois.vault_join WHERE id = ANY(:ids)")
        return {str(one) for one in (await tx.execute(query, {"ids": list(ids)})).scalars()}


async def test_a_session_that_was_taken_over_gives_no_vault_away(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person: SomePerson = await make_person()
    for body in ({}, {"proof": {"pin": "482693"}}, {"proof": {"code": "123456"}}):
        answer = await client.post("/v1/me/joins", headers=person.headers, json=body)
        is_problem(answer, 403, "proof_needed")
    lines = [(one["action"], one["reason"]) for one in await log_of(client, person)]
    assert lines[:3] == [("vault.join_code", "proof_needed")] * 3


@pytest.mark.parametrize(
    "by", ["close everywhere", "a card that is stopped", "a new PIN", "its owner"]
)
@pytest.mark.parametrize("typed", [False, True])
async def test_a_join_that_was_asked_is_withdrawn(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, by: str, typed: bool
) -> None:
    """A thief of a card asked it; its owner closes everything, before the other vault's yes."""
    owner, thief = await make_person(), await make_person()
    pin, other, *_ = await usable_pins(services, owner)
    card = await add_card(client, owner, pin)
    inside = replace(owner, token=(await enter(client, card["code"], pin)).json()["token"])
    asked = (await ask_join(client, inside)).json()
    if typed:
        assert (await type_join(client, thief, asked["code"])).status_code == 200
    if by == "close everywhere":
        ended = await client.delete("/v1/sessions", headers=owner.headers)
    elif by == "its owner":
        ended = await client.delete("/v1/me/joins/asked", headers=owner.headers)
        assert (await log_of(client, owner))[0]["action"] == "vault.join_end"
    elif by == "a new PIN":
        ended = await choose_pin(client, owner, other)
    else:
        path = f"/v1/me/means/{card['id']}/stop"
        ended = await client.post(path, headers=owner.headers)
    assert ended.is_success, ended.text
    if typed:
        answer = await say_yes(client, thief, asked["id"], other)
        assert (answer.status_code, answer.json()["code"]) in (
            (404, "not_found"),
            (409, "join_over"),
        )
    else:
        is_problem(await type_join(client, thief, asked["code"]), 403, "join_code_wrong")


async def test_papers_that_move_are_locked_where_they_are_read(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A purge, or an antivirus verdict, takes no vault's lock: it waits for the row itself."""
    ended, stays = await make_person(), await make_person()
    await deposit(client, ended, corpus.pdf(1))
    async with services.database.transaction() as tx:
        (document,) = await moved.documents_of(tx, ended.id)
        await moved.versions_of(tx, ended.id, [document.id])
        async with services.database.transaction() as other:
            for table in ("document", "document_version"):
                free = text(
                    f"SELECT id FROM unefois.{table} WHERE person_id = :id"  # noqa: S608
                    " FOR UPDATE SKIP LOCKED"
                )
                assert (await other.execute(free, {"id": ended.id})).all() == []
    await joined(client, ended, stays)


async def test_beside_a_worker_the_log_of_what_ended_tells_no_refusal(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    asked = await ask(client, worker.headers, ended.phone, "lease")
    await refuse(services, ended.subject, UUID(asked))
    card = await card_of(client, services, stays)
    join = await joined(client, ended, stays, card[1])
    told = []
    for one in (stays, await enter_beside(client, worker, stays, card)):
        answer = await client.get(f"/v1/me/joins/{join}/access-log", headers=one.headers)
        told.append([entry["action"] for entry in answer.json()["items"]])
    assert "consent.refuse" in told[0]
    assert told[1] == [action for action in told[0] if action != "consent.refuse"]
