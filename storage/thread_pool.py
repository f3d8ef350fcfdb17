"""A few threads for storage's calls that block, and what is owed to a caller who is cancelled.

For calls made by requests: files of the directory store, S3, AWS KMS. What happens once in a while
(a new root version, a backup) goes to `asyncio.to_thread`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool:
    """At most `size` blocking calls at once; the others wait their turn.

    A call that raises one of `errors` raises `convert_error` of it instead: the error that the
    contract of the store or of the provider names. Other exceptions pass as they are.
    """

    def __init__(
        self,
        size: int,
        name: str,
        *,
        errors: tuple[type[Exception], ...],
        convert_error: Callable[[Exception], Exception],
    ) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._errors = errors
        self._convert_error = convert_error

    def run_here(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on the caller's own thread, errors converted.

        The converted error is raised once the original is out of scope, so that it does not
        travel along as a context: it names addresses and paths.
        """
        try:
            return call(*args, **kwargs)
        except self._errors as error:
            converted = self._convert_error(error)
        raise converted

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that shares nothing with its caller: cancelled, it is left to end alone."""
        return await asyncio.wrap_future(
            self._pool.submit(lambda: self.run_here(call, *args, **kwargs))
        )

    async def run_to_end(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that uses the caller's buffer or state: never outlived by its caller.

        A thread cannot be stopped. A cancellation is therefore raised only once the call has
        ended; otherwise it would go on filling a buffer that another request already holds, or
        finish an upload after it was abandoned. A call that had not begun is not made.
        """
        thread = self._pool.submit(lambda: self.run_here(call, *args, **kwargs))
        future = asyncio.wrap_future(thread)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not thread.cancel():
                await _ended(future)
            raise

    async def clean_up(self, call: Callable[[], None]) -> None:
        """As `run_to_end`, for what must be undone: carried out even if it had not begun."""
        future = asyncio.wrap_future(self._pool.submit(lambda: self.run_here(call)))
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
