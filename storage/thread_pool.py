"""A pool of threads for storage's blocking calls, safe when the caller is cancelled.

For calls made by requests: files of the directory store, S3, AWS KMS. Rare calls (changing
the keyring file, a backup) use `asyncio.to_thread`.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from base import clock

P = ParamSpec("P")
T = TypeVar("T")


def _ignore(error: Exception) -> None:
    del error


def _nothing() -> None: ...


class ThreadPool:
    """At most `size` blocking calls at once; further calls wait.

    When a call raises one of `errors`, the result of `convert_error` is raised instead: an error of
    the store's or the provider's contract. Other exceptions are not changed. `failed` is called
    with what is raised, `answered` after a call that went well; neither for what only cleans up.

    A call that found no free thread for `queue_seconds` is not made: `TimeoutError`, converted.
    """

    def __init__(
        self,
        size: int,
        name: str,
        *,
        errors: tuple[type[Exception], ...],
        convert_error: Callable[[Exception], Exception],
        failed: Callable[[Exception], None] = _ignore,
        answered: Callable[[], None] = _nothing,
        queue_seconds: float = float("inf"),
    ) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._errors = errors
        self._convert_error = convert_error
        self._failed, self._answered = failed, answered
        self._queue_seconds = queue_seconds

    def run_here(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call on the caller's thread, with errors converted.

        The converted error is raised once the original is out of scope, so that the original, which
        contains addresses and paths, does not become its context.
        """
        try:
            result = self._converted(call, *args, **kwargs)
        except Exception as error:
            self._failed(error)
            raise
        self._answered()
        return result

    def _converted(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except self._errors as error:
            converted = self._convert_error(error)
        raise converted

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that shares nothing with its caller; if cancelled, it ends by itself."""
        return await asyncio.wrap_future(self._submit(call, *args, **kwargs))

    async def run_to_end(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """For a call that uses the caller's buffer or state: it always ends before its caller.

        A thread cannot be stopped. A cancellation is therefore raised only once the call has
        ended; otherwise the call could fill a buffer that another request already uses, or finish
        an upload that was abandoned. A call that has not started is not made.
        """
        thread = self._submit(call, *args, **kwargs)
        future = asyncio.wrap_future(thread)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not thread.cancel():
                await _ended(future)
            raise

    async def clean_up(self, call: Callable[[], None]) -> None:
        """`run_to_end` for cleaning up: the call is made even if it had not started."""
        future = asyncio.wrap_future(self._pool.submit(lambda: self._converted(call)))
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            await _ended(future)
            raise

    def _submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        submitted = clock.monotonic()

        def made() -> T:
            if clock.monotonic() - submitted > self._queue_seconds:
                raise TimeoutError("no thread was free")
            return call(*args, **kwargs)

        return self._pool.submit(lambda: self.run_here(made))

    def close(self) -> None:
        """Wait for the running calls, and end the threads."""
        self._pool.shutdown()


async def _ended(future: asyncio.Future[T]) -> None:
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            continue  # the caller is being cancelled already and raises once this has ended
    if not future.cancelled():
        future.exception()
