"""The digits of a naming are guessed, typed twice or at once; a row is written without the keys; a
session that was taken over names nobody."""

import asyncio
import secrets
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from auth import means_log, pin_hashes
from auth.rate_buckets import Rate
from base.errors import ServiceError
from base.ids import new_id
from tests.attacks.statements import statements
from tests.attacks.test_meetings import said
from tests.auth.means_steps import proved
from tests.fixtures import MakePerson, MoveClock
from tests.steps import is_problem, log_of
from tests.trusted import (
    WEEK,
    WORDS,
    accept_trust,
    answered_naming,
    for_me,
    mine,
    name_trusted,
    trusted,
    type_trusted,
    vouch_for,
    with_pin,
)
from vault.maintenance.erasure import erase
from vault.services import Services
from vault.trusted import naming as namings
from vault.trusted import trusted_ends
from vault.trusted.vouching import vouched


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


def unused() -> str:
    return f"{secrets.randbelow(10**8):08}"


async def test_every_code_that_does_not_serve_is_refused_alike_at_the_same_cost(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(namings, "WRONG_CODES", Rate(20, timedelta(hours=1)))
    person, amina, other = [await make_person() for _ in range(3)]
    await trusted(client, amina, person)
    again = (await name_trusted(client, amina))["code"]
    typed = (await name_trusted(client, other))["code"]
    assert (await type_trusted(client, amina, typed)).status_code == 200
    own = (await name_trusted(client, person))["code"]
    expired = (await name_trusted(client, other))["code"]
    refusals, costs = {}, {}
    for name, code in (
        ("warm", unused()),
        ("unknown", unused()),
        ("typed", typed),
        ("own", own),
        ("of who trusts already", again),
        ("no code", "é\x00½"),
        ("expired", expired),
    ):
        moved_clock(timedelta(minutes=11) if name == "expired" else timedelta())
        with statements(services) as run, pytest.raises(ServiceError, match="trusted_code_wrong"):
            await namings.answer(services, person.subject, code)
        costs[name] = list(run)
        refusals[name] = said(await type_trusted(client, person, code))
    assert len(costs["unknown"]) > 5
    differing = {"warm", "of who trusts already"}  # of a session that is there: its row is read
    assert all(cost == costs["unknown"] for name, cost in costs.items() if name not in differing)
    assert all(refusal == refusals["unknown"] for refusal in refusals.values())


async def test_at_the_desk_digits_cost_the_same_whether_they_serve_or_not(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + timedelta(minutes=1))
    good = (await vouch_for(client, awa, naming)).json()["code"]
    costs = []
    for code in (unused(), unused(), good, good):
        with statements(services) as run:
            async with services.database.transaction() as tx:
                found = await vouched(services, tx, code)
        costs.append((found, len(run)))
    assert costs[2][0] == amina.id
    assert {many for _, many in costs[1:]} == {costs[1][1]}


async def test_guesses_at_once_are_counted_one_by_one_and_a_good_code_costs_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    for _ in range(2):
        await answered_naming(client, await make_person(), person)
    answers = await asyncio.gather(*(type_trusted(client, person, unused()) for _ in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(403), statuses.count(429)) == (5, 15)
    moved_clock(timedelta(hours=4, minutes=49))
    is_problem(await type_trusted(client, person, unused()), 403, "trusted_code_wrong")
    is_problem(await type_trusted(client, person, unused()), 429, "too_many_requests")


async def test_of_several_who_type_one_sees_it_and_two_yeses_are_one(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, rivals = await make_person(), [await make_person() for _ in range(4)]
    code = (await name_trusted(client, amina))["code"]
    answers = await asyncio.gather(*(type_trusted(client, one, code) for one in rivals))
    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403]
    (naming,) = [one.json()["id"] for one in answers if one.is_success]
    (awa,) = [one for one, found in zip(rivals, answers, strict=True) if found.is_success]
    yeses = await asyncio.gather(*(accept_trust(client, awa, naming) for _ in range(3)))
    assert {yes.json()["state"] for yes in yeses} == {"accepted"}
    said_yes = [one for one in await log_of(client, awa) if one["action"] == "trusted.accept"]
    assert len(said_yes) == 1
    for stranger in (amina, *[one for one in rivals if one is not awa]):
        is_problem(await accept_trust(client, stranger, naming), 404, "not_found")


async def test_a_session_that_was_taken_over_names_nobody_and_vouches_for_nobody(
    client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + timedelta(minutes=1))
    wrong = {"pin": "482693", "code": "000000", "id": str(new_id()), "secret": "x"}
    for body, code in (({}, "proof_needed"), ({"proof": wrong}, "proof_wrong")):
        named = await client.post("/v1/me/trusted", headers=amina.headers, json=WORDS | body)
        is_problem(named, 403, code)
        path = f"/v1/trusted/{naming}/vouch"
        is_problem(await client.post(path, headers=awa.headers, json=body), 403, code)
    assert [one["state"] for one in await mine(client, amina)] == ["accepted"]


async def test_few_codes_an_hour(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    await with_pin(client, person)
    for _ in range(5):
        await name_trusted(client, person)
    with pytest.raises(AssertionError, match="too_many_requests"):
        await name_trusted(client, person)


async def test_of_an_end_and_digits_for_the_desk_at_once_none_serve(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + timedelta(minutes=1))
    path = f"/v1/me/trusted/{naming}"
    ended, asked = await asyncio.gather(
        proved(client, amina, "DELETE", path), vouch_for(client, awa, naming)
    )
    assert ended.status_code == 204, ended.text
    assert asked.status_code in (201, 409), asked.text
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]
    if asked.status_code == 201:
        async with services.database.transaction() as tx:
            assert await vouched(services, tx, asked.json()["code"]) is None


async def test_of_a_yes_and_the_end_of_the_vault_at_once_nobody_is_trusted(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = (await answered_naming(client, amina, awa))["id"]
    said_yes, erased = await asyncio.gather(
        accept_trust(client, awa, naming), erase(services, amina.subject)
    )
    assert erased
    assert said_yes.status_code in (200, 404, 409), said_yes.text
    assert await for_me(client, awa) == []


async def test_what_fails_before_its_commit_changes_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a process that is killed there: the yes and the end are one commit each."""
    amina, awa = await make_person(), await make_person()
    naming = UUID((await answered_naming(client, amina, awa))["id"])

    async def killed(*_: object, **__: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(means_log, "tell", killed)
        with pytest.raises(InterruptedError):
            await namings.accept(services, awa.subject, naming)
    assert [one["state"] for one in await mine(client, amina)] == ["answered"]
    assert (await accept_trust(client, awa, str(naming))).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(means_log, "tell", killed)
        with pytest.raises(InterruptedError):
            await trusted_ends.end_for_me(services, awa.subject, naming)
    assert [one["state"] for one in await mine(client, amina)] == ["accepted"]
    assert "trusted.end" not in [one["action"] for one in await log_of(client, amina)]


async def test_a_row_that_was_written_without_the_key_vouches_for_nobody(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa, thief = [await make_person() for _ in range(3)]
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + timedelta(minutes=1))
    async with services.database.transaction() as tx:
        change = text("UPDATE unefois.trusted_person SET trusted_id = :thief WHERE id = :id")
        await tx.execute(change, {"thief": thief.id, "id": naming})
    answer = await vouch_for(client, thief, naming)
    is_problem(answer, 503, "row_altered")
