"""A client that reads an answer slowly, as a phone with a weak signal does."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.servers.networks import Network

PIECE = 64 * 1024


@dataclass(frozen=True)
class Calling:
    """Whoever calls with these headers."""

    headers: dict[str, str]


class SlowReader:
    """Reads 64 KiB every `pause` seconds. `trust` is for an address that begins with https,
    `within` for one of another network."""

    def __init__(
        self,
        base_url: str,
        path: str,
        headers: dict[str, str],
        *,
        pause: float = 0.05,
        trust: ssl.SSLContext | None = None,
        within: Network | None = None,
    ) -> None:
        self._at = urlsplit(base_url)
        self._path, self._trust, self._within = path, trust, within
        self._authorization = headers["Authorization"]
        self.pause = pause
        self.length = 0
        self.taken = 0
        self.ended_at = 0.0

    async def run(self) -> None:
        """Read until the server ends the answer, complete or not."""
        reader, writer = await self._connect()
        try:
            await self._read(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass  # cut: the answer ended like this
        finally:
            self.ended_at = time.monotonic()
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        made = self._within.connection() if self._within else socket.socket()
        # Else the system takes several MiB in for a reader that comes late, as no network would.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, PIECE)
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", self._at.port))
        name = self._at.hostname if self._trust else None
        return await asyncio.open_connection(
            sock=made, limit=PIECE, ssl=self._trust, server_hostname=name
        )

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"GET {self._path} HTTP/1.1", "Host: localhost"]
        lines.append(f"Authorization: {self._authorization}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200 " in head.split(b"\r\n")[0]
        self.length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        due = time.monotonic()
        while self.taken < self.length and (piece := await reader.read(PIECE)):
            self.taken += len(piece)
            # A machine under load reads later, and then catches up: the pace stays the same.
            due += self.pause * len(piece) / PIECE
            await asyncio.sleep(due - time.monotonic())
