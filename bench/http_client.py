"""The client that measures: HTTP/1.1 on raw sockets, persistent connections, a request at a time.

Minimal on purpose: an ordinary client costs more than the servers that it would measure.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

HOST = "127.0.0.1"
_RECEIVED = 256 * 1024


class Connection(asyncio.BufferedProtocol):
    """One connection. `get` gives the status and the body's length; `body`, the bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray(_RECEIVED)
        self._view = memoryview(self._buffer)
        self._head = bytearray()
        self._left: int | None = None
        self._status = 0
        self._length = 0
        self._kept: bytearray | None = None
        self._answer: asyncio.Future[int] | None = None
        self._pause_at: int | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (asyncio's signature)
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self._left is None:
            self._head += self._view[:nbytes]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._read_head(bytes(self._head[:end]).lower())
            body = self._head[end + 4 :]
            self._head.clear()
            self._take(memoryview(body))
        else:
            self._take(self._view[:nbytes])

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("closed short of its length"))

    async def get(self, path: str, *headers: str, keep: bool = False) -> tuple[int, int]:
        """The status, and how many bytes of body came. Raises `ConnectionError`."""
        self._kept = bytearray() if keep else None
        status = await self.send(_request("GET", path, headers))
        return status, self._length

    async def body(self, path: str, *headers: str) -> bytes:
        """The body of a 200."""
        status, _ = await self.get(path, *headers, keep=True)
        assert status == 200, (path, status, self.refusal)
        return bytes(self._kept or b"")

    def send(self, request: bytes) -> "asyncio.Future[int]":
        """Send the bytes of a request; its status, once the answer is complete."""
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._left = None
        self.transport.write(request)
        return self._answer

    def stall_after(self, length: int) -> None:
        """Stop reading once `length` bytes of the next body have come."""
        self._pause_at = length

    @property
    def refusal(self) -> str:
        """The beginning of the last body, where it was a refusal or kept."""
        return bytes(self._kept or b"")[:400].decode(errors="replace")

    @property
    def received(self) -> int:
        """Bytes of the current body that have come."""
        return self._length - (self._left or 0)

    def _read_head(self, head: bytes) -> None:
        self._status = int(head[9:12])
        _, found, rest = head.partition(b"content-length:")
        assert found, head
        self._length = self._left = int(rest.partition(b"\r\n")[0])
        if self._status >= 400:
            self._kept = bytearray()

    def _take(self, body: memoryview) -> None:
        assert self._left is not None
        assert self.transport is not None
        self._left -= len(body)
        if self._kept is not None:
            self._kept += body
        if self._pause_at is not None and self.received >= self._pause_at:
            self.transport.pause_reading()
        if self._left == 0 and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._status)


@asynccontextmanager
async def connect(port: int, count: int) -> AsyncIterator[Sequence[Connection]]:
    """`count` connections to a server on this machine."""
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, HOST, port))[1] for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            assert connection.transport is not None
            connection.transport.abort()


def _request(method: str, path: str, headers: Sequence[str]) -> bytes:
    header_lines = "".join(f"{header}\r\n" for header in headers)
    return f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{header_lines}\r\n".encode()


async def post_file(port: int, path: str, authorization: str, data: bytes, suffix: bytes) -> int:
    """Deposit one file as a form, `suffix` after its bytes; the status."""
    boundary = "bench-7f3a"
    fields = {"type": "payslip"}
    before = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    before += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n"
    )
    after = suffix + f"\r\n--{boundary}--\r\n".encode()
    head = _request(
        "POST",
        path,
        (
            authorization,
            f"Content-Type: multipart/form-data; boundary={boundary}",
            f"Content-Length: {len(before.encode()) + len(data) + len(after)}",
        ),
    )
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(head + before.encode())
        view = memoryview(data)
        for start in range(0, len(view), _RECEIVED):
            writer.write(view[start : start + _RECEIVED])
            await writer.drain()
        writer.write(after)
        await writer.drain()
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()
