"""Sending content whose opening is recorded and committed: by slices, watched, with its end noted.

`attachment`, `nosniff` and a sandboxing policy: whatever the bytes are, no browser runs them.
"""

import asyncio
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from base import clock
from base.errors import ErrorKind, ServiceError
from vault.documents.retrieval import Download
from vault.revocations import Watch
from vault.services import Services
from web.http.ranges import wanted

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
_SMALL = 64 * 1024
"""Bytes that leave in one slice: nobody can hang up in their middle."""


Hearing = asyncio.Task[None] | None
"""Done once the reader hung up; None where nobody listens for that."""


class ContentResponse(Response):
    """One stream on its way out. A grant revoked or expired meanwhile cuts it within a second.

    `asked` is the `Range` header, if there is one. Raises what `ranges.wanted` does.
    """

    def __init__(
        self, services: Services, stream: Download, asked: str | None, *, inline: bool = False
    ) -> None:
        self._services = services
        self._stream = stream
        try:
            part = wanted(asked, stream.length)
        except ServiceError:
            # Recorded as allowed already, and nothing of it leaves.
            services.delivery_status.note(stream.event_id, completed=False)
            raise
        self._start, self._stop = part or (0, stream.length)
        self._begun = False
        self.background = None
        self.body = b""
        self.status_code = 200 if part is None else 206
        self.init_headers(self._told(part, inline=inline))

    def _told(self, part: tuple[int, int] | None, *, inline: bool) -> dict[str, str]:
        stream = self._stream
        headers = {
            "content-type": stream.media_type,
            "content-length": str(self._stop - self._start),
            "content-disposition": disposition(stream, inline=inline),
            "content-security-policy": "sandbox; default-src 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "accept-ranges": "bytes",
            "etag": f'"{stream.version_id}"',
        }
        if part is not None:
            headers["content-range"] = f"bytes {self._start}-{self._stop - 1}/{stream.length}"
        return headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it all, or stop where the watch says so, or where nobody reads any more."""
        with _hearing(receive) if self._stop - self._start > _SMALL else nullcontext() as gone:
            await self._watched(send, gone)

    async def _watched(self, send: Send, gone: Hearing) -> None:
        grant_id = self._stream.grant_id
        if grant_id is None:
            await self._send(send, None, gone)
            return
        with self._services.revocations.watching(grant_id, self._stream.judged_at) as watch:
            timer = self._at_its_end(watch)
            try:
                await self._send(send, watch, gone)
            except asyncio.CancelledError:
                if not watch.stopped:
                    raise
                task = asyncio.current_task()
                if task is not None:
                    task.uncancel()
            finally:
                if timer is not None:
                    timer.cancel()
        # Begun, the connection closes short of its announced length, which every client reads as a
        # failure; not begun, there is still somebody to tell.
        if watch.stopped and not self._begun:
            raise self._ended()

    async def _send(self, send: Send, watch: Watch | None, gone: Hearing) -> None:
        whole = False
        try:
            whole = await self._send_slices(send, watch, gone)
        finally:
            self._services.delivery_status.note(self._stream.event_id, completed=whole)

    async def _send_slices(self, send: Send, watch: Watch | None, gone: Hearing) -> bool:
        left = self._stop - self._start
        async for piece in self._stream.content.slices(self._start, self._stop):
            if (watch is not None and watch.stopped) or (gone is not None and gone.done()):
                return False
            if not self._begun:
                await self._begin(send)
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        if not self._begun:
            await self._begin(send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        return left == 0

    async def _begin(self, send: Send) -> None:
        """Not before the first slice is at hand: what does not open is still told as a problem."""
        self._begun = True
        start: Message = {
            "type": "http.response.start",
            "status": self.status_code,
            "headers": self.raw_headers,
        }
        await send(start)

    def _ended(self) -> ServiceError:
        """Why nothing was sent, when the grant ended between its judgement and the first byte."""
        left = self._stream.seconds_left
        over = left is not None and clock.monotonic() - self._stream.judged_at >= left
        return ServiceError(ErrorKind.REFUSED, "grant_expired" if over else "grant_revoked")

    def _at_its_end(self, watch: Watch) -> asyncio.TimerHandle | None:
        """Wake the stream at the instant the grant ends, if that is soon."""
        left = self._stream.seconds_left
        if left is None or left > _DAY:
            return None
        return asyncio.get_running_loop().call_later(max(left, 0.0), watch.stop)


@contextmanager
def _hearing(receive: Receive) -> Iterator["asyncio.Task[None]"]:
    """A task that is done once the reader hung up: the server takes what is sent to nobody
    without a word, and the log would say that it was sent whole."""

    async def hung_up() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(hung_up())
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
