"""What a process holds of the buckets that all share, and the sign-ins of a network."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import text

from auth.rate_buckets import Rate, SharedBuckets, Taken
from base.errors import ServiceError
from tests.attacks.pace import Clock, forget_rates
from tests.steps import until
from vault.services import Services
from web.http.rate_limit import Buckets, SignInRateLimit, network_of


async def test_the_pace_is_of_a_network(services: Services, frozen: Clock) -> None:
    """Two at once, then two an hour; told the same step at any moment."""
    await forget_rates(services)
    two = services.settings.model_copy(update={"sign_ins_per_hour_from_one_address": 2})
    pace = SignInRateLimit(replace(services, settings=two))

    async def take(address: str) -> None:
        await pace.take(network_of(address).encode())

    await take("2001:db8:1:2::1")
    await take("2001:db8:1:2:ffff::1")
    await take("192.0.2.1")
    with pytest.raises(ServiceError) as refused:
        await take("2001:db8:1:2::3")
    assert refused.value.code == "too_many_sign_ins"
    assert refused.value.retry_after == 60
    frozen.move(1799)
    with pytest.raises(ServiceError) as refused:
        await take("2001:db8:1:2::4")
    assert refused.value.retry_after == 60
    frozen.move(2)
    await take("2001:db8:1:2::4")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("nonsense") == network_of("") == "unknown"


@pytest.fixture
def shared(services: Services) -> SharedBuckets:
    return SharedBuckets(services, "network", Rate(20, timedelta(hours=1)))


async def test_what_comes_at_once_asks_once(
    shared: SharedBuckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And while PostgreSQL does not answer, all fail together, and not one after the other."""
    asked, real = [], shared.take

    async def take(name: bytes, wanted: int) -> Taken:
        asked.append(wanted)
        return await real(name, wanted)

    async def lost(name: bytes, wanted: int) -> Taken:
        asked.append(wanted)
        await asyncio.sleep(0.01)
        raise psycopg.OperationalError

    bucket = Buckets(shared).of(uuid4().bytes)
    monkeypatch.setattr(shared, "take", lost)
    failures = await asyncio.gather(*(bucket.take() for _ in range(50)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {psycopg.OperationalError}
    assert asked == [50]
    monkeypatch.setattr(shared, "take", take)
    asked.clear()
    passed = await asyncio.gather(*(bucket.take() for _ in range(50)))
    assert passed.count(True) == 20
    assert asked == [50, 30]
    assert not await bucket.take()
    assert len(asked) == 2  # known to be empty


async def test_whoever_goes_away_takes_nothing_from_the_others(shared: SharedBuckets) -> None:
    bucket = Buckets(shared).of(uuid4().bytes)
    first, *others = [asyncio.create_task(bucket.take()) for _ in range(20)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [True] * 19
    assert await bucket.take()
    assert not await bucket.take()


async def test_what_is_not_spent_goes_back_to_the_other_processes(shared: SharedBuckets) -> None:
    """But for the few that a process keeps."""
    name = uuid4().bytes
    here, there = Buckets(shared).of(name), Buckets(shared).of(name)
    assert await asyncio.gather(*(here.take() for _ in range(20))) == [True] * 20
    assert not await Buckets(shared).of(name).take()
    for _ in range(20):
        here.give_back()
    while here._returning is not None:
        await here._returning
    passed = await asyncio.gather(*(there.take() for _ in range(20)))
    assert passed.count(True) == 19
    assert await here.take()
    assert not await here.take()


async def test_a_statement_that_waited_finds_what_a_later_one_left(
    services: Services, shared: SharedBuckets
) -> None:
    """Of two processes at once, the second in the row may have the earlier time: it does not take
    the bucket that the first has just emptied for a full one."""
    name = uuid4().bytes
    assert (await shared.take(name, 1)).granted == 1
    key = await shared._key(name)
    emptied = text(
        "UPDATE unefois.rate_bucket SET full_at = unefois.now() + interval '20 hours'"
        " WHERE key = :key"
    )
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with services.database.transaction() as tx:
        await tx.execute(text("SELECT FROM unefois.rate_bucket FOR UPDATE"))
        waiting = asyncio.create_task(shared.take(name, 20))

        async def blocked() -> bool:
            async with services.database.transaction() as other:
                return bool((await other.execute(waits)).scalar_one())

        await until(blocked)
        await tx.execute(emptied, {"key": key})
    taken = await waiting
    assert taken.granted == 0
    assert taken.wait == pytest.approx(3600, abs=60)
