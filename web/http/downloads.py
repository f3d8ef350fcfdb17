"""Sending content whose opening is recorded and committed, in slices; how it ended is noted.

`attachment`, `nosniff` and a sandbox policy: no browser runs the bytes, whatever they are.
"""

import asyncio
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from auth.bearer import unauthenticated
from base import clock
from base.errors import ErrorKind, ServiceError
from vault.documents.retrieval import Download, note_end
from vault.revocations import Watch
from vault.services import Services
from web.http.methods import HEAD
from web.http.ranges import parse_range

_EXTENSIONS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/heif": "heif",
    "image/tiff": "tif",
}
_DAY = 86_400.0
_ONE_SLICE = 64 * 1024
"""Bytes sent as one slice: the client cannot disconnect in the middle of them."""


Disconnect = asyncio.Task[None] | None
"""Done once the client has disconnected; None where that is not watched."""


class ContentResponse(Response):
    """One download. If its grant or its session ends meanwhile, it is cut within a second.

    `range_header` is None without one. Raises what `ranges.parse_range` does.
    """

    def __init__(
        self,
        services: Services,
        stream: Download,
        range_header: str | None,
        *,
        inline: bool = False,
    ) -> None:
        self._services = services
        self._stream = stream
        try:
            part = parse_range(range_header, stream.length)
        except ServiceError:
            # Already recorded as allowed, and nothing of it is sent.
            note_end(services, stream.line, completed=False)
            raise
        self._start, self._stop = part or (0, stream.length)
        self._started = False
        self.background = None
        self.body = b""
        self.status_code = 200 if part is None else 206
        self.init_headers(self._response_headers(part, inline=inline))

    def _response_headers(self, part: tuple[int, int] | None, *, inline: bool) -> dict[str, str]:
        stream = self._stream
        headers = {
            "content-type": stream.media_type,
            "content-length": str(self._stop - self._start),
            "content-disposition": disposition(stream, inline=inline),
            "content-security-policy": "sandbox; default-src 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "accept-ranges": "bytes",
            "etag": f'"{stream.etag}"',
        }
        if part is not None:
            headers["content-range"] = f"bytes {self._start}-{self._stop - 1}/{stream.length}"
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it; stop when the watch is stopped or the client has disconnected.

        For HEAD, the head alone: nothing is opened, and the log, which has the access like any
        other, says that the content was not delivered."""
        if HEAD in scope:
            note_end(self._services, self._stream.line, completed=False)
            await self._start_response(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        watched = self._stop - self._start > _ONE_SLICE
        with _await_disconnect(receive) if watched else nullcontext() as disconnect:
            await self._send_watched(send, disconnect)

    async def _send_watched(self, send: Send, disconnect: Disconnect) -> None:
        watched = self._stream.watched
        if not watched.ids():
            await self._send(send, None, disconnect)
            return
        with self._services.revocations.watching(watched, self._stream.line.judged_at) as watch:
            timer = self._stop_at_expiry(watch)
            try:
                await self._send(send, watch, disconnect)
            except asyncio.CancelledError:
                if not watch.stopped:
                    raise
                task = asyncio.current_task()
                if task is not None:
                    task.uncancel()
            finally:
                if timer is not None:
                    timer.cancel()
        # Once started, the connection closes before its announced length, which every client reads
        # as a failure; before that, an error can still be answered.
        if watch.stopped and not self._started:
            raise self._failure_of(watch)

    async def _send(self, send: Send, watch: Watch | None, disconnect: Disconnect) -> None:
        completed = False
        try:
            completed = await self._send_slices(send, watch, disconnect)
        finally:
            note_end(self._services, self._stream.line, completed=completed)

    async def _send_slices(self, send: Send, watch: Watch | None, disconnect: Disconnect) -> bool:
        remaining = self._stop - self._start
        async for piece in self._stream.content.slices(self._start, self._stop):
            if (watch is not None and watch.stopped) or (
                disconnect is not None and disconnect.done()
            ):
                return False
            if not self._started:
                await self._start_response(send)
            remaining -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": remaining > 0})
        if not self._started:
            await self._start_response(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        return remaining == 0

    async def _start_response(self, send: Send) -> None:
        """Not before the first slice is ready: a failure to open is answered as a problem."""
        self._started = True
        start: Message = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)

    def _failure_of(self, watch: Watch) -> ServiceError:
        """The error when the grant or the session ended after it was judged and before the first
        byte."""
        if watch.ended is not None:
            if watch.ended == self._stream.watched.session:
                return unauthenticated()
            return ServiceError(ErrorKind.REFUSED, "grant_revoked")
        left = self._stream.seconds_left
        if left is not None and clock.monotonic() - self._stream.line.judged_at >= left:
            return ServiceError(ErrorKind.REFUSED, "grant_expired")
        # Nobody listened for revocations: the grant may well live.
        return ServiceError(ErrorKind.UNAVAILABLE, "unavailable", retry_after=5)

    def _stop_at_expiry(self, watch: Watch) -> asyncio.TimerHandle | None:
        """Stop the download at the instant the grant ends, if that is within a day."""
        left = self._stream.seconds_left
        if left is None or left > _DAY:
            return None
        return asyncio.get_running_loop().call_later(max(left, 0.0), watch.stop)


@contextmanager
def _await_disconnect(receive: Receive) -> Iterator["asyncio.Task[None]"]:
    """A task that is done once the client has disconnected: the server silently drops what is sent
    after that, and the log would record a complete download."""

    async def received() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(received())
    try:
        yield task
    finally:
        task.cancel()


def disposition(stream: Download, *, inline: bool = False) -> str:
    """`attachment` with a safe name: the owner's own, or the type's (RFC 6266)."""
    name = stream.file_name or f"{stream.type_code}.{_EXTENSIONS.get(stream.media_type, 'bin')}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = "".join(c if c.isalnum() or c in "._- " else "_" for c in plain) or "document"
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
