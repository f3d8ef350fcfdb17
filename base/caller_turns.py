"""One caller's part of some connections: two thirds at most, or hundreds of requests sent at once
would hold every one, and keep everyone else waiting."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from base.connections import BUSY_SECONDS, caller
from base.errors import ErrorKind, ServiceError


class Turn:
    """That of one transaction, which has a connection meanwhile. A transaction inside it waits for
    nothing: its caller is not named there."""

    __slots__ = ("_name", "_turns")

    def __init__(self, name: bytes, turns: asyncio.Semaphore) -> None:
        self._name = name
        self._turns = turns

    def give_back(self) -> None:
        """The connection is free again."""
        caller.set(self._name)
        self._turns.release()


class CallerTurns:
    """The turns of every caller on as many connections."""

    def __init__(self, connections: int) -> None:
        self._of_one_caller = max(1, connections * 2 // 3)
        self._callers: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()

    async def take(self) -> Turn | None:
        """A turn of the caller's; None where nobody is named. Raises `ServiceError` TOO_MANY
        `too_many_requests` after `BUSY_SECONDS`: the database is as it was."""
        name = caller.get()
        if name is None:
            return None
        turns = self._callers.setdefault(name, asyncio.Semaphore(self._of_one_caller))
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await turns.acquire()
        except TimeoutError:
            raise ServiceError(ErrorKind.TOO_MANY, "too_many_requests", retry_after=1) from None
        caller.set(None)
        return Turn(name, turns)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """`take`, until the end of the block."""
        turn = await self.take()
        try:
            yield
        finally:
            if turn is not None:
                turn.give_back()
