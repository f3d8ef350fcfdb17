"""Attackers without the phone: guesses, races, probes, and a thief of the database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from auth import one_time_codes, sessions
from auth.records.sessions import Session
from auth.records.sign_ins import SignInTry
from auth.services import CoreServices
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.auth.steps import (
    MoveClock,
    begin,
    code_for,
    log_of,
    new_email,
    new_phone,
    new_worker,
    redeem,
    sign_in,
    wrong,
)


async def attempt(services: CoreServices, started: one_time_codes.PendingSignIn, code: str) -> str:
    """`in` when signed in, or the code of the error."""
    try:
        await redeem(services, started, code)
    except ServiceError as failure:
        return failure.code
    return "in"


async def vault_of(services: CoreServices, token: str) -> Any:
    async with services.database.transaction() as tx:
        found = await sessions.subject_of(services, tx, token)
    assert found
    return found.id


async def test_twenty_right_codes_at_once_open_one_session(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    async with services.database.transaction() as tx:
        before = len((await tx.execute(select(Session.id))).all())
    answers = await asyncio.gather(*(attempt(services, started, code) for _ in range(20)))
    assert sorted(answers) == ["code_wrong"] * 19 + ["in"]
    async with services.database.transaction() as tx:
        assert len((await tx.execute(select(Session.id))).all()) == before + 1


async def test_twenty_guesses_at_once_count_as_five(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    answers = await asyncio.gather(*(attempt(services, started, wrong(code)) for _ in range(20)))
    assert set(answers) == {"code_wrong"}
    async with services.database.transaction() as tx:
        tries = await tx.execute(select(SignInTry).where(SignInTry.sign_in_id == started.id))
    assert len(tries.all()) == 5
    assert await attempt(services, started, code) == "code_wrong"


async def test_two_first_codes_at_once_open_one_vault(services: CoreServices) -> None:
    phone = new_phone()
    started = [await begin(services, phone) for _ in range(2)]
    signed_in = await asyncio.gather(*(redeem(services, one, code) for one, code in started))
    assert len({await vault_of(services, one.token) for one in signed_in}) == 1


async def test_a_recycled_number_does_not_open_its_last_holders_vault(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = new_phone()
    person_id = await vault_of(services, (await sign_in(services, phone)).token)
    moved_clock(timedelta(days=215))
    started, code = await begin(services, phone)
    assert await attempt(services, started, wrong(code)) == "code_wrong", "a guess learns nothing"
    with statements(services) as guessed:
        assert await attempt(services, started, wrong(code)) == "code_wrong"
    with statements(services) as right:
        assert await attempt(services, started, code) == "code_wrong", "nor does a right code"
    assert right == guessed, "nor how long it takes"
    assert (await log_of(services, person_id))[-1] == ("sign_in.failure", "refused", "vault_asleep")


async def row_sizes(services: CoreServices, sign_in: one_time_codes.PendingSignIn) -> Any:
    """The sizes of the rows that a sign-in left in the tables."""
    sizes = text(
        "SELECT octet_length(s.sealed), octet_length(c.code_tag), s.tries, c.lane, c.digits,"
        " octet_length(m.sealed), m.attempts, octet_length(e.sealed)"
        " FROM unefois.sign_in s JOIN unefois.sign_in_code c ON c.id = s.code_id,"
        " (SELECT * FROM unefois.message ORDER BY id DESC LIMIT 1) m,"
        " (SELECT * FROM unefois.access_event ORDER BY id DESC LIMIT 1) e WHERE s.id = :id"
    )
    async with services.database.transaction() as tx:
        return tuple((await tx.execute(sizes, {"id": sign_in.id})).one())


@pytest.mark.parametrize("kind", ["phone", "email"])
async def test_an_account_and_no_account_cost_the_same(services: CoreServices, kind: str) -> None:
    known, unknown = (new_phone(), new_phone()) if kind == "phone" else (new_email(), new_email())
    if kind == "phone":
        await sign_in(services, known)
    else:
        await new_worker(services, known)
    await begin(services, new_phone())
    seen: dict[str, list[Any]] = {known: [], unknown: []}
    for address in (known, unknown, known, unknown):
        way = {kind: address}
        with statements(services) as sent:
            started = await one_time_codes.send_code(services, **way)
        sizes = await row_sizes(services, started)
        code = await code_for(services, address)
        with statements(services) as tried:
            assert await attempt(services, started, wrong(code)) == "code_wrong"
        seen[address].append((sent, tried, sizes[:-1], started.expires_at.tzinfo))
    assert seen[known] == seen[unknown]
    assert len(seen[known][0][0]) > 5
    assert seen[known][0] == seen[known][1], "asking twice reveals no more"


async def test_a_thief_of_the_database_finds_no_address_no_code_and_no_token(
    services: CoreServices,
) -> None:
    phone, email = new_phone(), new_email()
    await new_worker(services, email, name="Honorine Marqueur")
    person, worker = await sign_in(services, phone), await sign_in(services, email)
    await one_time_codes.send_code(services, phone=phone)
    secrets = [person.token, person.token[3:], worker.token, phone, phone[3:], email, email[:8]]
    secrets += ["Honorine", "Marqueur", "CCAS de Lys", "assistante sociale"]
    names = text("SELECT tablename FROM pg_tables WHERE schemaname = 'unefois'")
    async with services.database.transaction() as tx:
        tables = (await tx.execute(names)).scalars().all()
        dump = []
        for table in tables:
            whole_rows = text(f'SELECT t::text FROM unefois."{table}" t')  # noqa: S608  (our names)
            rows = await tx.execute(whole_rows)
            dump += rows.scalars().all()
    whole = "\n".join(dump)
    assert len(dump) > 10
    for secret in secrets:
        assert secret not in whole
        assert secret.encode().hex() not in whole


async def test_nothing_of_a_sign_in_is_printed(services: CoreServices) -> None:
    phone = new_phone()
    signed_in = await sign_in(services, phone)
    assert signed_in.token not in repr(signed_in)
    assert signed_in.browser not in repr(signed_in)
    started = await one_time_codes.send_code(services, phone=phone)
    assert started.secret not in repr(started)
    with pytest.raises(ServiceError) as caught:
        await redeem(services, started, "12")
    assert phone[3:] not in repr(caught.value) + str(caught.value.values)
