"""A TCP relay that cuts connections in the middle of what is sent, as a bad network does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class CuttingRelay:
    """`to`: the address that new connections are carried to. `cuts`: after how many bytes of
    callers each next cut comes; `at_cut` is called before it, with how many were made.
    """

    to: str
    cuts: list[int]
    at_cut: Callable[[int], object] = lambda _: None
    url: str = ""
    made: int = 0
    _sent: int = field(default=0, repr=False)

    async def carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it or it is cut."""
        target = urlsplit(self.to)
        try:
            server, out = await asyncio.open_connection(target.hostname, target.port)
        except OSError:
            back.transport.abort()
            return
        pumps = [
            asyncio.create_task(self._pump(client, out, cutting=True)),
            asyncio.create_task(self._pump(server, back, cutting=False)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for writer in (out, back):
            writer.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, cutting: bool
    ) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                if cutting and self._is_due(len(chunk)):
                    # Half of it arrives: a request ends anywhere.
                    sink.write(chunk[: len(chunk) // 2])
                    await sink.drain()
                    await asyncio.to_thread(self.at_cut, self.made)
                    return
                sink.write(chunk)
                await sink.drain()

    def _is_due(self, sent: int) -> bool:
        self._sent += sent
        if not self.cuts or self._sent < self.cuts[0]:
            return False
        self._sent = 0
        self.cuts.pop(0)
        self.made += 1
        return True


@asynccontextmanager
async def cutting_relay(relay: CuttingRelay) -> AsyncIterator[CuttingRelay]:
    """Relay a free port of loopback."""
    listener = await asyncio.start_server(relay.carry, "127.0.0.1", 0)
    relay.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        listener.close()
