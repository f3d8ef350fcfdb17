"""Signing in by a code, as the person, the worker and the log see it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import administration, one_time_codes, sessions
from auth.code_limits import NEW_CODES
from auth.one_time_codes import PendingSignIn
from auth.records import people
from auth.services import CoreServices
from auth.session_start import Account
from auth.subjects import Person, Worker
from base.errors import ErrorKind, ServiceError
from tests.auth.steps import (
    MoveClock,
    begin,
    code_for,
    log_of,
    new_email,
    new_phone,
    new_worker,
    queued_messages,
    redeem,
    sent_codes,
    service_log,
    sign_in,
    wrong,
)


async def subject_of(services: CoreServices, token: str) -> Person | Worker | None:
    async with services.database.transaction() as tx:
        return await sessions.subject_of(services, tx, token)


async def refusal(
    services: CoreServices, started: PendingSignIn, code: str
) -> tuple[ErrorKind, str]:
    with pytest.raises(ServiceError) as caught:
        await redeem(services, started, code)
    return caught.value.kind, caught.value.code


CODE_WRONG = (ErrorKind.UNAUTHENTICATED, "code_wrong")


async def test_the_first_good_code_opens_an_empty_vault(services: CoreServices) -> None:
    phone = new_phone()
    signed_in = await sign_in(services, phone)
    person = await subject_of(services, signed_in.token)
    assert isinstance(person, Person)
    assert signed_in.kind == "person"
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), person.id)
        own = await services.field_encryption.reader(person.id, tx)
    assert row is not None
    assert own.open("person", person.id, row.sealed) == {"phone": phone}
    assert await log_of(services, person.id) == [
        ("vault.open", "allowed", ""),
        ("sign_in.success", "allowed", ""),
    ]


async def test_the_next_code_opens_the_same_vault_however_the_number_is_written(
    services: CoreServices,
) -> None:
    phone = new_phone()
    first = await subject_of(services, (await sign_in(services, phone)).token)
    started = await one_time_codes.send_code(services, phone="0" + phone[3:])
    code = await code_for(services, phone)
    again = await subject_of(services, (await redeem(services, started, code)).token)
    assert first and again
    assert again.id == first.id
    actions = [entry[0] for entry in await log_of(services, first.id)]
    assert actions == ["vault.open", "sign_in.success", "sign_in.code", "sign_in.success"]


@pytest.mark.parametrize("write", [lambda c: f"{c[:3]} {c[3:]}", lambda c: f"\u00a0{c}\n"])
async def test_a_code_as_people_type_it(services: CoreServices, write: object) -> None:
    started, code = await begin(services, new_phone())
    assert await redeem(services, started, write(code))  # type: ignore[operator]  # a lambda


async def test_a_code_in_arabic_digits(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    typed = code.translate({ord(str(n)): chr(0x660 + n) for n in range(10)})
    assert await redeem(services, started, typed)


async def test_what_waits_for_the_phone_is_adopted_with_the_vault(services: CoreServices) -> None:
    seen: list[tuple[UUID, bytes]] = []

    async def adopt(
        _: CoreServices, tx: AsyncConnection, person_id: UUID, phone_tags: Sequence[bytes]
    ) -> None:
        assert await people.person(tx, await services.field_encryption.row_macs(), person_id)
        seen.append((person_id, phone_tags[0]))

    phone = new_phone()
    for _ in range(2):
        started, code = await begin(services, phone)
        await one_time_codes.redeem_code(
            services, started.id, secret=started.secret, code=code, on_vault_opened=adopt
        )
    assert [tag for _, tag in seen] == [await services.field_encryption.tag("phone", phone)]


async def test_an_adoption_that_fails_opens_nothing_and_the_code_still_serves(
    services: CoreServices,
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    phone = new_phone()
    started, code = await begin(services, phone)
    with pytest.raises(ZeroDivisionError):
        await one_time_codes.redeem_code(
            services, started.id, secret=started.secret, code=code, on_vault_opened=fail
        )
    async with services.database.transaction() as tx:
        assert (
            await people.person_by_phone(
                tx,
                await services.field_encryption.row_macs(),
                [await services.field_encryption.tag("phone", phone)],
            )
            is None
        )
    assert await redeem(services, started, code)


async def test_a_worker_signs_in_by_their_work_email(services: CoreServices) -> None:
    email = new_email()
    worker_id = await new_worker(services, email)
    signed_in = await sign_in(services, email)
    worker = await subject_of(services, signed_in.token)
    assert isinstance(worker, Worker)
    assert (worker.id, signed_in.kind) == (worker_id, "worker")
    assert (worker.name, worker.job) == ("Nadia Benali", "assistante sociale")
    assert worker.organisation == "CCAS de Lys"
    assert worker.contact == "+33123456789, lundi au jeudi"
    last = (await service_log(services))[-1]
    assert last["action"] == "sign_in.success"
    assert last["actor"]["name"] == "Nadia Benali"  # type: ignore[index]  # JSON


async def test_nothing_is_sent_to_an_unknown_email_and_its_code_opens_nothing(
    services: CoreServices,
) -> None:
    email = new_email()
    started, code = await begin(services, email)
    assert [message["send"] for message in await queued_messages(services, email)] == [0]
    assert await refusal(services, started, code) == CODE_WRONG


async def test_an_unknown_sign_in_answers_as_a_wrong_code_and_is_recorded(
    services: CoreServices,
) -> None:
    started, code = await begin(services, new_phone())
    assert await refusal(services, replace(started, id=uuid4()), code) == CODE_WRONG
    last = (await service_log(services))[-1]
    assert (last["action"], last["reason"]) == ("sign_in.failure", "not_found")


@pytest.mark.parametrize("code", ["", "abcdef", "12345", "1234567", "\x00" * 6])
async def test_what_is_no_code_is_a_wrong_one(services: CoreServices, code: str) -> None:
    started, _ = await begin(services, new_phone())
    assert await refusal(services, started, code) == CODE_WRONG


async def test_five_wrong_codes_kill_the_sign_in(services: CoreServices) -> None:
    phone = new_phone()
    started, code = await begin(services, phone)
    for _ in range(5):
        assert await refusal(services, started, wrong(code)) == CODE_WRONG
    assert await refusal(services, started, code) == CODE_WRONG
    assert await sign_in(services, phone)


async def test_four_wrong_codes_do_not(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    for _ in range(4):
        await refusal(services, started, wrong(code))
    assert await redeem(services, started, code)


async def test_a_code_serves_once(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    await redeem(services, started, code)
    assert await refusal(services, started, code) == CODE_WRONG


async def test_a_code_of_another_sign_in_is_wrong(services: CoreServices) -> None:
    phone = new_phone()
    first, code = await begin(services, phone)
    second, other = await begin(services, phone)
    if code != other:
        assert await refusal(services, second, code) == CODE_WRONG
    assert await redeem(services, first, code)


async def test_a_code_lasts_ten_minutes(services: CoreServices, moved_clock: MoveClock) -> None:
    started, code = await begin(services, new_phone())
    late, late_code = await begin(services, new_phone())
    moved_clock(timedelta(minutes=9, seconds=50))
    assert await redeem(services, started, code)
    moved_clock(timedelta(minutes=10, seconds=1))
    assert await refusal(services, late, late_code) == CODE_WRONG


async def test_failures_are_in_the_log_of_the_vault_they_aimed_at(services: CoreServices) -> None:
    phone = new_phone()
    person = await subject_of(services, (await sign_in(services, phone)).token)
    assert person
    started, code = await begin(services, phone)
    await refusal(services, started, wrong(code))
    assert (await log_of(services, person.id))[-2:] == [
        ("sign_in.code", "allowed", ""),
        ("sign_in.failure", "refused", "code_wrong"),
    ]


async def test_a_vault_used_five_months_ago_opens(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = new_phone()
    first = await subject_of(services, (await sign_in(services, phone)).token)
    moved_clock(timedelta(days=150))
    again = await subject_of(services, (await sign_in(services, phone)).token)
    assert first and again
    assert again.id == first.id
    moved_clock(timedelta(days=300))
    assert await sign_in(services, phone), "signing in was a use"


@pytest.mark.parametrize("addresses", [{}, {"phone": "0612345678", "email": "a@b.fr"}])
async def test_one_address_and_one_only(services: CoreServices, addresses: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="one_address"):
        await one_time_codes.send_code(services, **addresses)


async def test_the_message_speaks_the_callers_language(services: CoreServices) -> None:
    phone = new_phone()
    await one_time_codes.send_code(services, phone=phone, language="en")
    assert "Your code" in (await queued_messages(services, phone))[-1]["text"]


async def test_a_barred_worker_gets_no_session_for_a_code_already_sent(
    services: CoreServices,
) -> None:
    email = new_email()
    worker_id = await new_worker(services, email)
    started, code = await begin(services, email)
    await administration.deactivate_worker(services, worker_id)
    assert await refusal(services, started, code) == CODE_WRONG


@pytest.mark.parametrize("use", ["change", "recover"])
async def test_a_code_sent_for_another_use_lets_nobody_in(services: CoreServices, use: str) -> None:
    phone = new_phone()
    person = await subject_of(services, (await sign_in(services, phone)).token)
    assert person
    before = await log_of(services, person.id)
    started = await one_time_codes.send_code(services, phone=phone, use=use)
    code = await code_for(services, phone)
    assert await refusal(services, started, code) == CODE_WRONG
    last = (await service_log(services))[-1]
    assert (last["action"], last["reason"]) == ("sign_in.failure", "not_found")
    assert await log_of(services, person.id) == [*before, ("sign_in.code", "allowed", "")]


async def test_a_code_for_the_desk_opens_no_vault_for_a_phone_without_one(
    services: CoreServices,
) -> None:
    phone = new_phone()
    started = await one_time_codes.send_code(services, phone=phone, use="recover")
    code = await code_for(services, phone)
    assert await refusal(services, started, code) == CODE_WRONG
    macs = await services.field_encryption.row_macs()
    tags = [await services.field_encryption.tag("phone", phone)]
    async with services.database.transaction() as tx:
        assert await people.person_by_phone(tx, macs, tags) is None
    # The code was not used up by it: it serves for what its message says, once.
    assert await _reached(services, started, code)
    with pytest.raises(ServiceError, match="code_wrong"):
        await _reached(services, started, code)


async def test_a_code_to_enter_shows_nothing_at_the_desk(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    with pytest.raises(ServiceError, match="code_wrong"):
        await _reached(services, started, code)
    assert await redeem(services, started, code)


@pytest.mark.parametrize("first", ["shared", "desk"])
async def test_a_code_for_the_desk_is_nobody_elses(services: CoreServices, first: str) -> None:
    phone = new_phone()
    for _ in range(NEW_CODES):
        await begin(services, phone)
    uses = {"shared": "enter", "desk": "recover"}
    begun: dict[str, tuple[PendingSignIn, str]] = {}
    for who in (first, "desk" if first == "shared" else "shared"):
        started = await one_time_codes.send_code(services, phone=phone, use=uses[who])
        begun[who] = started, (await sent_codes(services, phone))[-1]
    shared, shown = begun["shared"], begun["desk"]
    texts = [one["text"] for one in await queued_messages(services, phone) if one["send"]]
    assert sum("guichet" in text for text in texts) == 1
    assert shared[1] != shown[1]
    assert await refusal(services, shared[0], shown[1]) == CODE_WRONG
    with pytest.raises(ServiceError, match="code_wrong"):
        await _reached(services, shown[0], shared[1])
    assert await _reached(services, shown[0], shown[1])
    assert await redeem(services, shared[0], shared[1])


async def test_no_other_code_for_the_desk_is_sent_by_the_page_of_codes(
    services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = new_phone()
    started = await one_time_codes.send_code(services, phone=phone, use="recover")
    moved_clock(timedelta(minutes=2))
    assert await one_time_codes.send_again(services, started.id, secret=started.secret) is None
    assert len(await queued_messages(services, phone)) == 1


async def _reached(services: CoreServices, started: PendingSignIn, code: str) -> str:
    async def start(_: AsyncConnection, account: Account) -> str:
        return account.address.kind

    return await one_time_codes.redeem_for(
        services, started.id, start, secret=started.secret, code=code, use="recover"
    )
