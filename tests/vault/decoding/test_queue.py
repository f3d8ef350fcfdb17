"""Whose turn it is: by account, size and age; bounded; whoever goes away leaves no slot taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from base.errors import ErrorKind, ServiceError
from vault.decoding.queue import BYTES_A_SECOND, DecodingQueue

A, B, C = (UUID(int=number) for number in (1, 2, 3))
MIB = 1024 * 1024


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Room:
    """A queue in use: who holds a slot, in the order in which they got one."""

    def __init__(self, slots: int, *, waiting: int = 64, each: int = 4) -> None:
        self.clock = Clock()
        self.queue = DecodingQueue(slots, waiting=waiting, waiting_each=each, clock=self.clock)
        self.order: list[str] = []
        self.inside: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str, account: UUID, cost: int = 0) -> None:
        """Someone comes; returns once they hold a slot, wait, or were refused."""
        self.clock.now += 0.01
        self.tasks[name] = asyncio.create_task(self._stay(name, account, cost))
        await settled()

    async def _stay(self, name: str, account: UUID, cost: int) -> None:
        async with self.queue.slot(account, cost):
            self.order.append(name)
            self.inside[name] = asyncio.Event()
            await self.inside[name].wait()
        del self.inside[name]

    async def leave(self, name: str) -> None:
        self.clock.now += 0.01
        self.inside[name].set()
        await settled()

    async def drain(self) -> list[str]:
        """Everyone leaves, the first first; the whole order."""
        while self.inside:
            await self.leave(next(iter(self.inside)))
        return self.order


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def room(slots: int, *, waiting: int = 64, each: int = 4) -> AsyncIterator[Room]:
    made = Room(slots, waiting=waiting, each=each)
    yield made
    await made.drain()
    assert made.queue._free == slots
    assert not (made.queue._busy or made.queue._waiting or made.queue._served)


async def test_one_account_never_holds_two_slots() -> None:
    async with room(2) as here:
        for number in range(4):
            await here.come(f"a{number}", A)
        assert here.order == ["a0"]
        await here.come("b", B)
        assert here.order == ["a0", "b"], "the other account finds its slot free"
        await here.leave("b")
        assert here.order == ["a0", "b"]
        await here.leave("a0")
        assert here.order == ["a0", "b", "a1"]


async def test_with_one_slot_accounts_take_turns() -> None:
    async with room(1) as here:
        for name, account in (("a0", A), ("a1", A), ("a2", A), ("b0", B), ("b1", B), ("c", C)):
            await here.come(name, account)
            here.clock.now += 0.1
        while here.inside:
            here.clock.now += 1
            await here.leave(next(iter(here.inside)))
        assert here.order == ["a0", "b0", "c", "a1", "b1", "a2"]


async def test_the_shortest_goes_first_and_a_large_one_not_last_for_ever() -> None:
    async with room(1) as here:
        await here.come("first", A)
        await here.come("large", B, 50 * MIB)
        await here.come("small", C, MIB)
        here.clock.now += 50 * MIB / BYTES_A_SECOND
        await here.come("late", UUID(int=4), MIB)
        assert await here.drain() == ["first", "small", "large", "late"]


async def test_of_one_account_the_shortest_goes_first() -> None:
    async with room(2) as here:
        await here.come("first", A)
        await here.come("large", A, 40 * MIB)
        await here.come("small", A, MIB)
        assert await here.drain() == ["first", "small", "large"]


async def test_an_account_with_too_many_waiting_is_refused_alone() -> None:
    async with room(1, waiting=4, each=2) as here:
        await here.come("first", A)
        for number in range(3):
            await here.come(f"a{number}", A)
        refused = here.tasks["a2"].exception()
        assert isinstance(refused, ServiceError)
        assert (refused.kind, refused.code) == (ErrorKind.TOO_MANY, "too_many_at_once")
        assert refused.retry_after == 5
        await here.come("b0", B)
        await here.come("b1", B)
        await here.come("c", C)
        refused = here.tasks["c"].exception()
        assert isinstance(refused, ServiceError)
        assert (refused.kind, refused.code) == (ErrorKind.UNAVAILABLE, "decoder_busy")
        assert await here.drain() == ["first", "b0", "a0", "b1", "a1"]


async def test_whoever_goes_away_while_waiting_takes_nobodys_turn() -> None:
    async with room(1) as here:
        for name, account in (("a", A), ("b", B), ("c", C)):
            await here.come(name, account)
        here.tasks["b"].cancel()
        with pytest.raises(asyncio.CancelledError):
            await here.tasks["b"]
        assert await here.drain() == ["a", "c"]


async def test_whoever_goes_away_as_their_turn_comes_hands_it_on() -> None:
    async with room(1) as here:
        for name, account in (("a", A), ("b", B), ("c", C)):
            await here.come(name, account)
        here.inside["a"].set()
        await asyncio.sleep(0)
        assert not here.queue._waiting.get(B)
        here.tasks["b"].cancel()  # it was given the slot, and did not run since
        with pytest.raises(asyncio.CancelledError):
            await here.tasks["b"]
        await settled()
        assert here.order == ["a", "c"]


async def test_whoever_goes_away_just_before_their_turn_is_passed_over() -> None:
    async with room(1) as here:
        for name, account in (("a", A), ("b", B), ("c", C)):
            await here.come(name, account)
        here.tasks["b"].cancel()
        here.inside["a"].set()  # both in one step of the loop
        await settled()
        assert here.order == ["a", "c"]


async def test_an_error_inside_gives_the_slot_back() -> None:
    async with room(1) as here:
        with pytest.raises(ZeroDivisionError):
            async with here.queue.slot(A, 1):
                raise ZeroDivisionError
        await here.come("b", B)
        assert here.order == ["b"]
