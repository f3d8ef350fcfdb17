"""When two vaults of one person do not become one yet: means that are new, a pace, limits of what
is read; each refusal is a line."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import joined_means, phone_means
from auth.rate_buckets import Rate, SharedBuckets, Taken
from auth.records import joins as records
from auth.records import people
from base.key_names import JOIN
from base.locks import hold_tag, try_hold
from tests.auth.means_steps import (
    add_card,
    add_phone,
    choose_pin,
    pin_of,
    proof_of,
    remember_pin,
    usable_pins,
)
from tests.fixtures import MakePerson, MoveClock, SomePerson, new_phone
from tests.joins import answered_join, ask_join, say_yes, type_join
from tests.steps import deposit, is_problem, log_of
from tests.vault.consent.test_evidence import someone_waits_for_a_lock
from tests.vault.decoding import corpus
from tests.web.api.test_joins import card_alone
from vault.documents.moves import moved_papers
from vault.maintenance.joins import union
from vault.services import Services

WEEK = timedelta(days=7)
SOON = timedelta(minutes=1)


async def make_new(
    client: httpx.AsyncClient, services: Services, person: SomePerson, what: str
) -> None:
    """A means of now, with the proof of those that were there."""
    pin = await pin_of(services, person)
    if what == "card":
        await add_card(client, person, pin)
    elif what == "PIN":
        assert (await choose_pin(client, person, pin)).status_code == 204
    else:
        added = await add_phone(client, services, person, new_phone(), pin)
        assert added.status_code == 201, added.text
        remember_pin(person, pin)


async def last_line(client: httpx.AsyncClient, person: SomePerson) -> tuple[str, str, str]:
    line = (await log_of(client, person))[0]
    return line["action"], line["outcome"], line["reason"]


async def ask_now(client: httpx.AsyncClient, person: SomePerson) -> httpx.Response:
    """`ask_join`, with means as old as they are."""
    proof = await proof_of(client, person)
    return await client.post("/v1/me/joins", headers=person.headers, json={"proof": proof})


@pytest.mark.parametrize("what", ["card", "PIN", "phone"])
async def test_a_vault_is_not_given_away_by_a_means_that_is_new(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
    what: str,
) -> None:
    """Whoever took over a session, waited seven days unnoticed and added a means of theirs: its
    owner was told, and has a week."""
    owner, thief = await make_person(), await make_person()
    await make_new(client, services, owner, what)
    for moment, days in ((timedelta(), 7), (timedelta(days=3), 4), (WEEK - SOON, 1)):
        moved_clock(moment)
        refused = await ask_now(client, owner)
        is_problem(refused, 409, "means_too_new")
        assert refused.json()["what_to_do"].endswith(f"Jours à attendre : {days}.")
        reason = "phone_too_new" if what == "phone" else "card_too_new"
        assert await last_line(client, owner) == ("vault.join_code", "refused", reason)
        listed = (await client.get("/v1/me/joins", headers=owner.headers)).json()
        assert listed["possible_at"] is not None
    moved_clock(WEEK + SOON)
    asked = await ask_now(client, owner)
    assert asked.status_code == 201, asked.text
    listed = (await client.get("/v1/me/joins", headers=owner.headers)).json()
    assert listed["possible_at"] is None
    assert (await type_join(client, thief, asked.json()["code"])).status_code == 200


async def test_the_phone_that_opened_a_vault_is_as_old_as_it(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    assert (await ask_now(client, await make_person())).status_code == 201


@pytest.mark.parametrize("before", [True, False])
async def test_the_vault_that_stays_has_no_new_means_either(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
    before: bool,
) -> None:
    """`before`: it is new when the digits are typed, which are not used up; or afterwards."""
    ended, stays = await make_person(), await make_person()
    paper = await deposit(client, ended, corpus.pdf(1))
    asked = (await ask_join(client, ended)).json()
    typing, code = "/v1/me/joins/answer", {"code": asked["code"]}
    if before:
        await make_new(client, services, stays, "card")
        is_problem(
            await client.post(typing, headers=stays.headers, json=code), 409, "means_too_new"
        )
        assert await last_line(client, stays) == ("vault.join_see", "refused", "card_too_new")
        line = (await log_of(client, stays))[0]
        assert "ce n’était pas possible" in line["sentence"], "no code is said not to work"
        assert (await type_join(client, stays, asked["code"])).status_code == 200
        return
    assert (await client.post(typing, headers=stays.headers, json=code)).status_code == 200
    await make_new(client, services, stays, "card")
    body = {"proof": await proof_of(client, stays)}
    yes = f"/v1/me/joins/{asked['id']}/yes"
    is_problem(await client.post(yes, headers=stays.headers, json=body), 409, "means_too_new")
    assert await last_line(client, stays) == ("vault.join", "refused", "card_too_new")
    listed = (await client.get("/v1/documents", headers=ended.headers)).json()["items"]
    assert [one["id"] for one in listed] == [paper["id"]]


async def test_a_new_phone_without_a_pin_is_named(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """One that another release added, before a PIN was chosen with each."""
    person = await make_person()
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await people.person(tx, macs, person.id)
        assert row is not None
        await phone_means.put_phone(services, tx, person.id, person.phone, row.phone_tag)
    asked = await ask_now(client, person)
    is_problem(asked, 409, "means_too_new")
    assert await last_line(client, person) == ("vault.join_code", "refused", "phone_too_new")


async def test_a_refusal_reads_no_paper_and_a_vault_says_few_yeses(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, stays = await make_person(), await make_person()
    for person in (ended, stays):
        await deposit(client, person, corpus.pdf(1))
    plan = await answered_join(client, ended, stays)
    read: list[Any] = []
    whole = moved_papers.possible_doubles

    async def counted(*args: Any) -> dict[Any, bytes]:
        read.append(args)
        return await whole(*args)

    monkeypatch.setattr(moved_papers, "possible_doubles", counted)
    monkeypatch.setattr(union, "YESES", Rate(2, timedelta(minutes=6)))
    monkeypatch.setattr(services.settings, "max_vault_documents", 0)
    for _ in range(2):
        is_problem(await say_yes(client, stays, plan["id"]), 409, "too_many_documents")
    assert read == []
    monkeypatch.setattr(services.settings, "max_vault_documents", 100)
    refused = await say_yes(client, stays, plan["id"])
    is_problem(refused, 429, "too_many_requests")
    assert await last_line(client, stays) == ("vault.join", "refused", "paced")
    monkeypatch.setattr(union, "YESES", Rate(5, timedelta(minutes=6)))
    assert (await say_yes(client, stays, plan["id"])).status_code == 200
    assert len(read) == 1


@pytest.mark.parametrize("limit", ["MAX_COMPARED", "MAX_COMPARED_KIB"])
async def test_no_more_papers_than_a_limit_are_read_for_doubles(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
) -> None:
    """Those beyond it come as papers of their own: nothing is lost."""
    ended, stays = await make_person(), await make_person()
    for person in (ended, stays):
        for pages in (1, 2, 3):
            await deposit(client, person, corpus.pdf(pages))
    gone = await deposit(client, ended, corpus.pdf(4))
    await deposit(client, stays, corpus.pdf(4))
    await client.delete(f"/v1/documents/{gone['id']}", headers=ended.headers)
    alike = await moved_papers.possible_doubles(services, stays.id, ended.id)
    assert len(alike) == 3, "none of the trash"
    small = {"MAX_COMPARED": 2, "MAX_COMPARED_KIB": 0}[limit]
    monkeypatch.setattr(moved_papers, limit, small)
    assert len(await moved_papers.possible_doubles(services, stays.id, ended.id)) == small
    plan = await answered_join(client, ended, stays)
    assert (await say_yes(client, stays, plan["id"])).status_code == 200
    listed = (await client.get("/v1/documents", headers=stays.headers)).json()["items"]
    assert len(listed) == 4 + (3 - small)


async def test_what_is_not_there_is_a_line_too(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    ended, stays, stranger = [await make_person() for _ in range(3)]
    plan = await answered_join(client, ended, stays)
    path = f"/v1/me/joins/{plan['id']}"
    is_problem(await client.get(path, headers=stranger.headers), 404, "not_found")
    assert await last_line(client, stranger) == ("vault.join_see", "refused", "not_found")
    yes = await client.post(f"{path}/yes", headers=stranger.headers, json={})
    is_problem(yes, 404, "not_found")
    assert await last_line(client, stranger) == ("vault.join_see", "refused", "not_found")
    log = await client.get(f"{path}/access-log", headers=stays.headers)
    is_problem(log, 404, "not_found")  # it is not made yet
    assert await last_line(client, stays) == ("log.read", "refused", "not_found")


@pytest.mark.parametrize("typed", [False, True])
async def test_what_was_asked_before_its_session_was_kept_is_over(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, typed: bool
) -> None:
    """The rows of an earlier release are sealed without it."""
    ended, stays = await make_person(), await make_person()
    asked = (await ask_join(client, ended)).json()
    if typed:
        assert (await type_join(client, stays, asked["code"])).status_code == 200
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    async with services.database.transaction() as tx:
        row = await records.join_to_change(tx, macs, asked["id"])
        assert row is not None
        said = {} if typed else {"code": asked["code"]}
        await records.change_join(tx, macs, row, sealed=writer.seal(JOIN, row.id, said))
    path = f"/v1/me/joins/{asked['id']}"
    seen = await client.get(path, headers=ended.headers)
    assert (seen.status_code, seen.json()["state"]) == (200, "over")
    if typed:
        is_problem(await say_yes(client, stays, asked["id"]), 409, "join_over")
        assert await last_line(client, stays) == ("vault.join", "refused", "join_over")
    else:
        is_problem(await type_join(client, stays, asked["code"]), 403, "join_code_wrong")


async def test_a_pin_for_a_phone_that_comes_is_counted_before_any_lock(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three a day say whether another vault of the phone has it: the next is refused, in a line."""
    phone, carded = await make_person(), await make_person()
    pin, other, *_ = await usable_pins(services, phone, carded)
    await card_alone(client, services, carded, pin)
    plan = await answered_join(client, phone, carded)
    free: list[bool] = []
    take = SharedBuckets.take

    async def look_and_take(self: SharedBuckets, name: bytes, wanted: int) -> Taken:
        async with services.database.transaction() as tx:
            for one in (phone, carded):
                lock = int.from_bytes(one.id.bytes[8:], "big", signed=True)
                free.append(await try_hold(tx, lock))
        return await take(self, name, wanted)

    monkeypatch.setattr(SharedBuckets, "take", look_and_take)
    monkeypatch.setattr(joined_means, "PHONE_TAKEN", Rate(0, timedelta(days=1)))
    is_problem(await say_yes(client, carded, plan["id"], other), 429, "too_many_pins")
    assert await last_line(client, carded) == ("vault.join", "refused", "too_many_pins")
    monkeypatch.setattr(joined_means, "PHONE_TAKEN", Rate(1, timedelta(days=1)))
    assert (await say_yes(client, carded, plan["id"], other)).status_code == 200
    assert len(free) == 8, "the yes and the phone, twice"
    assert all(free)


@pytest.mark.parametrize(
    ("meanwhile", "code", "reason"),
    [
        ("DELETE /v1/me/joins/asked", "join_over", "join_over"),
        ("DELETE /v1/sessions/current", "join_over", "join_over"),
        ("POST /v1/me/proof/wait", "join_not_now", "join_not_now"),
    ],
)
async def test_a_yes_is_judged_again_under_the_locks(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: str,
    code: str,
    reason: str,
) -> None:
    """The papers of both are read in between, which takes time."""
    ended, stays = await make_person(), await make_person()
    paper = await deposit(client, ended, corpus.pdf(1))
    plan = await answered_join(client, ended, stays)
    whole = moved_papers.possible_doubles

    async def slowly(*args: Any) -> dict[Any, bytes]:
        method, path = meanwhile.split()
        changed = await client.request(method, path, headers=ended.headers)
        assert changed.is_success, changed.text
        return await whole(*args)

    monkeypatch.setattr(moved_papers, "possible_doubles", slowly)
    is_problem(await say_yes(client, stays, plan["id"]), 409, code)
    assert await last_line(client, stays) == ("vault.join", "refused", reason)
    listed = (await client.get("/v1/documents", headers=stays.headers)).json()["items"]
    assert paper["id"] not in [one["id"] for one in listed]


@pytest.mark.parametrize("what", ["the vault", "its phone"])
async def test_a_yes_waits_for_what_is_done_in_the_vault_that_ends(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson, what: str
) -> None:
    """Else it would be lost there: a paper that is added, a means of the phone."""
    ended, stays = await make_person(), await make_person()
    plan = await answered_join(client, ended, stays)
    async with services.database.transaction() as tx:
        (phone,) = await joined_means.phones_of(services, tx, ended.id)
        await hold_tag(tx, ended.id.bytes[8:] if what == "the vault" else phone)
        yes = asyncio.create_task(say_yes(client, stays, plan["id"]))
        await someone_waits_for_a_lock(services)
        assert not yes.done()
    assert (await yes).status_code == 200
