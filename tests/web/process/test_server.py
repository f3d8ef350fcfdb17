"""The server's sockets."""

import asyncio
import socket
from contextlib import closing

from web.process.server import SEND_BUFFER, listen


async def test_an_accepted_connection_does_not_wait_to_fill_its_packets() -> None:
    delays: asyncio.Queue[int] = asyncio.Queue()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        delays.put_nowait(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            with closing(writer):
                async with asyncio.timeout(10):
                    assert await delays.get() == 1


async def test_what_waits_for_a_slow_reader_stays_small() -> None:
    """Linux keeps twice what it is told, for its own records."""
    sizes: asyncio.Queue[int] = asyncio.Queue()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        sizes.put_nowait(connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF))
        writer.close()

    with listen("127.0.0.1", 0) as listener:
        async with await asyncio.start_server(accepted, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            with closing(writer):
                async with asyncio.timeout(10):
                    assert await sizes.get() == 2 * SEND_BUFFER
