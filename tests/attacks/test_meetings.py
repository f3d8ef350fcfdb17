"""A meeting's code is guessed, typed twice, typed by the wrong kind: nothing is learnt of it."""

import asyncio
import secrets
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.fixtures import MakePerson, MakeWorker, MoveClock
from tests.meetings import answered, met, open_meeting, say, see, type_code
from tests.steps import again, is_problem, log_of
from vault.consent import meetings
from vault.services import Services

_PASSING = {"x-request-id", "date"}


def said(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, object]]:
    """All that a refusal says, without what names the request."""
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    shown = {name: value for name, value in answer.headers.items() if name not in _PASSING}
    return answer.status_code, shown, body


def unused() -> str:
    return f"{secrets.randbelow(10**6):06}"


async def test_every_code_that_does_not_serve_is_refused_alike(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Unknown, typed already, ended, of one's own kind, one's own, expired, and no code at all."""
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    asking = await make_person()
    unknown = said(await type_code(client, person, unused()))
    assert unknown[0] == 403
    typed = await open_meeting(client, worker)
    assert (await type_code(client, await make_person(), typed["code"])).status_code == 200
    ended = await open_meeting(client, worker)
    assert (await say(client, worker, ended["id"], agree=False)).status_code == 200
    of_a_person = await open_meeting(client, asking)
    refusals = {
        "typed": await type_code(client, person, typed["code"]),
        "ended": await type_code(client, person, ended["code"]),
        "own kind": await type_code(client, person, of_a_person["code"]),
        "no code": await type_code(client, person, "é\x00½"),
        "one's own": await type_code(client, asking, of_a_person["code"]),
    }
    expiring = await open_meeting(client, worker)
    of_a_worker = await open_meeting(client, colleague)
    refusals["of a colleague"] = await type_code(client, worker, of_a_worker["code"])
    moved_clock(timedelta(minutes=5, seconds=1))
    refusals["expired"] = await type_code(client, asking, expiring["code"])
    assert {name: said(answer) == unknown for name, answer in refusals.items()} == dict.fromkeys(
        refusals, True
    )
    moved_clock(timedelta())
    # What was tried in vain still serves the other kind.
    assert (await type_code(client, asking, of_a_worker["code"])).status_code == 200


async def test_a_code_that_does_not_serve_costs_the_same(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """As many statements, word for word, whatever is wrong with it."""
    person, worker, asking = await make_person(), await make_worker(), await make_person()
    own_kind = (await open_meeting(client, asking))["code"]
    expired = (await open_meeting(client, worker))["code"]
    typed = await open_meeting(client, await make_worker())
    assert (await type_code(client, asking, typed["code"])).status_code == 200
    costs = {}
    for name, code in (
        ("warm", unused()),
        ("unknown", unused()),
        ("typed", typed["code"]),
        ("own kind", own_kind),
        ("expired", expired),
    ):
        moved_clock(timedelta(minutes=6) if name == "expired" else timedelta())
        with statements(services) as run, pytest.raises(ServiceError, match="meeting_code_wrong"):
            await meetings.answer_meeting(services, person.subject, code)
        costs[name] = list(run)
    assert len(costs["unknown"]) > 5
    assert all(cost == costs["unknown"] for name, cost in costs.items() if name != "warm")


async def test_five_wrong_codes_and_no_more(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """A good code costs nothing, and after five wrong ones is not looked at either."""
    person, worker = await make_person(), await make_worker()
    for _ in range(7):
        await answered(client, worker, person)
    for _ in range(5):
        is_problem(await type_code(client, person, unused()), 403, "meeting_code_wrong")
    good = await open_meeting(client, worker)
    is_problem(await type_code(client, person, good["code"]), 429, "too_many_requests")
    is_problem(await type_code(client, person, unused()), 429, "too_many_requests")
    assert (await see(client, worker, good["id"]))["state"] == "open"
    lines = [(one["action"], one["reason"]) for one in await log_of(client, person)]
    assert lines[:3] == [
        ("meeting.answer", "paced"),
        ("meeting.answer", "paced"),
        ("meeting.answer", "meeting_code"),
    ]
    # Others are not slowed; the account is, until some come back.
    assert (await type_code(client, await make_person(), good["code"])).status_code == 200
    moved_clock(timedelta(minutes=12, seconds=5))
    is_problem(await type_code(client, person, unused()), 403, "meeting_code_wrong")
    is_problem(await type_code(client, person, unused()), 429, "too_many_requests")


async def test_guesses_at_once_are_counted_one_by_one(
    client: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    answers = await asyncio.gather(*(type_code(client, worker, unused()) for _ in range(40)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(403), statuses.count(429)) == (5, 35)


async def test_of_two_who_type_a_code_at_once_one_is_linked_and_the_other_learns_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker, rivals = await make_worker(), [await make_person() for _ in range(4)]
    wrong = said(await type_code(client, rivals[0], unused()))
    opened = await open_meeting(client, worker)
    answers = await asyncio.gather(*(type_code(client, one, opened["code"]) for one in rivals))
    won = [answer for answer in answers if answer.status_code == 200]
    lost = [said(answer) for answer in answers if answer.status_code != 200]
    assert len(won) == 1
    assert lost == [wrong] * 3
    assert won[0].json()["other"]["name"] == worker.subject.name
    outside = [
        (await client.get(f"/v1/meetings/{opened['id']}", headers=one.headers)).status_code
        for one in rivals
    ]
    assert sorted(outside) == [200, 404, 404, 404]


async def test_an_account_has_one_code_however_often_it_asks_at_once(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    for side in (await make_worker(), await make_person()):
        opened = await asyncio.gather(*(open_meeting(client, side) for _ in range(5)))
        states = [(await see(client, side, one["id"]))["state"] for one in opened]
        assert sorted(states) == ["open", "over", "over", "over", "over"]


async def test_both_say_yes_at_once(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await answered(client, person, worker)
    yes = await asyncio.gather(*(say(client, one, meeting) for one in (person, worker) * 3))
    assert [answer.status_code for answer in yes] == [200] * 6
    assert (await see(client, person, meeting))["state"] == "agreed"
    agreed = [one for one in await log_of(client, person) if one["action"] == "meeting.agree"]
    assert len(agreed) == 2  # one line for each of them, however often they said it


async def test_no_code_stands_in_the_database_and_none_is_another_ones(
    services: Services,
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Drawn again while a living meeting has it; free again once it was not typed in time."""
    first, second = await make_worker(), await make_worker()
    held = await open_meeting(client, first)
    draws = iter([int(held["code"]), int(held["code"]), 42])
    monkeypatch.setattr("vault.consent.meeting_codes.secrets.randbelow", lambda _: next(draws))
    drawn = await meetings.open_meeting(services, second.subject)
    assert drawn.code == "000042"
    async with services.database.transaction() as tx:
        rows = (await tx.execute(text("SELECT * FROM unefois.meeting"))).mappings().all()
    for row in rows:
        shown = " ".join(str(value) for value in row.values() if not isinstance(value, bytes))
        assert first.subject.name not in shown
        tags = [value for value in row.values() if isinstance(value, bytes)]
        assert not any(held["code"].encode() in value for value in tags)


async def test_a_code_that_expired_is_drawn_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, person = await make_worker(), await make_worker(), await make_person()
    held = await open_meeting(client, first)
    moved_clock(timedelta(minutes=6))
    monkeypatch.setattr(
        "vault.consent.meeting_codes.secrets.randbelow", lambda _: int(held["code"])
    )
    drawn = await meetings.open_meeting(services, second.subject)
    assert drawn.code == held["code"]
    linked = await type_code(client, person, held["code"])
    assert linked.json()["id"] == str(drawn.id)
    assert (await see(client, first, held["id"]))["state"] == "over"


async def test_one_who_stands_between_two_reads_two_words(
    services: Services, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The word is of both accounts and of a secret that neither chose."""
    person, worker = await make_person(), await make_worker()
    words = set()
    for _ in range(12):
        opened = await meetings.open_meeting(services, worker.subject)
        view = await meetings.answer_meeting(services, person.subject, opened.code or "")
        words.add(view.word)
    assert len(words) > 4


async def test_a_row_that_was_written_without_the_key_is_refused(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """Whoever writes the database neither agrees for a person, nor takes their place."""
    person, worker, thief = await make_person(), await make_worker(), await make_worker()
    meeting = await answered(client, person, worker)
    assert (await say(client, worker, meeting)).status_code == 200
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.meeting SET person_agreed_at = worker_agreed_at WHERE id = :id"),
            {"id": meeting},
        )
    body = {
        "person": {"meeting": meeting},
        "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "legal_basis": "consent",
        "duration": "P1M",
        "contact": {"name": "Camille"},
    }
    asked = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    is_problem(asked, 503, "row_altered")
    other = await met(client, person, worker)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.meeting SET worker_id = :thief WHERE id = :id"),
            {"id": other, "thief": thief.id},
        )
    body["person"] = {"meeting": other}
    asked = await client.post("/v1/consent-requests", headers=thief.headers, json=body)
    is_problem(asked, 503, "row_altered")
    seen = await client.get(f"/v1/meetings/{other}", headers=thief.headers)
    is_problem(seen, 503, "row_altered")


async def test_moved_sessions_keep_the_time(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Signing in again changes nothing of a meeting: it is the account's, not the session's."""
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    moved_clock(timedelta(minutes=20))
    headers = await again(services, worker)
    seen = await client.get(f"/v1/meetings/{meeting}", headers=headers)
    assert seen.json()["state"] == "agreed"
