"""The body of a request, which nobody goes on sending once the session that sends it has ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from auth.bearer import unauthenticated
from auth.subjects import Person
from base import clock
from base.errors import ErrorKind, ServiceError
from base.tasks import end
from vault.revocations import Watch, Watched
from vault.services import Services


class SessionBody:
    """The bytes of one request of a person, watched as a download is. What is done with them is not
    interrupted: they stop coming, as if the connection were cut."""

    def __init__(self, request: Request, services: Services, person: Person) -> None:
        self._stream = request.stream()
        self._revocations = services.revocations
        self._watched = Watched(None, person.session_id)
        self._judged_at = clock.monotonic()
        self._over: asyncio.Task[None] | None = None
        self._watch: Watch | None = None

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch the session, if there is one, while the body is read."""
        if not self._watched.ids():
            yield
            return
        self._over = asyncio.create_task(self._wait_for_end(), name="session-body")
        try:
            yield
        finally:
            await end(self._over)

    async def slices(self) -> AsyncIterator[bytes]:
        """Its bytes as they come. Raises `ClientDisconnect` at the end of the connection or of the
        session."""
        while True:
            piece = await self._next()
            if piece is None:
                return
            yield piece

    def failure(self) -> ServiceError | None:
        """Why the body was cut, if it was not the connection."""
        if self._watch is None or not self._watch.stopped:
            return None
        if self._watch.ended is not None:
            return unauthenticated()
        # Nobody listened for ends of sessions: this one may well live.
        return ServiceError(ErrorKind.UNAVAILABLE, "unavailable", retry_after=5)

    async def _next(self) -> bytes | None:
        if self._over is None:
            return await anext(self._stream, None)
        coming = asyncio.create_task(_of(self._stream))
        try:
            await asyncio.wait((coming, self._over), return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                raise ClientDisconnect
            return coming.result()
        finally:
            await end(coming)

    async def _wait_for_end(self) -> None:
        """Done once the session is over; the watch wakes this task, and not the one that keeps what
        came."""
        with self._revocations.watching(self._watched, self._judged_at) as watch:
            self._watch = watch
            while not watch.stopped:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if not watch.stopped:
                        raise


async def _of(stream: AsyncIterator[bytes]) -> bytes | None:
    return await anext(stream, None)
