"""A TCP relay that can refuse connections, or fall silent, as a part that is gone or hung does."""

import asyncio
from contextlib import suppress


class Forwarder:
    """Relays a free port of loopback to `port`: `start()` it first, `stop()` it at the end."""

    def __init__(self, port: int, *, to_host: str = "127.0.0.1") -> None:
        self._to = to_host, port
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._links: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, on the same port each time."""
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections, and cut those that are open."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for link in tuple(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was aborted is closed by the loop's next turns

    def hang(self) -> None:
        """Accept connections and carry nothing, without closing anything."""
        self._flowing.clear()

    def resume(self) -> None:
        """Carry again, and first what was kept back."""
        self._flowing.set()

    async def _accept(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        link = asyncio.ensure_future(self._relay(client, back))
        self._links.add(link)
        link.add_done_callback(self._links.discard)
        with suppress(asyncio.CancelledError):
            await link

    async def _relay(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        out: asyncio.StreamWriter | None = None
        pumps: list[asyncio.Task[None]] = []
        try:
            await self._flowing.wait()
            server, out = await asyncio.open_connection(*self._to)
            pumps = [
                asyncio.ensure_future(self._pump(client, out)),
                asyncio.ensure_future(self._pump(server, back)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the part itself is gone: the caller sees its connection closed
        finally:
            for pump in pumps:
                pump.cancel()
            for writer in (out, back):
                if writer is not None:
                    writer.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                await self._flowing.wait()
                sink.write(chunk)
                await sink.drain()
