"""Who gets a decoding slot next: one an account at a time, short files first, nobody for ever last.

An account that sends a hundred files that are slow to read keeps one slot busy, and makes only
itself wait: as long as there are two slots, others find one free; with one slot, accounts take
turns.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from base.errors import ErrorKind, ServiceError

BYTES_A_SECOND = 5 * 1024 * 1024
"""A file is passed by smaller ones that come later by so much: 50 MiB by 10 seconds, no more."""
_RETRY_AFTER = 5


@dataclass(slots=True, eq=False)
class _Waiting:
    """A file that waits: since when, its size in bytes, and what is told when its turn has come."""

    account: UUID
    since: float
    cost: int
    turn: "asyncio.Future[None]" = field(repr=False)


class DecodingQueue:
    """The slots of one process. For one event loop.

    `waiting` files may wait in all, and `waiting_each` of one account: one more is refused.
    """

    def __init__(
        self,
        slots: int,
        *,
        waiting: int,
        waiting_each: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = slots
        self._most, self._most_each = waiting, waiting_each
        self._clock = clock
        self._busy: set[UUID] = set()
        self._waiting: dict[UUID, list[_Waiting]] = {}
        self._served: dict[UUID, float] = {}

    @asynccontextmanager
    async def slot(self, account: UUID, cost: int) -> AsyncIterator[None]:
        """A slot for a file of `cost` bytes, when its turn comes.

        Raises `ServiceError`: "too_many_at_once" (TOO_MANY) when the account has too many waiting,
        "decoder_busy" (UNAVAILABLE) when all together have.
        """
        if self._free and account not in self._busy:
            self._give(account)  # whoever waits here waits for a slot of their own account
        else:
            await self._wait(account, cost)
        try:
            yield
        finally:
            self._release(account)

    async def _wait(self, account: UUID, cost: int) -> None:
        own = self._waiting.get(account, [])
        if len(own) >= self._most_each:
            raise ServiceError(ErrorKind.TOO_MANY, "too_many_at_once", retry_after=_RETRY_AFTER)
        if sum(map(len, self._waiting.values())) >= self._most:
            raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_busy", retry_after=_RETRY_AFTER)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(account, self._clock(), cost, turn)
        self._waiting.setdefault(account, []).append(waiting)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(account)  # its turn came in the moment of the cancellation
            else:
                self._leave(waiting)
            raise

    def _give(self, account: UUID) -> None:
        self._free -= 1
        self._busy.add(account)

    def _release(self, account: UUID) -> None:
        self._free += 1
        self._busy.discard(account)
        if account in self._waiting:
            self._served[account] = self._clock()
        self._call()

    def _call(self) -> None:
        """Give the free slots to those whose turn it is."""
        while self._free:
            first = min(self._eligible(), key=self._place, default=None)
            if first is None:
                return
            self._leave(first)
            self._give(first.account)
            first.turn.set_result(None)

    def _eligible(self) -> Iterator[_Waiting]:
        """The files of accounts that hold no slot, in the order in which they came; not those whose
        caller went away in this very moment."""
        for account, files in self._waiting.items():
            if account not in self._busy:
                yield from (file for file in files if not file.turn.done())

    def _place(self, file: _Waiting) -> float:
        """The least is first. A file counts as having come when its account was last served, at the
        earliest: of two accounts, the one that was not served since comes first."""
        came = max(file.since, self._served.get(file.account, file.since))
        return came + file.cost / BYTES_A_SECOND

    def _leave(self, file: _Waiting) -> None:
        files = self._waiting[file.account]
        files.remove(file)
        if not files:
            del self._waiting[file.account]
            self._served.pop(file.account, None)
