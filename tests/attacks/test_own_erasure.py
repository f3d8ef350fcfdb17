"""Erasing one's vault: a session that was taken over erases nothing by itself, and whoever asked,
the person is told and has seven days to keep everything."""

import re
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from auth import notifications
from base.db_time import instant
from base.embedded.server import Addresses
from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, sign_in
from tests.steps import ask, counted, deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.maintenance.erasure_requests import MIN_NOTICE, run_due
from vault.maintenance.job_runner import sweep_all
from vault.services import Services

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


async def code_for(services: Services, client: httpx.AsyncClient, person: SomePerson) -> str:
    """A code, asked for by the person's session and read on their phone."""
    sent = await client.post("/v1/me/erasure/code", headers=person.headers)
    assert sent.status_code == 202, sent.text
    found = re.search(r"\d{6}", (await told(services, person))[-1])
    assert found
    return found[0]


async def give(client: httpx.AsyncClient, headers: dict[str, str], code: str) -> httpx.Response:
    return await client.request("DELETE", "/v1/me", headers=headers, json={"code": code})


async def asked(
    services: Services, client: httpx.AsyncClient, person: SomePerson
) -> dict[str, Any]:
    """The erasure, asked for with the right code."""
    code = await code_for(services, client, person)
    answer = await give(client, person.headers, code)
    assert answer.status_code == 202, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def told(services: Services, person: SomePerson) -> list[str]:
    return [one["text"] for one in await queued_messages(services, person.phone)]


async def erases_at(client: httpx.AsyncClient, person: SomePerson) -> str | None:
    answer = await client.get("/v1/me", headers=person.headers)
    assert answer.status_code == 200, answer.text
    when: str | None = answer.json()["erases_at"]
    return when


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_session_alone_erases_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """No code, a guess, a code asked for by another session, a code of another person's."""
    person, stranger = await make_person(), await make_person()
    taken = {"Authorization": f"Bearer {await sign_in(services, phone=person.phone)}"}
    assert (await client.delete("/v1/me", headers=taken)).status_code == 422
    is_problem(await give(client, taken, "123456"), 403, "erasure_code_over")
    code = await code_for(services, client, person)
    theirs = await code_for(services, client, stranger)
    is_problem(await give(client, taken, code), 403, "erasure_code_over")
    if theirs != code:
        is_problem(await give(client, person.headers, theirs), 403, "erasure_code_wrong")
    assert await erases_at(client, person) is None
    assert (await give(client, person.headers, code)).status_code == 202


async def test_five_wrong_codes_use_it_up_and_each_says_how_many_are_left(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    code = await code_for(services, client, person)
    answers = [await give(client, person.headers, other(code)) for _ in range(5)]
    assert [one.status_code for one in answers] == [403] * 5
    assert [re.findall(r"restants : (\d)", one.json()["detail"]) for one in answers] == [
        ["4"], ["3"], ["2"], ["1"], [],
    ]  # fmt: skip
    is_problem(await give(client, person.headers, code), 403, "erasure_code_over")
    tried = [one for one in await log_of(client, person) if one["action"] == "vault.erase_asked"]
    assert [(one["outcome"], one["reason"]) for one in tried] == [("refused", "code_wrong")] * 6


async def test_a_code_serves_once_and_ends_after_ten_minutes_and_the_last_one_counts(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    first = await code_for(services, client, person)
    second = await code_for(services, client, person)
    if first != second:
        is_problem(await give(client, person.headers, first), 403, "erasure_code_wrong")
    moved_clock(timedelta(minutes=11))
    is_problem(await give(client, person.headers, second), 403, "erasure_code_over")
    moved_clock(timedelta())
    assert (await give(client, person.headers, second)).status_code == 202
    is_problem(await give(client, person.headers, second), 403, "erasure_code_over")


async def test_five_codes_a_day(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """25 tries a day of a million codes, for a thief of the session who sees no phone."""
    person = await make_person()
    for _ in range(5):
        await code_for(services, client, person)
    refused = await client.post("/v1/me/erasure/code", headers=person.headers)
    is_problem(refused, 429, "too_many_erasure_codes")
    assert 0 < int(refused.headers["retry-after"]) <= 86_401
    moved_clock(DAY + timedelta(minutes=1))
    assert await code_for(services, client, person)


async def test_it_waits_seven_days_during_which_everything_works_then_erases(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = corpus.pdf(1)
    document = await deposit(client, person, paper, type_="payslip")
    await granted(client, person, worker.headers, "payslip")
    await ask(client, worker.headers, person.phone, "income_tax_notice")
    body = await asked(services, client, person)
    assert body["ends"] == {"documents": 1, "grants": 1, "requests": 1, "sessions": 1}
    assert await erases_at(client, person) == body["erases_at"]
    assert "seront effacés le" in (await told(services, person))[-1]
    # Asking again changes nothing: the first date holds.
    assert (await asked(services, client, person))["erases_at"] == body["erases_at"]

    moved_clock(6 * DAY - timedelta(minutes=5))
    await sweep_all(services)
    assert not [one for one in await told(services, person) if one.startswith("Rappel")]
    moved_clock(6 * DAY + timedelta(minutes=5))
    for _ in range(2):
        await sweep_all(services)
    reminders = [one for one in await told(services, person) if one.startswith("Rappel")]
    assert len(reminders) == 1
    path = f"/v1/documents/{document['id']}/content"
    assert (await client.get(path, headers=person.headers)).content == paper

    moved_clock(7 * DAY + timedelta(hours=2))
    await sweep_all(services)
    assert (await client.get(path, headers=person.headers)).status_code == 401
    for table in ("document", '"grant"', "pending_erasure", "erasure_code"):
        assert await counted(services, table, person) == 0
    await run_due(services)


async def test_it_is_cancelled_by_any_session_until_the_last_moment(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    await asked(services, client, person)
    moved_clock(6 * DAY + timedelta(hours=1))
    await run_due(services)
    headers = {"Authorization": f"Bearer {await sign_in(services, phone=person.phone)}"}
    for _ in range(2):
        answer = await client.post("/v1/me/erasure/cancel", headers=headers)
        assert answer.json()["erases_at"] is None
    moved_clock(9 * DAY)
    await run_due(services)
    assert (await client.get("/v1/documents", headers=headers)).status_code == 200
    texts = await told(services, person)
    assert sum("C’est annulé" in one for one in texts) == 1
    steps = [one for one in await log_of(client, person) if "erase" in one["action"]]
    assert [(one["action"], one["sentence"]) for one in steps[::-1]] == [
        ("vault.erase_code", "Vous avez demandé un code pour effacer vos papiers."),
        ("vault.erase_asked", "Vous avez demandé d’effacer tous vos papiers, dans 7 jours."),
        ("vault.erase_cancelled", "Vous avez gardé vos papiers : ils ne seront pas effacés."),
    ]


async def test_nothing_is_erased_unless_reminded_the_day_before(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """The jobs did not run for a month: the reminder first, then a day."""
    person = await make_person()
    await asked(services, client, person)
    moved_clock(29 * DAY)
    await run_due(services)
    reminder = (await told(services, person))[-1]
    assert "Rappel" in reminder
    async with services.database.transaction() as tx:
        ends = await instant(tx) + MIN_NOTICE
    dates = [notifications.erasure_soon(services, "fr", ends - n * MINUTE) for n in range(2)]
    assert reminder in dates, "not the date that was told first, which is past"
    assert await erases_at(client, person) is not None
    moved_clock(29 * DAY + timedelta(hours=21))
    await run_due(services)
    assert (await client.get("/v1/me", headers=person.headers)).status_code == 401


EDITS = {
    "sooner": "UPDATE unefois.pending_erasure SET erases_at = erases_at - interval '7 days'",
    "reminded": "UPDATE unefois.pending_erasure SET reminded_at = asked_at",
    "another's": "UPDATE unefois.pending_erasure SET person_id = %(other)s",
    "no MAC": "UPDATE unefois.pending_erasure SET mac = NULL",
}


@pytest.mark.parametrize("edit", EDITS)
async def test_a_wait_written_without_the_key_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    postgres: Addresses,
    edit: str,
) -> None:
    person, victim = await make_person(), await make_person()
    await asked(services, client, person)
    moved_clock(6 * DAY + timedelta(hours=1))
    if edit != "reminded":
        await run_due(services)
    statement = EDITS[edit] + " WHERE person_id = %(id)s"
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement, {"id": person.id, "other": victim.id})  # type: ignore[arg-type]  # composed of constants
    moved_clock(9 * DAY)
    for _ in range(2):
        await run_due(services)
    holder = victim if edit == "another's" else person
    is_problem(await client.get("/v1/me", headers=holder.headers), 503, "row_altered")
    kept = await client.post("/v1/me/erasure/cancel", headers=holder.headers)
    assert kept.json()["erases_at"] is None


async def test_a_code_row_moved_to_another_session_or_prolonged_is_refused(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, postgres: Addresses
) -> None:
    person = await make_person()
    taken = await sign_in(services, phone=person.phone)
    code = await code_for(services, client, person)
    moved = (
        "UPDATE unefois.erasure_code SET session_id = (SELECT id FROM unefois.session"
        " WHERE subject_id = %(id)s ORDER BY id DESC LIMIT 1) WHERE person_id = %(id)s"
    )
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(moved, {"id": person.id})
    headers = {"Authorization": f"Bearer {taken}"}
    is_problem(await give(client, headers, code), 503, "row_altered")
