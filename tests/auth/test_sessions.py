"""Sessions: whose token it is, how long it lasts, and how it ends."""

from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select

from auth import administration, cleanup, sessions
from auth.records import people
from auth.records.recipients import WORKER_ROW, WorkerRow
from auth.records.sessions import Session
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.database import Database
from tests.auth.steps import (
    MoveClock,
    log_of,
    new_email,
    new_phone,
    new_worker,
    service_log,
    sign_in,
)
from tests.rows import change_row


async def subject_of(services: CoreServices, token: str) -> Person | Worker | None:
    async with services.database.transaction() as tx:
        return await sessions.subject_of(services, tx, token)


async def test_a_token_is_256_bits_and_only_its_hash_is_kept(services: CoreServices) -> None:
    token = (await sign_in(services, new_phone())).token
    assert token.startswith("uf_")
    assert len(token) == 46
    async with services.database.transaction() as tx:
        hashes = (await tx.execute(select(Session.token_hash))).scalars().all()
    assert sha256(token.encode()).digest() in hashes


async def test_what_is_no_token_is_nobody(services: CoreServices) -> None:
    token = (await sign_in(services, new_phone())).token
    for other in ("", "uf_", token[:-1], token + "A", token[3:], "UF_" + token[3:], token + "\n"):
        assert await subject_of(services, other) is None
    assert await subject_of(services, "uf_" + "A" * 43) is None


@pytest.mark.parametrize(("address", "setting"), [("phone", "person"), ("email", "worker")])
async def test_a_session_ends_by_the_databases_clock(
    services: CoreServices, moved_clock: MoveClock, address: str, setting: str
) -> None:
    to = new_phone() if address == "phone" else new_email()
    if address == "email":
        await new_worker(services, to)
    token = (await sign_in(services, to)).token
    hours = getattr(services.settings, f"{setting}_session_hours")
    moved_clock(timedelta(hours=hours, minutes=-1))
    assert await subject_of(services, token), "use does not postpone the end"
    moved_clock(timedelta(hours=hours, seconds=1))
    assert await subject_of(services, token) is None


async def test_signing_out_ends_this_session_alone(services: CoreServices) -> None:
    phone = new_phone()
    here, elsewhere = [(await sign_in(services, phone)).token for _ in range(2)]
    person = await subject_of(services, here)
    assert isinstance(person, Person)
    await sessions.sign_out(services, person)
    await sessions.sign_out(services, person)
    assert await subject_of(services, here) is None
    assert await subject_of(services, elsewhere)
    assert [entry[0] for entry in await log_of(services, person.id)].count("sign_in.end") == 1


async def test_a_workers_signing_out_is_recorded_under_their_name(services: CoreServices) -> None:
    email = new_email()
    await new_worker(services, email)
    worker = await subject_of(services, (await sign_in(services, email)).token)
    assert worker
    await sessions.sign_out(services, worker)
    last = (await service_log(services))[-1]
    assert last["action"] == "sign_in.end"
    assert last["actor"]["id"] == str(worker.id)  # type: ignore[index]  # JSON


async def test_a_lost_phone_ends_them_all_and_nobody_elses(services: CoreServices) -> None:
    phone = new_phone()
    tokens = [(await sign_in(services, phone)).token for _ in range(3)]
    stranger = (await sign_in(services, new_phone())).token
    person = await subject_of(services, tokens[0])
    assert person
    async with services.database.transaction() as tx:
        assert await sessions.end_all(services, tx, person) == 3
    assert [await subject_of(services, token) for token in tokens] == [None] * 3
    assert await subject_of(services, stranger)


async def test_a_barred_worker_is_out_at_once(services: CoreServices) -> None:
    email = new_email()
    worker_id = await new_worker(services, email)
    token = (await sign_in(services, email)).token
    assert await subject_of(services, token)
    await administration.deactivate_worker(services, worker_id)
    assert await subject_of(services, token) is None


async def test_an_erased_person_is_out_at_once(services: CoreServices) -> None:
    token = (await sign_in(services, new_phone())).token
    person = await subject_of(services, token)
    assert person
    async with services.database.transaction() as tx:
        await people.delete_person(tx, person.id)
    assert await subject_of(services, token) is None


async def test_a_change_of_name_is_seen_at_the_next_request(
    services: CoreServices, as_owner: Database
) -> None:
    email = new_email()
    worker_id = await new_worker(services, email)
    token = (await sign_in(services, email)).token
    before = await subject_of(services, token)
    assert isinstance(before, Worker)
    writer = await services.field_encryption.writer(None)
    values = {"name": "Nadia Roy", "job": "CESF", "email": email, "phone": "", "hours": ""}
    sealed = writer.seal("worker", worker_id, values)
    await change_row(services, as_owner, WorkerRow, WORKER_ROW, worker_id, sealed=sealed)
    after = await subject_of(services, token)
    assert isinstance(after, Worker)
    assert (before.name, after.name) == ("Nadia Benali", "Nadia Roy")
    assert after.contact == email


async def test_a_vault_is_noted_as_used_once_a_day(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    async def used() -> object:
        async with services.database.transaction() as tx:
            row = await people.person(tx, await services.field_encryption.row_macs(), person.id)
        assert row
        return row.used_at

    token = (await sign_in(services, new_phone())).token
    person = await subject_of(services, token)
    assert person
    first = await used()
    moved_clock(timedelta(hours=23))
    await subject_of(services, token)
    assert await used() == first
    moved_clock(timedelta(hours=25))
    await subject_of(services, token)
    second = await used()
    assert second > first  # type: ignore[operator]  # datetimes


async def test_the_sweep_takes_what_ended_and_nothing_that_lives(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    living, ended = [(await sign_in(services, new_phone())).token for _ in range(2)]
    person = await subject_of(services, ended)
    assert isinstance(person, Person)
    await sessions.sign_out(services, person)
    swept = await cleanup.delete_expired(services)
    assert swept["sessions"] >= 1
    assert await subject_of(services, living)
    assert swept["sign_ins"] == 0, "the counts of the last hour still need these rows"
    moved_clock(timedelta(days=2))
    swept = await cleanup.delete_expired(services)
    assert swept["sign_ins"] >= 2
    assert swept["messages"] >= 2
    assert await subject_of(services, living)
