"""An invitation to enter on a worker's device: its code guessed, its yes taken from another, used
twice, too late, or by whom it is not for. Nothing opens."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import administration, pin_hashes, sessions
from auth.visitor import Visitor
from base.errors import ServiceError
from tests import meetings
from tests.assisted import card_of, end_beside, enter_beside, gift, status_of
from tests.attacks.statements import statements
from tests.auth.means_steps import wrong
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.invitations import (
    INVITATIONS,
    confirmed,
    invite,
    look,
    looked_at,
    say,
    see,
    try_enter,
)
from tests.steps import is_problem, log_of
from vault.consent import invitations
from vault.maintenance import erasure
from vault.services import Services


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker()


async def test_a_code_serves_once_and_for_five_minutes_and_for_a_person(
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    moved_clock(timedelta())
    other = await make_person()
    used = await invite(client, worker)
    assert (await look(client, other, used["code"])).status_code == 200
    is_problem(await look(client, person, used["code"]), 403, "meeting_code_wrong")
    is_problem(await look(client, other, used["code"]), 403, "meeting_code_wrong")
    waiting = await invite(client, worker)
    is_problem(await look(client, await make_worker(), waiting["code"]), 403, "wrong_caller")
    is_problem(await say(client, worker, waiting["id"]), 403, "wrong_caller")
    replaced = await invite(client, worker)
    is_problem(await look(client, person, waiting["code"]), 403, "meeting_code_wrong")
    moved_clock(timedelta(minutes=5, seconds=1))
    is_problem(await look(client, person, replaced["code"]), 403, "meeting_code_wrong")
    assert (await see(client, worker, replaced["id"]))["state"] == "over"
    is_problem(await try_enter(client, worker, replaced["id"]), 409, "meeting_over")


async def test_a_yes_serves_once_and_waits_ten_minutes(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, moved_clock: MoveClock
) -> None:
    moved_clock(timedelta())
    late, unsaid = await confirmed(client, worker, person), ""
    used = await confirmed(client, worker, person)
    assert (await try_enter(client, worker, used)).status_code == 201
    await end_beside(client, worker)
    is_problem(await try_enter(client, worker, used), 409, "meeting_over")
    is_problem(await say(client, person, used), 409, "meeting_over")
    unsaid = await looked_at(client, worker, person)
    moved_clock(timedelta(minutes=10, seconds=1))
    is_problem(await try_enter(client, worker, late), 409, "meeting_over")
    is_problem(await say(client, person, unsaid), 409, "meeting_over")
    assert (await see(client, person, unsaid))["state"] == "over"


async def test_a_no_ends_it_from_either_side(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    invitation = await confirmed(client, worker, person)
    assert (await say(client, person, invitation, agree=False)).json()["state"] == "over"
    assert (await say(client, person, invitation, agree=False)).status_code == 200
    is_problem(await try_enter(client, worker, invitation), 409, "meeting_over")
    is_problem(await say(client, person, invitation), 409, "meeting_over")
    line = (await log_of(client, person))[2]
    assert (line["action"], line["outcome"]) == ("meeting.end", "allowed")
    opened = await invite(client, worker)
    ended = await client.delete(f"{INVITATIONS}/{opened['id']}", headers=worker.headers)
    assert ended.status_code == 204
    is_problem(await look(client, person, opened["code"]), 403, "meeting_code_wrong")


async def test_it_is_of_its_two_sides_and_of_one_session_of_the_worker(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
    elsewhere = replace(worker, token=opened.token)
    invitation = await confirmed(client, worker, person)
    for side in (elsewhere, await make_worker()):
        is_problem(await try_enter(client, side, invitation), 404, "not_found")
        ended = await client.delete(f"{INVITATIONS}/{invitation}", headers=side.headers)
        is_problem(ended, 404, "not_found")
    stranger = await make_person()
    for agree in (True, False):
        is_problem(await say(client, stranger, invitation, agree=agree), 404, "not_found")
    for one in (elsewhere, stranger):
        answer = await client.get(f"{INVITATIONS}/{invitation}", headers=one.headers)
        is_problem(answer, 404, "not_found")
    assert (await try_enter(client, worker, invitation)).status_code == 201


async def test_neither_is_the_other(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """A program that knows meetings alone cannot say yes to more than a meeting."""
    opened = await invite(client, worker)
    answer = await meetings.type_code(client, person, opened["code"])
    is_problem(answer, 403, "meeting_code_wrong")
    assert (await look(client, person, opened["code"])).status_code == 200, "it was not used up"
    for side in (person, worker):
        is_problem(await meetings.say(client, side, opened["id"]), 404, "not_found")
        shown = await client.get(f"/v1/meetings/{opened['id']}", headers=side.headers)
        is_problem(shown, 404, "not_found")
    assert (await say(client, person, opened["id"])).status_code == 200
    through = gift(worker, recipient={"meeting": opened["id"]})
    given = await client.post("/v1/grants", headers=person.headers, json=through)
    is_problem(given, 409, "meeting_not_agreed")
    meeting = await meetings.open_meeting(client, worker)
    is_problem(await look(client, person, meeting["code"]), 403, "meeting_code_wrong")
    linked = await meetings.answered(client, worker, person)
    for side in (person, worker):
        answer = await client.get(f"{INVITATIONS}/{linked}", headers=side.headers)
        is_problem(answer, 404, "not_found")
    is_problem(await say(client, person, linked), 404, "not_found")
    is_problem(await try_enter(client, worker, linked), 404, "not_found")


async def signs_out(services: Services, worker: SomeWorker, _client: httpx.AsyncClient) -> None:
    await sessions.sign_out(services, worker.subject)


async def is_barred(services: Services, worker: SomeWorker, _client: httpx.AsyncClient) -> None:
    await administration.deactivate_worker(services, worker.id)


LEAVES = {"signed out": signs_out, "barred": is_barred}


@pytest.mark.parametrize("how", LEAVES)
async def test_a_worker_who_left_lends_nothing(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    worker: SomeWorker,
    how: str,
) -> None:
    """At each step: the code, the yes, the session."""
    first, second = await make_person(), await make_person()
    answered = await looked_at(client, worker, first)
    said = await confirmed(client, worker, second)
    shown = await invite(client, worker)
    await LEAVES[how](services, worker, client)
    is_problem(await look(client, first, shown["code"]), 403, "meeting_code_wrong")
    is_problem(await say(client, first, answered), 409, "meeting_over")
    assert (await see(client, second, said))["state"] == "over"
    assert (await try_enter(client, worker, said)).status_code == 401


async def test_a_worker_who_is_locked_lends_nothing_meanwhile(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    make_person: MakePerson,
) -> None:
    other = await make_person()
    said = await confirmed(client, worker, other)
    shown = await invite(client, worker)
    await enter_beside(client, worker, person, await card_of(client, services, person))
    for answer in (
        await client.post(INVITATIONS, headers=worker.headers),
        await try_enter(client, worker, said),
        await client.get(f"{INVITATIONS}/{said}", headers=worker.headers),
    ):
        is_problem(answer, 403, "session_locked")
    is_problem(await look(client, other, shown["code"]), 403, "meeting_code_wrong")
    is_problem(await say(client, other, said), 409, "meeting_over")
    await end_beside(client, worker)
    assert (await try_enter(client, worker, said)).status_code == 201, "it waited for its turn"


async def leaves_everywhere(services: Services, person: SomePerson) -> None:
    await sessions.end_others(services, person.subject, this_too=True)


async def leaves_there(services: Services, person: SomePerson) -> None:
    await sessions.sign_out(services, person.subject)


async def erases(services: Services, person: SomePerson) -> None:
    await erasure.erase(services, person.subject)


GOES: dict[str, Callable[[Services, SomePerson], Any]] = {
    "leaves everywhere": leaves_everywhere,
    "leaves on that phone": leaves_there,
    "erases the vault": erases,
}


@pytest.mark.parametrize("how", GOES)
async def test_a_yes_lives_no_longer_than_the_session_that_said_it(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker, how: str
) -> None:
    """Also where all sessions end because a card was stopped; and a worker learns not why."""
    invitation = await confirmed(client, worker, person)
    await GOES[how](services, person)
    is_problem(await try_enter(client, worker, invitation), 409, "meeting_over")
    seen = await see(client, worker, invitation)
    assert (seen["state"], seen["word"]) == ("over", None)
    assert await status_of(client, worker) == 200


async def test_no_yes_from_beside_a_worker_nor_from_a_shared_device(
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    card = await card_of(client, services, person)
    colleague = await make_worker()
    inside = await enter_beside(client, worker, person, card)
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(
            services, tx, kind="person", subject_id=person.id, visitor=Visitor(shared=True)
        )
    at_the_library = replace(person, token=opened.token)
    asked = await invite(client, colleague)
    is_problem(await look(client, inside, asked["code"]), 403, "not_when_assisted")
    refused = await look(client, at_the_library, asked["code"])
    is_problem(refused, 403, "not_on_shared_device")
    assert (await look(client, person, asked["code"])).status_code == 200, "it still serves"
    proof = {"pin": card[1]}
    is_problem(await say(client, inside, asked["id"], proof=proof), 403, "not_when_assisted")
    refused = await say(client, at_the_library, asked["id"], proof=proof)
    is_problem(refused, 403, "not_on_shared_device")
    line = (await log_of(client, person))[0]
    assert (line["action"], line["reason"]) == ("meeting.agree", "shared_device")
    assert (await say(client, person, asked["id"], proof=proof)).status_code == 200


async def test_a_pin_is_asked_where_there_is_one(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    _, pin = await card_of(client, services, person)
    invitation = await looked_at(client, worker, person)
    is_problem(await say(client, person, invitation), 403, "proof_needed")
    for _ in range(5):
        answer = await say(client, person, invitation, proof={"pin": wrong(pin)})
        is_problem(answer, 403, "proof_wrong")
    assert (await log_of(client, person))[0]["reason"] == "proof_wrong"
    answer = await say(client, person, invitation, proof={"pin": pin})
    is_problem(answer, 429, "too_many_proofs")
    is_problem(await try_enter(client, worker, invitation), 409, "meeting_not_agreed")
    assert (await say(client, person, invitation, agree=False)).status_code == 200, "a no asks none"


async def test_the_right_pin_is_enough(
    client: httpx.AsyncClient, services: Services, person: SomePerson, worker: SomeWorker
) -> None:
    _, pin = await card_of(client, services, person)
    invitation = await looked_at(client, worker, person)
    assert (await say(client, person, invitation, proof={"pin": pin})).status_code == 200
    assert (await try_enter(client, worker, invitation)).status_code == 201


async def test_guesses_are_counted_with_those_of_meetings(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    def guess() -> str:
        return f"{secrets.randbelow(10**6):06}"

    for _ in range(3):
        is_problem(await look(client, person, guess()), 403, "meeting_code_wrong")
    for _ in range(2):
        answer = await meetings.type_code(client, person, guess())
        is_problem(answer, 403, "meeting_code_wrong")
    good = await invite(client, worker)
    is_problem(await look(client, person, good["code"]), 429, "too_many_requests")
    assert (await see(client, worker, good["id"]))["state"] == "open", "it was not looked at"


async def test_a_worker_opens_so_many(client: httpx.AsyncClient, worker: SomeWorker) -> None:
    for _ in range(20):
        await invite(client, worker)
    answer = await client.post(INVITATIONS, headers=worker.headers)
    is_problem(answer, 429, "too_many_requests")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("field", [invitations.answer_invitation, invitations.answer_either])
async def test_a_code_that_does_not_serve_costs_the_same(
    field: Callable[..., Any],
    client: httpx.AsyncClient,
    services: Services,
    person: SomePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """As many statements, word for word, whatever is wrong with it."""
    left, late, other = [await make_worker() for _ in range(3)]
    codes = {"warm": "12", "unknown": "12"}
    codes |= {"left": (await invite(client, left))["code"]}
    codes |= {"expired": (await invite(client, late))["code"]}
    codes |= {"typed": (await invite(client, other))["code"]}
    assert (await look(client, person, codes["typed"])).status_code == 200
    await sessions.sign_out(services, left.subject)
    costs = {}
    for name, code in codes.items():
        moved_clock(timedelta(minutes=6) if name == "expired" else timedelta())
        with statements(services) as run, pytest.raises(ServiceError, match="meeting_code_wrong"):
            await field(services, person.subject, code)
        costs[name] = list(run)
    assert len(costs["unknown"]) > 5
    assert all(cost == costs["unknown"] for name, cost in costs.items() if name != "warm")


async def test_of_two_phones_at_once_one_is_linked(
    client: httpx.AsyncClient, worker: SomeWorker, make_person: MakePerson
) -> None:
    people = [await make_person() for _ in range(2)]
    opened = await invite(client, worker)
    answers = await asyncio.gather(*(look(client, one, opened["code"]) for one in people))
    assert sorted(one.status_code for one in answers) == [200, 403]
    linked, other = sorted(zip(answers, people, strict=True), key=lambda one: one[0].status_code)
    is_problem(other[0], 403, "meeting_code_wrong")
    is_problem(await say(client, other[1], opened["id"]), 404, "not_found")
    assert (await say(client, linked[1], opened["id"])).status_code == 200


async def test_of_two_who_are_let_in_at_once_one_is(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    invitation = await confirmed(client, worker, person)
    answers = await asyncio.gather(*(try_enter(client, worker, invitation) for _ in range(3)))
    assert sorted(one.status_code for one in answers)[0] == 201
    assert all(one.status_code in (403, 409) for one in answers if one.status_code != 201)
    assert sum(one.status_code == 201 for one in answers) == 1
    listed = (await client.get("/v1/sessions", headers=person.headers)).json()["items"]
    assert len(listed) == 2


async def test_two_yeses_are_let_in_one_after_the_other(
    client: httpx.AsyncClient, worker: SomeWorker, make_person: MakePerson
) -> None:
    people = [await make_person() for _ in range(2)]
    said = [await confirmed(client, worker, one) for one in people]
    answers = await asyncio.gather(*(try_enter(client, worker, one) for one in said))
    assert sorted(one.status_code == 201 for one in answers) == [False, True]
    refused = next(one for one in answers if one.status_code != 201)
    assert refused.status_code in (403, 409)
    assert refused.json()["type"].endswith(("session_locked", "meeting_over"))
