"""Meetings over HTTP: both ways, each step, each refusal, and what comes of one."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import administration
from tests.fixtures import MakeClient, MakePerson, MakeWorker, MoveClock
from tests.meetings import answered, met, open_meeting, say, see, type_code
from tests.steps import (
    approve,
    client_headers,
    counted,
    deposit,
    is_problem,
    log_of,
    request_body,
)
from tests.vault.decoding import corpus
from vault.consent.meeting_words import WORDS
from vault.maintenance.cleanup import sweep_rows
from vault.services import Services

PDF = corpus.pdf(1)
WAYS = ("the worker shows the code", "the person shows the code")


def in_arabic(code: str) -> str:
    return code.translate({ord(str(digit)): 0x0660 + digit for digit in range(10)})


def request_through(meeting: str, **changes: Any) -> dict[str, Any]:
    return request_body("", "payslip", **({"person": {"meeting": meeting}} | changes))


def gift_through(meeting: str, **changes: Any) -> dict[str, Any]:
    return {
        "recipient": {"meeting": meeting},
        "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Demande de logement"},
        "duration": "P1M",
    } | changes


async def ask_through(client: httpx.AsyncClient, headers: dict[str, str], meeting: str) -> Any:
    return await client.post("/v1/consent-requests", headers=headers, json=request_through(meeting))


async def give_through(client: httpx.AsyncClient, headers: dict[str, str], meeting: str) -> Any:
    return await client.post("/v1/grants", headers=headers, json=gift_through(meeting))


@pytest.mark.parametrize("way", WAYS)
async def test_both_see_who_the_other_is_and_one_word(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, way: str
) -> None:
    person, worker = await make_person(), await make_worker()
    opener, other = (worker, person) if way == WAYS[0] else (person, worker)
    opened = await open_meeting(client, opener)
    assert len(opened["code"]) == 6
    assert opened["code"].isdigit()
    page, _, secret = opened["address"].partition("#")
    assert secret == opened["code"]
    assert page.endswith("/pro/meetings/code" if opener is person else "/meetings/code")
    waiting = await see(client, opener, opened["id"])
    assert (waiting["state"], waiting["other"], waiting["word"]) == ("open", None, None)
    assert waiting["code"] == opened["code"]

    # In groups, in the digits of the keyboard that somebody has.
    typed = in_arabic(f"{opened['code'][:3]} {opened['code'][3:]}")
    assert (await type_code(client, other, typed)).status_code == 200
    to_person = await see(client, person, opened["id"])
    to_worker = await see(client, worker, opened["id"])
    assert to_person["word"] == to_worker["word"]
    assert to_person["word"] in WORDS
    assert to_person["code"] is to_worker["code"] is None
    assert to_person["state"] == to_worker["state"] == "answered"
    assert to_person["other"] == {
        "name": worker.subject.name,
        "job": worker.subject.job,
        "organisation": worker.subject.organisation,
    }
    assert to_worker["other"] == {"name": None, "job": "", "organisation": ""}
    assert person.phone[-8:] not in str(to_worker)

    first = (await say(client, other, opened["id"])).json()
    assert (first["state"], first["you_agreed"]) == ("answered", True)
    assert not (await see(client, opener, opened["id"]))["you_agreed"]
    second = (await say(client, opener, opened["id"])).json()
    assert second["state"] == "agreed"
    assert (await see(client, other, opened["id"]))["state"] == "agreed"
    # The person's log says each step, of whom, and where they work.
    lines = [one for one in await log_of(client, person) if one["action"].startswith("meeting.")]
    assert {one["action"] for one in lines} >= {"meeting.answer", "meeting.agree"}
    assert all(worker.subject.name in one["sentence"] for one in lines[:2])


@pytest.mark.parametrize("way", WAYS)
async def test_a_request_through_a_meeting_reaches_the_person_and_no_phone_is_learnt(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, way: str
) -> None:
    person, worker = await make_person(), await make_worker()
    opener, other = (worker, person) if way == WAYS[0] else (person, worker)
    document = await deposit(client, person, PDF, type_="payslip")
    meeting = await met(client, opener, other)
    sent = await ask_through(client, worker.headers, meeting)
    assert sent.status_code == 202, sent.text
    request = sent.json()["id"]
    listed = await client.get("/v1/consent-requests", headers=person.headers)
    assert [one["id"] for one in listed.json()["items"]] == [request]
    seen = await client.get(f"/v1/consent-requests/{request}", headers=worker.headers)
    assert seen.json()["person"] == {"phone": None, "meeting": meeting}

    grant = await approve(client, person, request)
    content = f"/v1/grants/{grant['id']}/documents/{document['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    (known,) = (await client.get("/v1/people", headers=worker.headers)).json()["items"]
    assert (known["phone"], known["live_grants"]) == (None, 1)
    whole = (await client.get(f"/v1/people/{known['id']}", headers=worker.headers)).text
    assert person.phone[-8:] not in whole
    ended = await see(client, worker, meeting)
    assert (ended["state"], ended["used"], ended["other"]) == ("over", True, None)


@pytest.mark.parametrize("way", WAYS)
async def test_a_gift_through_a_meeting_goes_to_that_worker(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, way: str
) -> None:
    person, worker = await make_person(), await make_worker()
    opener, other = (worker, person) if way == WAYS[0] else (person, worker)
    document = await deposit(client, person, PDF, type_="payslip")
    meeting = await met(client, opener, other)
    given = await give_through(client, person.headers, meeting)
    assert given.status_code == 201, given.text
    assert given.json()["recipient"]["name"] == worker.subject.name
    content = f"/v1/grants/{given.json()['id']}/documents/{document['id']}/content"
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    (known,) = (await client.get("/v1/people", headers=worker.headers)).json()["items"]
    assert known["phone"] is None


async def test_a_meeting_serves_once_for_either_side(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    asked = await met(client, worker, person)
    assert (await ask_through(client, worker.headers, asked)).status_code == 202
    given = await met(client, worker, person)
    assert (await give_through(client, person.headers, given)).status_code == 201
    for meeting in (asked, given):
        is_problem(await ask_through(client, worker.headers, meeting), 409, "meeting_over")
        is_problem(await give_through(client, person.headers, meeting), 409, "meeting_over")
        is_problem(await say(client, person, meeting), 409, "meeting_over")


async def test_of_a_request_and_a_gift_at_once_one_is_made(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    answers = await asyncio.gather(
        *(ask_through(client, worker.headers, meeting) for _ in range(3)),
        *(give_through(client, person.headers, meeting) for _ in range(3)),
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] in {201, 202}
    assert statuses[1:] == [409] * 5


async def test_the_same_key_again_sends_one_request(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    headers = worker.headers | {"Idempotency-Key": "once"}
    first = await ask_through(client, headers, meeting)
    assert first.status_code == 202
    assert (await ask_through(client, headers, meeting)).json()["id"] == first.json()["id"]
    other = await client.post(
        "/v1/consent-requests", headers=headers, json=request_body(person.phone, "payslip")
    )
    is_problem(other, 422, "idempotency_key_reused")


async def test_nothing_is_made_before_both_said_yes(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    opened = (await open_meeting(client, worker))["id"]
    is_problem(await say(client, worker, opened), 409, "meeting_not_agreed")
    is_problem(await ask_through(client, worker.headers, opened), 409, "meeting_not_agreed")
    meeting = await answered(client, person, worker)
    assert (await say(client, worker, meeting)).status_code == 200
    is_problem(await ask_through(client, worker.headers, meeting), 409, "meeting_not_agreed")
    is_problem(await give_through(client, person.headers, meeting), 409, "meeting_not_agreed")
    assert await counted_requests(client, worker.headers) == 0


async def counted_requests(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    listed = await client.get("/v1/consent-requests", headers=headers)
    return len(listed.json()["items"])


@pytest.mark.parametrize("when", ["open", "answered", "agreed"])
async def test_a_no_ends_it_and_a_second_one_changes_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, when: str
) -> None:
    person, worker = await make_person(), await make_worker()
    if when == "open":
        opened = await open_meeting(client, worker)
        meeting = opened["id"]
    else:
        meeting = await (answered if when == "answered" else met)(client, worker, person)
    ended = await say(client, worker, meeting, agree=False)
    assert (ended.status_code, ended.json()["state"]) == (200, "over")
    assert ended.json()["other"] is None
    is_problem(await say(client, worker, meeting, agree=False), 409, "meeting_over")
    is_problem(await ask_through(client, worker.headers, meeting), 409, "meeting_over")
    if when == "open":
        is_problem(await type_code(client, person, opened["code"]), 403, "meeting_code_wrong")
    else:
        assert (await see(client, person, meeting))["state"] == "over"


async def test_a_meeting_of_others_is_not_there(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    stranger, colleague = await make_person(), await make_worker()
    meeting = await met(client, worker, person)
    for other in (stranger, colleague):
        path = f"/v1/meetings/{meeting}"
        is_problem(await client.get(path, headers=other.headers), 404, "not_found")
        for agree in (True, False):
            is_problem(await say(client, other, meeting, agree=agree), 404, "not_found")
    is_problem(await ask_through(client, colleague.headers, meeting), 404, "not_found")
    is_problem(await give_through(client, stranger.headers, meeting), 404, "not_found")
    assert (await see(client, person, meeting))["state"] == "agreed"


async def test_an_administration_meets_nobody(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> None:
    headers = await client_headers(client, await make_client())
    is_problem(await client.post("/v1/meetings", headers=headers), 403, "wrong_caller")
    answer = await client.post("/v1/meetings/answer", headers=headers, json={"code": "123456"})
    is_problem(answer, 403, "wrong_caller")
    meeting = await met(client, await make_person(), await make_worker())
    is_problem(await ask_through(client, headers, meeting), 404, "not_found")


async def test_each_step_has_its_time(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Five minutes to type, ten to say yes, thirty to use it; then it is over, and swept."""
    person, worker = await make_person(), await make_worker()
    opened = await open_meeting(client, worker)
    moved_clock(timedelta(minutes=5))
    is_problem(await type_code(client, person, opened["code"]), 403, "meeting_code_wrong")
    assert (await see(client, worker, opened["id"]))["state"] == "over"
    moved_clock(timedelta())

    meeting = await answered(client, worker, person)
    assert (await say(client, worker, meeting)).status_code == 200
    moved_clock(timedelta(minutes=9))
    assert (await see(client, person, meeting))["state"] == "answered"
    moved_clock(timedelta(minutes=10, seconds=5))
    is_problem(await say(client, person, meeting), 409, "meeting_over")
    assert (await see(client, person, meeting))["word"] is None
    moved_clock(timedelta())

    meeting = await met(client, worker, person)
    moved_clock(timedelta(minutes=29))
    assert (await see(client, person, meeting))["state"] == "agreed"
    moved_clock(timedelta(minutes=30, seconds=5))
    is_problem(await ask_through(client, worker.headers, meeting), 409, "meeting_over")
    is_problem(await give_through(client, person.headers, meeting), 409, "meeting_over")

    moved_clock(timedelta(minutes=50))
    await sweep_rows(services)
    assert (await see(client, worker, meeting))["state"] == "over"
    moved_clock(timedelta(hours=1, minutes=1))
    await sweep_rows(services)
    is_problem(
        await client.get(f"/v1/meetings/{meeting}", headers=person.headers), 404, "not_found"
    )
    assert await counted(services, "meeting", person) == 0


async def test_a_new_code_ends_the_one_of_before(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    first = await open_meeting(client, worker)
    second = await open_meeting(client, worker)
    is_problem(await type_code(client, person, first["code"]), 403, "meeting_code_wrong")
    assert (await see(client, worker, first["id"]))["state"] == "over"
    assert (await type_code(client, person, second["code"])).status_code == 200
    # One that was answered goes on.
    await open_meeting(client, worker)
    assert (await see(client, worker, second["id"]))["state"] == "answered"


async def test_opening_too_often_is_refused_and_recorded(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    for _ in range(20):
        await open_meeting(client, person)
    refused = await client.post("/v1/meetings", headers=person.headers)
    is_problem(refused, 429, "too_many_requests")
    assert refused.headers["retry-after"]
    line = (await log_of(client, person))[0]
    assert (line["action"], line["reason"]) == ("meeting.open", "paced")


async def test_a_barred_worker_gets_nothing_by_a_meeting(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    await administration.deactivate_worker(services, worker.id)
    given = await give_through(client, person.headers, meeting)
    is_problem(given, 422, "unknown_recipient")
    # Refused, the meeting was not used.
    assert (await see(client, person, meeting))["state"] == "agreed"


async def test_a_request_needs_a_phone_or_a_meeting_and_not_both(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    for whom in ({}, {"phone": person.phone, "meeting": meeting}):
        body = request_through(meeting, person=whom)
        answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
        assert answer.status_code == 422
    both = gift_through(meeting, recipient={"meeting": meeting, "worker_email": worker.email})
    answer = await client.post("/v1/grants", headers=person.headers, json=both)
    assert answer.status_code == 422
    assert (await see(client, person, meeting))["state"] == "agreed"


async def test_what_is_wrong_in_a_request_does_not_use_the_meeting(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    meeting = await met(client, person, worker)
    body = request_through(meeting, duration="P2Y")
    answer = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    is_problem(answer, 422, "duration_too_long")
    strange = gift_through(meeting)
    strange["scope"]["document_types"] = ["social_report"]
    assert (
        await client.post("/v1/grants", headers=person.headers, json=strange)
    ).status_code == 422
    assert (await see(client, person, meeting))["state"] == "agreed"
    assert (await ask_through(client, worker.headers, meeting)).status_code == 202
