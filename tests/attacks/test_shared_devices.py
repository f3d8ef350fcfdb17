"""A shared device: whoever sits down next, or writes in the database, gets nothing of a session
that nobody uses any more."""

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select

from auth import sessions, shared_devices
from auth.records.sessions import Session, live_session
from auth.session_start import NewSession
from auth.subjects import Person, Worker
from auth.visitor import Visitor
from base.embedded.server import Addresses
from base.pipeline import fetch_one
from storage.row_macs import RowAltered
from tests.attacks.test_sessions import signed_in
from tests.fixtures import MakePerson, MoveClock
from vault.services import Services

SHARED = Visitor("windows_computer", "198.51.100.7", shared=True)


async def subject_of(
    services: Services, token: str, *, used: bool = True
) -> Person | Worker | None:
    async with services.database.transaction() as tx:
        return await sessions.subject_of(services, tx, token, used=used)


async def shared_session(services: Services, make_person: MakePerson) -> NewSession:
    return await signed_in(services, (await make_person()).phone, SHARED)


async def test_it_ends_a_quarter_of_an_hour_after_its_last_use(
    services: Services, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    token = (await shared_session(services, make_person)).token
    for minutes in (14, 28, 42):
        moved_clock(timedelta(minutes=minutes))
        found = await subject_of(services, token)
        assert found is not None
    moved_clock(timedelta(minutes=42 + 14))
    assert await subject_of(services, token, used=False), "it lives"
    moved_clock(timedelta(minutes=42 + 15, seconds=1))
    assert await subject_of(services, token) is None, "to look at it was no use"
    assert await subject_of(services, token) is None


async def test_whatever_keeps_asking_it_ends_after_two_hours(
    services: Services, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """A page that was forgotten and loads itself again and again, or a thief's program."""
    token = (await shared_session(services, make_person)).token
    for minutes in range(10, 120, 10):
        moved_clock(timedelta(minutes=minutes))
        assert await subject_of(services, token)
    moved_clock(shared_devices.AT_MOST + timedelta(seconds=1))
    assert await subject_of(services, token) is None


async def test_use_does_not_bring_back_what_was_ended_meanwhile(
    services: Services, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """A request reads the session, the session is ended, then the request moves its end."""
    token = (await shared_session(services, make_person)).token
    moved_clock(timedelta(minutes=5))
    hashed = sessions.token_hash(token)
    assert hashed
    async with services.database.transaction() as tx:
        row = await fetch_one(tx, live_session(hashed))
        person = await subject_of(services, token, used=False)
        assert person
        await sessions.sign_out(services, person)
        await shared_devices.postpone_end(services, tx, row)
        ended = await tx.execute(select(Session.mac).where(Session.token_hash == hashed))
        assert ended.scalar_one() is None, "to take back its end alone would bring it back"
    assert await subject_of(services, token) is None


LATER = {
    "end": "UPDATE unefois.session SET expires_at = expires_at + interval '1 day'",
    "beginning": "UPDATE unefois.session SET created_at = created_at + interval '1 day'",
}


@pytest.mark.parametrize("change", LATER)
async def test_who_writes_in_the_database_makes_none_longer(
    services: Services, make_person: MakePerson, postgres: Addresses, change: str
) -> None:
    token = (await shared_session(services, make_person)).token
    address = postgres.owner_url.replace("+psycopg", "")
    with psycopg.connect(address, autocommit=True) as connection:
        where = " WHERE token_hash = %s"
        connection.execute(LATER[change] + where, [sessions.token_hash(token)])
    with pytest.raises(RowAltered):
        await subject_of(services, token)


async def test_a_token_is_of_one_kind(services: Services, make_person: MakePerson) -> None:
    """The kind is hashed with it: who changes it holds another token, which opens nothing."""
    person = await make_person()
    token = (await signed_in(services, person.phone, SHARED)).token
    assert token.startswith("ufs_")
    assert await subject_of(services, token.replace("ufs_", "uf_")) is None
    assert await subject_of(services, person.token.replace("uf_", "ufs_")) is None


async def test_the_browser_is_not_known_again(services: Services, make_person: MakePerson) -> None:
    person = await make_person()
    assert (await signed_in(services, person.phone, SHARED)).browser == ""


async def test_the_size_of_what_is_sealed_does_not_tell_which_is_shared(
    services: Services, make_person: MakePerson, postgres: Addresses
) -> None:
    person = await make_person()
    tokens = [(await signed_in(services, person.phone, SHARED)).token, person.token]
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as connection:
        sizes = [
            connection.execute(
                "SELECT length(sealed) FROM unefois.session WHERE token_hash = %s",
                [sessions.token_hash(token)],
            ).fetchone()
            for token in tokens
        ]
    assert sizes[0] == sizes[1]
