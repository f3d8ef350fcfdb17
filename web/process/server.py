"""The HTTP server of one process, without signal handlers: its supervisor has them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from base.networks import Networks
from base.settings import Settings
from web.http.caller_address import CallerAddress
from web.http.http_protocol import BoundedProtocol

GRACE_SECONDS = 8
"""How long a stop waits for what is under way, moving or stalled. A download that is cut is noted
as interrupted, and can be taken up again by range; who stops a process must know when it ends."""
_CUT_SECONDS = 2.0

SEND_BUFFER = 64 * 1024
"""Bytes that wait in the system for a slow reader of one connection (Linux keeps twice as many).
What waits there still arrives after a revocation: by itself the system lets it grow to 4 MiB."""


class Server(uvicorn.Server):
    """Uvicorn without its signal handlers: it would raise SIGTERM again once stopped, and end the
    process before PostgreSQL has stopped."""

    loop: asyncio.AbstractEventLoop | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no handler."""
        yield

    def stop(self, *, now: bool = False) -> None:
        """Finish what is under way within `GRACE_SECONDS`, or drop it. Safe in a signal handler."""
        self.should_exit = True
        if now and not self.force_exit:
            self.force_exit = True
            self.config.timeout_graceful_shutdown = 0
            if self.loop is not None:
                self.loop.call_soon_threadsafe(self._drop)

    async def cut(self) -> None:
        """End what the grace did not: each task notes how its answer ended, and its caller sees the
        end of the connection now, not when the process ends."""
        for connection in tuple(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        if tasks := tuple(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=_CUT_SECONDS)

    def _drop(self) -> None:
        for task in tuple(self.server_state.tasks):
            task.cancel()
        for connection in tuple(self.server_state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio (not uvloop) leaves Nagle's algorithm on for the connections of
    # a socket whose protocol is 0, and each further request of a connection then waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        listener.bind((host, port))
    except BaseException:
        listener.close()
        raise
    return listener


def listen_for_people(settings: Settings) -> socket.socket:
    """The socket of the API and the pages. Raises `OSError`, which says which setting to change."""
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        raise OSError(
            f"the service cannot listen there ({error.strerror}): change UNEFOIS_HOST or"
            " UNEFOIS_PORT"
        ) from None


def url_of(listener: socket.socket) -> str:
    """Where a bound socket is reached from this machine."""
    return "http://{}:{}".format(*listener.getsockname()[:2])


def server_for(app: ASGIApp, *, proxies: Networks = (), behind_one: bool = False) -> Server:
    """The server of an application, ready to `serve(sockets=[...])`. `proxies`, `behind_one`:
    those of `CallerAddress`."""
    return Server(
        uvicorn.Config(
            # Typed by uvicorn's own names for the same ASGI.
            cast("Any", CallerAddress(app, proxies, behind_one=behind_one)),
            loop="none",
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


@contextlib.asynccontextmanager
async def run_server(
    server: Server, listener: socket.socket
) -> AsyncIterator["asyncio.Task[None]"]:
    """Serve in the background for the length of the block, then finish what is under way. Yields
    the task, which ends when the server stops."""
    server.loop = asyncio.get_running_loop()
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the HTTP server ended before it started")
            await asyncio.sleep(0.005)
        yield task
    finally:
        server.stop()
        await task
        await server.cut()
