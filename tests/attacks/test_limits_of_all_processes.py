"""A limit is of the installation, and not of a process: whoever is sent from one to the other gets
no more.

Two applications over one database, each with services and connections of its own. The bound, for a
bucket: what it holds, and beyond that at most what each process kept when the bucket had filled
again: 2 of a network, 40 of an account (here 24).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from audit.records import AccessEvent
from auth.rate_buckets import delete_full_buckets
from auth.records.rate_buckets import RateBucket
from tests.attacks.pace import (
    A_MINUTE,
    REFUSED,
    STRUCTURE,
    Clock,
    Strict,
    forget_rates,
    serving,
)
from tests.fixtures import MakePerson, MakeWorker, SomeWorker, new_phone
from tests.steps import granted
from vault.services import Services
from web.process.services import open_services

AT_ONCE = 12
AN_ACCOUNT = AT_ONCE * 10
KEPT_OF_A_NETWORK, KEPT_OF_AN_ACCOUNT = 2, 2 * AT_ONCE
SIGN_INS = 12
FILLED = 60 * AT_ONCE / A_MINUTE
"""Seconds after which a bucket that was emptied is full."""

Two = tuple[Strict, Strict]


@pytest.fixture
async def two(services: Services, frozen: Clock) -> AsyncIterator[Two]:
    """Two processes of one installation."""
    await forget_rates(services)
    limits = {"sign_ins_per_hour_from_one_address": SIGN_INS, "failures_at_once": AT_ONCE}
    async with AsyncExitStack() as opened:
        other = await opened.enter_async_context(open_services(services.settings))
        yield (
            await opened.enter_async_context(serving(services, frozen, **limits)),
            await opened.enter_async_context(serving(other, frozen, **limits)),
        )


async def lines(services: Services) -> int:
    async with services.database.transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(AccessEvent))).scalar_one())


async def fail(server: Strict, worker: SomeWorker) -> int:
    """One failure of a worker's own."""
    path = f"/v1/grants/{uuid4()}"
    return (await server.send("GET", path, STRUCTURE, headers=worker.headers)).status_code


async def known(two: Two, worker: SomeWorker) -> None:
    """Both processes have authenticated the worker."""
    for server in two:
        answer = await server.send("GET", "/v1/grants", STRUCTURE, headers=worker.headers)
        assert answer.status_code == 200


async def test_failures_of_a_network_are_counted_together(two: Two) -> None:
    """By turns, each process allowed as many as both together do now."""
    before = await lines(two[0].services)
    statuses = [await two[turn % 2].refused() for turn in range(4 * AT_ONCE)]
    assert statuses.count(401) == AT_ONCE
    assert await lines(two[0].services) - before == AT_ONCE
    two[0].clock.move(20)
    again = [await two[turn % 2].refused() for turn in range(4 * AT_ONCE)]
    assert again.count(401) == A_MINUTE / 3


async def test_what_is_sent_to_both_at_once_passes_no_more(two: Two) -> None:
    statuses = await asyncio.gather(*(two[turn % 2].refused() for turn in range(100)))
    assert sorted(set(statuses)) == [401, 429]
    assert statuses.count(401) == AT_ONCE


async def test_failures_of_an_account_are_counted_together(
    two: Two, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    await known(two, worker)
    statuses = [await fail(two[turn % 2], worker) for turn in range(AN_ACCOUNT + 100)]
    # And the reserve of its one session, which is shared too.
    assert statuses.count(404) == AN_ACCOUNT + 10
    # Barred in one process, it is barred in the other at once.
    assert set(statuses[-20:]) == {429}


async def test_the_reserve_lets_a_session_go_on_that_was_barred_by_another_process(
    two: Two, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    await known(two, worker)
    while await fail(two[0], worker) == 404:
        pass
    assert await fail(two[1], worker) == 429
    two[0].clock.move(60)
    answer = await two[1].send("GET", "/v1/grants", STRUCTURE, headers=worker.headers)
    assert answer.status_code == 200


async def test_what_a_process_keeps_is_bounded(two: Two, make_worker: MakeWorker) -> None:
    """Many at once take many ahead; what is given back goes to the others, and the bucket fills
    while each process keeps a few."""
    worker = await make_worker()
    await known(two, worker)

    async def read(server: Strict) -> int:
        answer = await server.send("GET", "/v1/grants", STRUCTURE, headers=worker.headers)
        return answer.status_code

    statuses = await asyncio.gather(*(read(two[turn % 2]) for turn in range(80)))
    assert set(statuses) == {200}
    two[0].clock.move(FILLED)
    failures = await asyncio.gather(
        *(fail(two[turn % 2], worker) for turn in range(AN_ACCOUNT + 200))
    )
    assert AN_ACCOUNT <= failures.count(404) <= AN_ACCOUNT + 10 + 2 * KEPT_OF_AN_ACCOUNT


async def test_what_a_process_keeps_of_a_network_is_bounded(two: Two) -> None:
    async def public(server: Strict) -> int:
        answer = await server.send("POST", "/v1/sign-ins", STRUCTURE, json={"phone": new_phone()})
        return answer.status_code

    await asyncio.gather(*(public(two[turn % 2]) for turn in range(SIGN_INS)))
    two[0].clock.move(FILLED)
    failures = await asyncio.gather(*(two[turn % 2].refused() for turn in range(3 * AT_ONCE)))
    assert AT_ONCE <= failures.count(401) <= AT_ONCE + 2 * KEPT_OF_A_NETWORK


async def test_sign_ins_of_a_network_are_counted_together(two: Two) -> None:
    async def begin(server: Strict, address: str = STRUCTURE) -> int:
        answer = await server.send("POST", "/v1/sign-ins", address, json={"phone": new_phone()})
        return answer.status_code

    statuses = [await begin(two[turn % 2]) for turn in range(SIGN_INS + 10)]
    assert statuses == [202] * SIGN_INS + [429] * 10
    assert await begin(two[0], "203.0.113.9") == 202
    two[0].clock.move(3600 / SIGN_INS)
    assert sorted([await begin(server) for server in two]) == [202, 429]


async def test_look_ups_of_unknown_tokens_are_counted_together(
    two: Two, make_worker: MakeWorker
) -> None:
    """Five a second of a network that has nothing left, and not five of each process."""
    workers = [await make_worker() for _ in range(20)]
    while 401 in [await server.refused() for server in two]:
        pass
    answers = [
        await two[turn % 2].send("GET", "/v1/grants", STRUCTURE, headers=worker.headers)
        for turn, worker in enumerate(workers)
    ]
    assert [answer.status_code for answer in answers].count(200) == 5


async def test_a_bucket_that_is_empty_is_not_asked_for_again(two: Two) -> None:
    """A flood that is answered 429 costs the database nothing."""
    while 401 in [await server.refused() for server in two]:
        pass
    async with two[0].services.database.transaction() as tx:
        before = (await tx.execute(select(RateBucket.__table__))).all()
        version = text("SELECT max(xmin::text::bigint) FROM unefois.rate_bucket")
        written = (await tx.execute(version)).scalar_one()
    for server in two:
        assert {await server.refused() for _ in range(50)} == {429}
    async with two[0].services.database.transaction() as tx:
        assert (await tx.execute(select(RateBucket.__table__))).all() == before
        assert (await tx.execute(version)).scalar_one() == written


async def test_what_succeeds_writes_nothing(
    strict: Strict, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """A known account's reads, 16 at once: the first takes ahead, the others take of that."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(strict.client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents"

    async def read() -> int:
        return (await strict.send("GET", path, STRUCTURE, headers=worker.headers)).status_code

    assert {await read() for _ in range(3)} == {200}
    version = text("SELECT max(xmin::text::bigint) FROM unefois.rate_bucket")
    async with strict.services.database.transaction() as tx:
        written = (await tx.execute(version)).scalar_one()
    assert set(await asyncio.gather(*(read() for _ in range(16)))) == {200}
    async with strict.services.database.transaction() as tx:
        assert (await tx.execute(version)).scalar_one() == written


async def test_a_thief_of_the_database_reads_no_address_and_no_account(
    two: Two, make_worker: MakeWorker
) -> None:
    """Keyed tags, another one for each kind of count; and they go once the bucket is full."""
    worker = await make_worker()
    for _ in range(2):  # as a stranger, then as an account
        await known(two, worker)
    await two[1].send("POST", "/v1/sign-ins", STRUCTURE, json={"phone": new_phone()})
    async with two[0].services.database.transaction() as tx:
        rows = (await tx.execute(select(RateBucket.__table__))).all()
    assert len(rows) == 3  # the network's failures, its sign-ins, the account
    for row in rows:
        assert len(row.key) == 32
        for clear in (STRUCTURE.encode(), worker.id.bytes, worker.organisation_id.bytes):
            assert clear not in row.key
    two[0].clock.move(3600)
    assert await delete_full_buckets(two[0].services) == 3
    async with two[0].services.database.transaction() as tx:
        assert (await tx.execute(select(RateBucket.__table__))).all() == []


async def test_a_clock_that_went_ahead_and_back_bars_nobody(two: Two) -> None:
    """Two days ahead and back: what was counted then is forgotten, and counting goes on."""
    two[0].clock.move(2 * 86400)
    while 401 in [await server.refused() for server in two]:
        pass
    two[0].clock.move(-2 * 86400)
    for server in two:  # the clock of a process never jumps
        server.app.state.failures._networks._buckets.clear()
    statuses = [await two[0].refused() for _ in range(AT_ONCE + 5)]
    assert statuses == [401] * AT_ONCE + [429] * 5


async def test_the_token_endpoint_is_the_same_everywhere(two: Two) -> None:
    """The answers of both say the same, and nothing of how full a bucket is."""
    while 401 in [await server.refused() for server in two]:
        pass
    answers = [await server.send("POST", "/oauth/token", STRUCTURE, data=REFUSED) for server in two]
    for answer in answers:
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "60"
        assert not [name for name in answer.headers if name.startswith("ratelimit")]
