"""Sessions: whose token it is, until when, and how it ends."""

from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select, update

from auth import administration, sessions, sweeping
from auth.desk import Desk
from auth.records import people
from auth.records.recipients import Worker as WorkerRow
from auth.records.sessions import Session
from auth.subjects import Person, Worker
from tests.auth.arrivals import (
    MoveClock,
    log_of,
    new_email,
    new_phone,
    new_worker,
    service_log,
    sign_in,
)


async def whose(desk: Desk, token: str) -> Person | Worker | None:
    async with desk.database.transaction() as tx:
        return await sessions.subject_of(desk, tx, token)


async def test_a_token_is_256_bits_and_only_its_hash_is_kept(desk: Desk) -> None:
    token = (await sign_in(desk, new_phone())).token
    assert token.startswith("uf_")
    assert len(token) == 46
    async with desk.database.transaction() as tx:
        hashes = (await tx.execute(select(Session.token_hash))).scalars().all()
    assert sha256(token.encode()).digest() in hashes


async def test_what_is_no_token_is_nobody(desk: Desk) -> None:
    token = (await sign_in(desk, new_phone())).token
    for other in ("", "uf_", token[:-1], token + "A", token[3:], "UF_" + token[3:], token + "\n"):
        assert await whose(desk, other) is None
    assert await whose(desk, "uf_" + "A" * 43) is None


@pytest.mark.parametrize(("address", "setting"), [("phone", "person"), ("email", "worker")])
async def test_a_session_ends_by_the_databases_clock(
    desk: Desk, moved_clock: MoveClock, address: str, setting: str
) -> None:
    to = new_phone() if address == "phone" else new_email()
    if address == "email":
        await new_worker(desk, to)
    token = (await sign_in(desk, to)).token
    hours = getattr(desk.settings, f"{setting}_session_hours")
    moved_clock(timedelta(hours=hours, minutes=-1))
    assert await whose(desk, token), "an end that use does not put off"
    moved_clock(timedelta(hours=hours, seconds=1))
    assert await whose(desk, token) is None


async def test_signing_out_ends_this_session_alone(desk: Desk) -> None:
    phone = new_phone()
    here, elsewhere = [(await sign_in(desk, phone)).token for _ in range(2)]
    person = await whose(desk, here)
    assert isinstance(person, Person)
    await sessions.sign_out(desk, person)
    await sessions.sign_out(desk, person)
    assert await whose(desk, here) is None
    assert await whose(desk, elsewhere)
    assert [line[0] for line in await log_of(desk, person.id)].count("sign_in.end") == 1


async def test_a_workers_signing_out_is_recorded_under_their_name(desk: Desk) -> None:
    email = new_email()
    await new_worker(desk, email)
    worker = await whose(desk, (await sign_in(desk, email)).token)
    assert worker
    await sessions.sign_out(desk, worker)
    last = (await service_log(desk))[-1]
    assert last["action"] == "sign_in.end"
    assert last["actor"]["id"] == str(worker.id)  # type: ignore[index]  # JSON


async def test_a_lost_phone_ends_them_all_and_nobody_elses(desk: Desk) -> None:
    phone = new_phone()
    tokens = [(await sign_in(desk, phone)).token for _ in range(3)]
    stranger = (await sign_in(desk, new_phone())).token
    person = await whose(desk, tokens[0])
    assert person
    async with desk.database.transaction() as tx:
        assert await sessions.end_all(desk, tx, person) == 3
    assert [await whose(desk, token) for token in tokens] == [None] * 3
    assert await whose(desk, stranger)


async def test_a_barred_worker_is_out_at_once(desk: Desk) -> None:
    email = new_email()
    worker_id = await new_worker(desk, email)
    token = (await sign_in(desk, email)).token
    assert await whose(desk, token)
    await administration.deactivate_worker(desk, worker_id)
    assert await whose(desk, token) is None


async def test_an_erased_person_is_out_at_once(desk: Desk) -> None:
    token = (await sign_in(desk, new_phone())).token
    person = await whose(desk, token)
    assert person
    async with desk.database.transaction() as tx:
        await people.delete_person(tx, person.id)
    assert await whose(desk, token) is None


async def test_a_change_of_name_is_seen_at_the_next_request(desk: Desk) -> None:
    email = new_email()
    worker_id = await new_worker(desk, email)
    token = (await sign_in(desk, email)).token
    before = await whose(desk, token)
    assert isinstance(before, Worker)
    sealer = await desk.fields.of_service()
    values = {"name": "Nadia Roy", "job": "CESF", "email": email, "phone": "", "hours": ""}
    async with desk.database.transaction() as tx:
        await tx.execute(
            update(WorkerRow)
            .where(WorkerRow.id == worker_id)
            .values(sealed=sealer.seal("worker", worker_id, values))
        )
    after = await whose(desk, token)
    assert isinstance(after, Worker)
    assert (before.name, after.name) == ("Nadia Benali", "Nadia Roy")
    assert after.contact == email


async def test_a_vault_is_noted_as_used_once_a_day(desk: Desk, moved_clock: MoveClock) -> None:
    async def used() -> object:
        async with desk.database.transaction() as tx:
            row = await people.person(tx, person.id)
        assert row
        return row.used_at

    token = (await sign_in(desk, new_phone())).token
    person = await whose(desk, token)
    assert person
    first = await used()
    moved_clock(timedelta(hours=23))
    await whose(desk, token)
    assert await used() == first
    moved_clock(timedelta(hours=25))
    await whose(desk, token)
    second = await used()
    assert second > first  # type: ignore[operator]  # datetimes


async def test_the_sweep_takes_what_ended_and_nothing_that_lives(
    desk: Desk, moved_clock: MoveClock
) -> None:
    living, ended = [(await sign_in(desk, new_phone())).token for _ in range(2)]
    person = await whose(desk, ended)
    assert isinstance(person, Person)
    await sessions.sign_out(desk, person)
    swept = await sweeping.delete_expired(desk)
    assert swept["sessions"] >= 1
    assert await whose(desk, living)
    assert swept["sign_ins"] == 0, "the counts of the last day still look at them"
    moved_clock(timedelta(days=2))
    swept = await sweeping.delete_expired(desk)
    assert swept["sign_ins"] >= 2
    assert swept["messages"] >= 2
    assert await whose(desk, living)
