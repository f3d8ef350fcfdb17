"""One caller's part of some connections: the rest is for others; who waits too long is told."""

import asyncio
from collections.abc import Awaitable

import psycopg
import pytest

from base import caller_turns
from base.caller_turns import CallerTurns, Turn
from base.connections import caller
from base.errors import ErrorKind, ServiceError
from base.pipeline import Pipeline


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_turns, "BUSY_SECONDS", 0.01)


async def by(name: bytes | None, act: Awaitable[Turn | None]) -> Turn | None:
    """What a request of that caller gets; each runs in a context of its own."""

    async def answer() -> Turn | None:
        caller.set(name)
        return await act

    return await asyncio.create_task(answer())


async def test_two_thirds_are_of_one_caller_and_the_rest_of_others() -> None:
    turns = CallerTurns(6)
    held = [await by(b"a", turns.take()) for _ in range(4)]
    with pytest.raises(ServiceError) as refused:
        await by(b"a", turns.take())
    assert (refused.value.kind, refused.value.code) == (ErrorKind.TOO_MANY, "too_many_requests")
    assert refused.value.retry_after == 1
    assert await by(b"b", turns.take()) is not None
    assert await by(None, turns.take()) is None, "a job waits for nobody"
    assert held[0] is not None
    held[0].give_back()
    assert await by(b"a", turns.take()) is not None


async def test_one_has_a_turn_where_there_is_one_connection() -> None:
    assert await by(b"a", CallerTurns(1).take()) is not None


async def test_a_transaction_inside_another_waits_for_nothing() -> None:
    turns = CallerTurns(1)
    caller.set(b"a")
    for _ in range(2):
        async with turns.turn():
            async with turns.turn():
                assert caller.get() is None
            with pytest.raises(ServiceError):
                await by(b"a", turns.take())
        assert caller.get() == b"a", "it is counted again afterwards"


async def test_a_turn_without_a_connection_is_given_back() -> None:
    pipeline = Pipeline(lambda: "host=/nowhere", 1)
    caller.set(b"a")
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            async with pipeline.transaction():
                pass
        assert caller.get() == b"a"
