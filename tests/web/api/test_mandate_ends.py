"""Until when what a mandate gave lasts: three months, unless its person says that it goes on."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from auth import sessions
from base.clock import rfc3339
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.mandates import THREE, authorisation, signed
from tests.steps import deposit, is_problem, log_of
from tests.vault.decoding import corpus
from tests.web.api.test_consent_evidence import rows_of
from tests.web.api.test_mandate_evidence import glued
from tests.web.api.test_mandate_rows import row_of
from tests.web.api.test_mandates import grants_of
from tests.web.api.test_receipts import receipt_of
from tests.web.printouts.reading import text_of
from vault.consent.consent_acts import hash_of
from vault.services import Services

PDF = corpus.pdf(1)


def ends(mandate: dict[str, Any]) -> list[timedelta]:
    """After what time each of its grants ends."""
    start = datetime.fromisoformat(mandate["signed_at"])
    return [datetime.fromisoformat(one["ends_at"]) - start for one in mandate["grants"]]


async def again_in(make_person: MakePerson, person: SomePerson) -> SomePerson:
    """The same person, by a session of now."""
    return await make_person(phone=person.phone)


async def says_until_when(
    services: Services, client: httpx.AsyncClient, person: SomePerson, grants: list[dict[str, Any]]
) -> None:
    """Each time is an act of the person, and its evidence says until when it goes on."""
    first, _second, third = grants
    for grant, changes in ((first, ["approved", "went_on"]), (third, ["approved"])):
        rows = await rows_of(services, grant["id"])
        assert [row.change for row in rows] == changes
        receipt = await receipt_of(client, person, grant["id"])
        assert [one["change"] for one in receipt["evidence"]] == changes
    _given, went_on = (await receipt_of(client, person, first["id"]))["evidence"]
    assert (went_on["kind"], went_on["level"]) == ("app", "phone_code")
    ends_at = rfc3339(datetime.fromisoformat(first["ends_at"]))
    wording = hash_of({"went_on": first["id"], "ends_at": ends_at})
    assert went_on["wording_sha256"] == wording.hex()
    pdf = await client.get(f"/v1/grants/{first['id']}/receipt.pdf", headers=person.headers)
    assert glued("la personne a dit : cela continue") in glued(text_of(pdf.content))


async def test_three_months_unless_the_person_is_seen_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    mandate = await signed(client, worker, person, *THREE)
    day = timedelta(days=1)
    a_year, half, month = ends(mandate)
    assert 88 * day < a_year <= 93 * day  # of the twelve months that were signed for
    assert abs(a_year - half) < timedelta(seconds=1)
    assert 28 * day <= month <= 31 * day
    # A session of a month ago is over: what is looked at is by a new one.
    moved_clock(timedelta(days=60))
    person = await again_in(make_person, person)
    seen = await client.post(f"/v1/mandates/{mandate['id']}/go-on", headers=person.headers)
    assert seen.status_code == 200, seen.text
    a_year, half, ended = ends(seen.json())
    assert 148 * day < a_year <= 153 * day
    assert abs(half - a_year) < timedelta(seconds=1)
    assert ended == month  # what has ended does not begin again
    lines = [one for one in await log_of(client, person) if one["action"] == "grant.go_on"]
    assert len(lines) == 2
    await says_until_when(services, client, person, seen.json()["grants"])
    # Seen again and again, it never lasts longer than what was signed for.
    moved_clock(timedelta(days=120))
    person = await again_in(make_person, person)
    seen = await client.post(f"/v1/mandates/{mandate['id']}/go-on", headers=person.headers)
    assert 180 * day < ends(seen.json())[1] <= 185 * day
    moved_clock(timedelta(days=300))
    person = await again_in(make_person, person)
    late = await client.post(f"/v1/mandates/{mandate['id']}/go-on", headers=person.headers)
    is_problem(late, 409, "mandate_over")
    states = {one["state"] for one in await grants_of(client, person)}
    assert states == {"expired"}


async def test_what_was_signed_for_a_month_goes_on_no_longer(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Nothing is written, nor said, of what a tap does not change."""
    person, worker = await make_person(), await make_worker()
    mandate = await signed(client, worker, person, authorisation("payslip", duration="P1M"))
    assert mandate["asleep_from"] is None
    moved_clock(timedelta(days=20))
    person = await again_in(make_person, person)
    path = f"/v1/mandates/{mandate['id']}/go-on"
    is_problem(await client.post(path, headers=person.headers), 409, "mandate_no_longer")
    seen = await client.get(f"/v1/mandates/{mandate['id']}/signed", headers=person.headers)
    assert ends(seen.json()) == ends(mandate)
    assert not [one for one in await log_of(client, person) if one["action"] == "grant.go_on"]
    row = await row_of(services, mandate["id"])
    assert row.seen_at == row.signed_at


async def test_said_twice_in_a_day_it_is_written_once(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    mandate = await signed(client, worker, person, authorisation("payslip"))
    moved_clock(timedelta(days=20))
    person = await again_in(make_person, person)
    path = f"/v1/mandates/{mandate['id']}/go-on"
    both = [(await client.post(path, headers=person.headers)).json() for _ in range(2)]
    assert both[0]["asleep_from"] == both[1]["asleep_from"] > mandate["asleep_from"]
    lines = [one for one in await log_of(client, person) if one["action"] == "grant.go_on"]
    assert len(lines) == 1


async def test_the_worker_reads_no_longer_once_nobody_was_seen(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    person, worker = await make_person(), await make_worker()
    slip = await deposit(client, person, PDF, type_="payslip")
    mandate = await signed(client, worker, person, authorisation("payslip"))
    content = f"/v1/grants/{mandate['grants'][0]['id']}/documents/{slip['id']}/content"
    moved_clock(timedelta(days=85))
    worker = await on_that_day(services, worker)
    assert (await client.get(content, headers=worker.headers)).status_code == 200
    moved_clock(timedelta(days=93))
    worker = await on_that_day(services, worker)
    is_problem(await client.get(content, headers=worker.headers), 403, "grant_expired")


async def on_that_day(services: Services, worker: SomeWorker) -> SomeWorker:
    """The same worker, by a session of now."""
    async with services.database.transaction() as tx:
        opened = await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
    return replace(worker, token=opened.token)


async def test_who_looks_at_a_mandate_of_somebody_else_let_nothing_go_on(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The line in its owner's log says what was refused."""
    person, worker = await make_person(), await make_worker()
    stranger = await make_person()
    mandate = await signed(client, worker, person, authorisation("payslip"))
    for method, path, action in (("GET", "signed", "grant.see"), ("POST", "go-on", "grant.go_on")):
        answer = await client.request(
            method, f"/v1/mandates/{mandate['id']}/{path}", headers=stranger.headers
        )
        is_problem(answer, 404, "not_found")
        line = (await log_of(client, person))[0]
        assert (line["action"], line["outcome"]) == (action, "refused")
