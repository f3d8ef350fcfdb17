"""One printed page at a time for each account, in each process: whoever asks for a hundred keeps
nobody else waiting, and what waits was not read yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from web.http.dependencies import Caller
from web.printouts.typesetter import QUEUE_SECONDS, busy

_turns: "WeakValueDictionary[UUID, asyncio.Lock]" = WeakValueDictionary()


@asynccontextmanager
async def in_turn(caller: Caller, *, patience: float = QUEUE_SECONDS) -> AsyncIterator[None]:
    """The account's turn to read what is printed, and to print it. Raises `ServiceError`
    `unavailable` when it does not come within `patience` seconds."""
    turn = _turns.setdefault(caller.party.id, asyncio.Lock())
    try:
        async with asyncio.timeout(patience):
            await turn.acquire()
    except TimeoutError:
        raise busy() from None
    try:
        yield
    finally:
        turn.release()
