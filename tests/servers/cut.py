"""A TCP relay that cuts chosen requests before or after the server did its work."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class Cut(StrEnum):
    """Where a request is cut."""

    BEFORE = "never reaches the server"
    AFTER = "is done by the server, and its answer is lost"
    BODY = "is answered, and the answer is cut in its middle"
    ERROR = "is answered 503 in place of the server"
    HUNG = "is swallowed, and the connection stays open"
    HUNG_BODY = "is answered, and the answer stops in its middle for ever"


@dataclass
class Wire:
    """The relay: `endpoint_url` to use, and what to break.

    `pattern` is matched against the request line (`PUT /bucket/key?partNumber=1 HTTP/1.1`);
    the next `times` requests that match are broken as `cut` says. `seen` lists request lines,
    `carried` counts the bytes of the answers.
    """

    endpoint_url: str
    pattern: str = "(?!)"
    cut: Cut = Cut.BEFORE
    times: int = 0
    seen: list[str] = field(default_factory=list)
    carried: int = 0

    def break_next(self, pattern: str, cut: Cut, times: int) -> None:
        """Break the next `times` requests whose first line holds the expression `pattern`."""
        self.pattern, self.cut, self.times = pattern, cut, times

    def break_from(self, pattern: str, cut: Cut) -> None:
        """Break the first request that matches, and every request after it."""
        self.pattern, self.cut, self.times = pattern, cut, -1

    def judge(self, line: str) -> Cut | None:
        """Decide where to cut this request."""
        self.seen.append(line)
        if self.times == 0 or not re.search(self.pattern, line):
            return None
        if self.times < 0:
            self.pattern = ""
        else:
            self.times -= 1
        return self.cut


@asynccontextmanager
async def relay(to: str) -> AsyncIterator[Wire]:
    """Relay a free port of loopback to the HTTP server at the address `to`."""
    target = urlsplit(to)
    wire = Wire("")

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, out = await asyncio.open_connection(target.hostname, target.port)
        link = _Link(wire)
        pumps = [
            asyncio.create_task(_pump(client, out, lambda chunk: link.asked(chunk, back))),
            asyncio.create_task(_pump(server, back, link.answered)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in (out, back):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire.endpoint_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        listener.close()


class _Link:
    """One connection, and where to cut the request it carries."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._cut: Cut | None = None

    def asked(self, chunk: bytes, back: asyncio.StreamWriter) -> tuple[bytes, bool]:
        """The part of a piece of a request to forward, and whether to continue after it."""
        line = re.match(rb"(?:GET|HEAD|PUT|POST|DELETE) [^\r]+ HTTP/1\.1\r\n", chunk)
        if line:
            self._cut = self._wire.judge(line[0].decode().strip())
        if self._cut is Cut.ERROR:
            back.write(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        if self._cut is Cut.HUNG:
            return b"", True
        return (b"", False) if self._cut in {Cut.BEFORE, Cut.ERROR} else (chunk, True)

    def answered(self, chunk: bytes) -> tuple[bytes, bool]:
        """The part of a piece of an answer to forward, and whether to continue after it."""
        self._wire.carried += len(chunk)
        if self._cut is Cut.AFTER and not chunk.startswith(b"HTTP/1.1 100"):
            return b"", False
        if self._cut is Cut.BODY:
            return chunk[: len(chunk) // 2], False
        if self._cut is Cut.HUNG_BODY:
            self._cut = Cut.HUNG  # nothing further of this answer
            return chunk[: len(chunk) // 2], True
        return (b"" if self._cut is Cut.HUNG else chunk), True


async def _pump(
    source: asyncio.StreamReader,
    sink: asyncio.StreamWriter,
    pass_on: Callable[[bytes], tuple[bytes, bool]],
) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            passed, go_on = pass_on(chunk)
            sink.write(passed)
            await sink.drain()
            if not go_on:
                return
