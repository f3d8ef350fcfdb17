"""Invariants 3 and 7: withdrawing tells a sender nothing; giving back ends what is under way."""

import asyncio
import random
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from auth import administration
from tests.attacks.statements import statements
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, new_phone
from tests.slow_reader import SlowReader
from tests.steps import Headers, again, ask, deposit, erase, granted, log_of, until
from tests.vault.decoding import corpus
from vault.access_log.statistics import MIN_PEOPLE, organisation_statistics
from vault.consent.withdrawals import withdraw
from vault.services import Services

PDF = corpus.pdf(1)
FATES = ("answered by nobody", "refused", "not me", "lapsed", "of no vault", "of an erased vault")
_OWN = ("id", "asked_at", "lapses_at", "withdrawn_at", "person")


def plain(answer: httpx.Response) -> tuple[int, dict[str, str], dict[str, Any]]:
    """All that an answer says, without what differs between any two requests."""
    body = {name: value for name, value in answer.json().items() if name not in _OWN}
    passing = {"x-request-id", "date", "content-length"}
    shown = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.status_code, shown, body


async def test_every_fate_of_a_request_is_withdrawn_alike(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Whatever became of it: the answers, the list, and the sender's own log, then and after."""
    worker = await make_worker()
    people = {fate: await make_person() for fate in FATES if fate != "of no vault"}
    sent: dict[str, str] = {}
    for fate in FATES:
        phone = people[fate].phone if fate in people else new_phone()
        sent[fate] = await ask(client, worker.headers, phone, "payslip")
    for fate, reason in (("refused", "no"), ("not me", "not_me")):
        path = f"/v1/consent-requests/{sent[fate]}/refuse"
        answer = await client.post(path, headers=people[fate].headers, json={"reason": reason})
        assert answer.status_code == 204
    await erase(services, people["of an erased vault"])

    answers = {}
    for fate in FATES:
        headers: Headers = worker.headers
        if fate == "lapsed":
            moved_clock(timedelta(days=7, seconds=5))
            headers = await again(services, worker)
        path = f"/v1/consent-requests/{sent[fate]}/withdraw"
        answers[fate] = plain(await client.post(path, headers=headers))
        moved_clock(timedelta())
    assert answers["refused"][0] == 200
    assert answers["refused"][2]["state"] == "withdrawn"
    assert all(answer == answers["refused"] for answer in answers.values())

    for moved in (timedelta(), timedelta(days=8)):
        moved_clock(moved)
        headers = await again(services, worker)
        listed = await client.get("/v1/consent-requests", headers=headers)
        lines = {
            str({name: value for name, value in one.items() if name not in _OWN})
            for one in listed.json()["items"]
        }
        assert (len(listed.json()["items"]), len(lines)) == (len(FATES), 1)
        # Of its own log, whose entries an erasure would take away, a sender sees none of them.
        actions = {one["action"] for one in await log_of(client, headers)}
        assert not actions & {"consent.request", "consent.withdraw"}


async def test_an_answer_stays_what_the_person_said(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The sender reads `withdrawn`; the person, their own answer, and a line that says the rest."""
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    path = f"/v1/consent-requests/{request}"
    assert (await client.post(f"{path}/refuse", headers=person.headers)).status_code == 204
    withdrawn = await client.post(f"{path}/withdraw", headers=worker.headers)
    assert withdrawn.json()["state"] == "withdrawn"
    assert (await client.get(path, headers=person.headers)).json()["state"] == "refused"
    assert (await log_of(client, person))[0]["action"] == "consent.withdraw"


async def test_withdrawing_costs_the_same_with_a_vault_and_without(
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many statements, word for word but for whose, and as many calls to the key provider."""
    seldom, often, worker = await make_person(), await make_person(), await make_worker()
    refusing = await make_person()
    provider = services.storage.keys.provider
    unwrap, unwrapped = provider.unwrap, [0]

    async def counting(version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        unwrapped[0] += 1
        return await unwrap(version, wrapped, context)

    monkeypatch.setattr(provider, "unwrap", counting)
    phones = (new_phone(), seldom.phone, often.phone, new_phone(), refusing.phone)
    sent = [await ask(client, worker.headers, phone, "payslip") for phone in phones]
    path = f"/v1/consent-requests/{sent[-1]}/refuse"
    assert (await client.post(path, headers=refusing.headers)).status_code == 204
    services.storage.keys.forget(str(seldom.id))
    services.audit_log.forget(seldom.id)
    await services.field_encryption.reader(often.id)
    costs = []
    for request in sent:
        unwrapped[0] = 0
        with statements(services) as said:
            await withdraw(services, worker.subject, UUID(request))
        costs.append((tuple(said), unwrapped[0]))
    assert len(set(costs)) == 1


async def test_a_colleague_who_tries_sees_no_vault_go(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Whom the sender told the id of a request: their own log is the same before the vault is
    erased and after, whereas the person's tells them of each try."""
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    path = f"/v1/consent-requests/{request}"
    assert (await client.post(f"{path}/withdraw", headers=colleague.headers)).status_code == 404
    assert (await client.get(path, headers=colleague.headers)).status_code == 404
    tried = [one["action"] for one in await log_of(client, person) if one["outcome"] == "refused"]
    assert tried == ["consent.request", "consent.withdraw"]
    before = await log_of(client, colleague)
    await erase(services, person)
    assert await log_of(client, colleague) == before


async def test_no_count_of_a_month_tells_whom_requests_reached(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Five people whose vaults are known, and one more phone: sent or withdrawn, a count of six
    would say that it has a vault too, one of five that it has none."""
    start = datetime.now(UTC)
    seen = []
    for last in (new_phone(), (await make_person()).phone):
        worker = await make_worker()
        phones = [(await make_person()).phone for _ in range(MIN_PEOPLE)]
        for phone in (*phones, last):
            request = await ask(client, worker.headers, phone, "payslip")
            path = f"/v1/consent-requests/{request}/withdraw"
            assert (await client.post(path, headers=worker.headers)).status_code == 200
        seen.append(worker)
    moved_clock(timedelta(days=40))
    counted = [
        await organisation_statistics(services, worker.subject, f"{start:%Y-%m}") for worker in seen
    ]
    assert counted[0] == counted[1]


async def test_of_an_answer_and_a_withdrawal_at_once_one_counts(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Approved, and the sender is told so; or withdrawn, and the person is. Never both."""
    person, worker = await make_person(), await make_worker()
    counted = set()
    for _ in range(4):
        request = await ask(client, worker.headers, person.phone, "payslip")
        path = f"/v1/consent-requests/{request}"
        approving = client.post(f"{path}/approve", headers=person.headers)
        withdrawing = client.post(f"{path}/withdraw", headers=worker.headers)
        first, second = random.sample([approving, withdrawing], 2)
        one, other = await asyncio.gather(first, second)
        answers = {answer.request.url.path.rsplit("/", 1)[1]: answer for answer in (one, other)}
        statuses = answers["approve"].status_code, answers["withdraw"].status_code
        assert statuses in {(201, 409), (409, 200)}
        state = (await client.get(path, headers=worker.headers)).json()["state"]
        assert state == ("approved" if statuses[0] == 201 else "withdrawn")
        counted.add(state)
    assert counted


async def test_nobody_else_withdraws_or_gives_back(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """A colleague of the same organisation, the person, a worker who was barred."""
    person, worker = await make_person(), await make_worker()
    colleague = await make_worker(worker.organisation_id)
    grant = await granted(client, person, worker.headers, "payslip")
    request = await ask(client, worker.headers, person.phone, "lease")
    paths = (f"/v1/grants/{grant}/give-back", f"/v1/consent-requests/{request}/withdraw")
    await administration.deactivate_worker(services, worker.id)
    for path in paths:
        assert (await client.post(path, headers=colleague.headers)).status_code == 404
        assert (await client.post(path, headers=person.headers)).status_code == 403
        assert (await client.post(path, headers=worker.headers)).status_code == 401
    shown = await client.get(f"/v1/grants/{grant}", headers=person.headers)
    assert (shown.json()["state"], shown.json()["ended_by"]) == ("live", None)
    shown = await client.get(f"/v1/consent-requests/{request}", headers=person.headers)
    assert shown.json()["state"] == "waiting"
    tried = [one for one in await log_of(client, person) if one["outcome"] == "refused"]
    assert [(one["action"], one["reason"]) for one in tried] == [
        ("consent.withdraw", "not_recipient"),
        ("grant.give_back", "not_recipient"),
    ]


async def test_no_read_is_recorded_after_a_grant_is_given_back(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Races of readers against it: every read that was allowed was judged before."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, PDF)
    served = 0
    for _ in range(4):
        grant = await granted(client, person, worker.headers, "income_tax_notice")
        path = f"/v1/grants/{grant}/documents/{document['id']}/content"
        got: list[int] = []

        async def read(path: str, got: list[int]) -> None:
            while not got or got[-1] == 200:
                got.append((await client.get(path, headers=worker.headers)).status_code)

        readers = [asyncio.create_task(read(path, got)) for _ in range(3)]
        await asyncio.sleep(random.random() * 0.03)
        ended = await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
        assert ended.json()["ended_by"] == "recipient"
        assert (await client.get(path, headers=worker.headers)).status_code == 403
        await asyncio.wait_for(asyncio.gather(*readers), 20)
        lines = [one for one in await log_of(client, person) if one["grant"] == grant]
        (back,) = [one for one in lines if one["action"] == "grant.give_back"]
        at = datetime.fromisoformat(back["at"])
        reads = [one for one in lines if one["action"] == "document.read"]
        allowed = [one for one in reads if one["outcome"] == "allowed"]
        assert all(datetime.fromisoformat(one["at"]) <= at for one in allowed)
        assert got.count(200) <= len(allowed)
        served += len(allowed)
    assert served


async def test_a_download_under_way_stops_within_a_second(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf_of(secrets.token_bytes(6 * 1024 * 1024)))
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    slow = SlowReader(served.base_url, path, worker.headers)
    reading = asyncio.create_task(slow.run())
    await until(lambda: slow.taken > 4 * 64 * 1024)
    ended = await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
    assert ended.status_code == 200

    async def interrupted() -> bool:
        lines = await log_of(client, person)
        return [one["confirmed"] for one in lines if one["action"] == "document.read"] == [
            "interrupted"
        ]

    await until(interrupted, seconds=1.5)
    slow.pause = 0
    await asyncio.wait_for(reading, 30)
    assert slow.taken < slow.length
