"""A few threads for calls that block, and what a cancelled caller owes them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """At most `most` blocking calls at once; the others wait their turn.

    `errors` are the exceptions that `judged` turns into the contract's; others pass as they are.
    """

    def __init__(
        self,
        most: int,
        name: str,
        errors: tuple[type[Exception], ...],
        judged: Callable[[Exception], Exception],
    ) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._errors = errors
        self._judged = judged

    def here(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on this very thread.

        The contract's error is raised once the original is out of scope, so that it does not
        travel along as a context: it names addresses and paths.
        """
        try:
            return call(*args, **kwargs)
        except self._errors as error:
            problem = self._judged(error)
        raise problem

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that shares nothing with its caller: cancelled, it is left to end alone."""
        return await asyncio.wrap_future(
            self._pool.submit(lambda: self.here(call, *args, **kwargs))
        )

    async def settled(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that uses the caller's buffer or state: never outlived by its caller.

        A thread cannot be stopped. A cancellation is therefore raised only once the call has
        ended; otherwise it would go on filling a buffer that another request already holds, or
        finish an upload after it was abandoned.
        """
        thread = self._pool.submit(lambda: self.here(call, *args, **kwargs))
        future = asyncio.wrap_future(thread)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not thread.cancel():
                await _ended(future)
            raise

    async def tidied(self, call: Callable[[], None]) -> None:
        """For what clears up: `settled`, and carried out even if it had not begun."""
        future = asyncio.wrap_future(self._pool.submit(lambda: self.here(call)))
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            await _ended(future)
            raise

    def close(self) -> None:
        """Wait for the calls under way, and end the threads."""
        self._pool.shutdown()


async def _ended(future: asyncio.Future[T]) -> None:
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            continue  # the caller is being cancelled already and raises once this has ended
    if not future.cancelled():
        future.exception()
