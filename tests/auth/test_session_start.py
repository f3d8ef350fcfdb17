"""How every means of signing in ends, tested with one that is no code: a token on paper."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import administration, sessions
from auth.records import people
from auth.records.sessions import Session
from auth.records.sign_ins import SignIn
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.errors import ErrorKind, ServiceError
from tests.auth import paper_token_means
from tests.auth.paper_token_means import PaperTokens
from tests.auth.steps import MoveClock, log_of, new_email, new_phone, new_worker, service_log
from tests.auth.steps import sign_in as sign_in_by_code


@pytest.fixture
def means(services: CoreServices) -> PaperTokens:
    return PaperTokens(services)


async def subject_of(services: CoreServices, token: str) -> Person | Worker | None:
    async with services.database.transaction() as tx:
        return await sessions.subject_of(services, tx, token)


async def refusal(means: PaperTokens, address: str, token: str) -> tuple[ErrorKind, str]:
    with pytest.raises(ServiceError) as caught:
        await means.sign_in(address, token)
    return caught.value.kind, caught.value.code


async def count(services: CoreServices, table: type[Session] | type[SignIn]) -> int:
    async with services.database.transaction() as tx:
        found: int = (await tx.execute(select(func.count()).select_from(table))).scalar_one()
    return found


def test_a_second_means_is_one_file_that_knows_no_codes() -> None:
    source = Path(paper_token_means.__file__).read_text()
    assert "auth.session_start" in source
    assert "one_time_codes" not in source
    assert "sign_ins" not in source


async def test_a_second_means_opens_a_vault_and_a_session_that_works(
    services: CoreServices, means: PaperTokens, client: httpx.AsyncClient
) -> None:
    phone, codes = new_phone(), await count(services, SignIn)
    opened = await means.sign_in(phone, await means.hand_out(phone), language="en")
    person = await subject_of(services, opened.token)
    assert isinstance(person, Person)
    assert (opened.kind, person.language) == ("person", "en")
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), person.id)
        own = await services.field_encryption.reader(person.id, tx)
    assert row is not None
    assert own.open("person", person.id, row.sealed) == {"phone": phone}
    answer = await client.get("/v1/documents", headers={"Authorization": f"Bearer {opened.token}"})
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert (await log_of(services, person.id))[:2] == [
        ("vault.open", "allowed", ""),
        ("sign_in.success", "allowed", ""),
    ]
    assert await count(services, SignIn) == codes, "no code was sent"


async def test_both_means_open_the_same_vault(services: CoreServices, means: PaperTokens) -> None:
    phone = new_phone()
    by_code = await subject_of(services, (await sign_in_by_code(services, phone)).token)
    token = await means.hand_out(phone)
    by_token = await subject_of(services, (await means.sign_in(phone, token)).token)
    assert by_code and by_token
    assert by_code.id == by_token.id
    actions = [entry[0] for entry in await log_of(services, by_code.id)]
    assert actions == ["vault.open", "sign_in.success", "sign_in.success"]


async def test_two_first_sign_ins_at_once_open_one_vault(
    services: CoreServices, means: PaperTokens
) -> None:
    phone = new_phone()
    token = await means.hand_out(phone)
    opened = await asyncio.gather(*(means.sign_in(phone, token) for _ in range(5)))
    people_found = [await subject_of(services, one.token) for one in opened]
    assert len({person.id for person in people_found if person}) == 1


async def test_what_waits_for_the_phone_is_adopted_by_a_second_means_too(
    services: CoreServices, means: PaperTokens
) -> None:
    seen: list[tuple[UUID, bytes]] = []

    async def adopt(
        _: CoreServices, tx: AsyncConnection, person_id: UUID, tags: Sequence[bytes]
    ) -> None:
        assert await people.person(tx, await services.field_encryption.row_macs(), person_id)
        seen.append((person_id, tags[0]))

    phone = new_phone()
    token = await means.hand_out(phone)
    for _ in range(2):
        await means.sign_in(phone, token, on_vault_opened=adopt)
    assert [tag for _, tag in seen] == [await services.field_encryption.tag("phone", phone)]


async def test_a_second_means_is_refused_a_sleeping_vault_and_the_vault_says_so(
    services: CoreServices, means: PaperTokens, moved_clock: MoveClock
) -> None:
    phone = new_phone()
    token = await means.hand_out(phone)
    person = await subject_of(services, (await means.sign_in(phone, token)).token)
    assert person
    moved_clock(timedelta(days=150))
    assert await means.sign_in(phone, token)
    moved_clock(timedelta(days=300))
    assert await means.sign_in(phone, token), "signing in was a use"
    moved_clock(timedelta(days=300 + 215))
    before = await count(services, Session)
    assert await refusal(means, phone, token) == (ErrorKind.UNAUTHENTICATED, "token_invalid")
    assert await count(services, Session) == before
    last = (await log_of(services, person.id))[-1]
    assert last == ("sign_in.failure", "refused", "vault_asleep")


async def test_a_wrong_token_is_recorded_where_it_was_tried(
    services: CoreServices, means: PaperTokens
) -> None:
    known, unknown = new_phone(), new_phone()
    token = await means.hand_out(known)
    person = await subject_of(services, (await means.sign_in(known, token)).token)
    assert person
    for phone in (known, unknown):
        assert await refusal(means, phone, "a guess") == (
            ErrorKind.UNAUTHENTICATED,
            "token_invalid",
        )
    last = (await log_of(services, person.id))[-1]
    assert last == ("sign_in.failure", "refused", "token_invalid")
    of_the_service = (await service_log(services))[-1]
    assert (of_the_service["action"], of_the_service["reason"]) == (
        "sign_in.failure",
        "token_invalid",
    )


async def test_workers_sign_in_by_a_second_means_while_they_are_known(
    services: CoreServices, means: PaperTokens
) -> None:
    email = new_email()
    token = await means.hand_out(email)
    assert (await refusal(means, email, token))[0] == ErrorKind.UNAUTHENTICATED
    last = (await service_log(services))[-1]
    assert (last["action"], last["reason"]) == ("sign_in.failure", "not_found")
    worker_id = await new_worker(services, email)
    opened = await means.sign_in(email, token)
    worker = await subject_of(services, opened.token)
    assert isinstance(worker, Worker)
    assert (worker.id, opened.kind) == (worker_id, "worker")
    await administration.deactivate_worker(services, worker_id)
    assert (await refusal(means, email, token))[0] == ErrorKind.UNAUTHENTICATED
