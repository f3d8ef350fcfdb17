"""The management listener of a process: readiness and metrics, apart from what people reach."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from errno import EADDRINUSE

import structlog

from base.settings import Settings
from vault.services import Services
from web.app import create_management_app
from web.http.metrics import Metrics
from web.http.proxy_check import ProxyCheck
from web.process.server import listen, run_server, server_for

USUAL_PORT = 9000

_log = structlog.get_logger()


def listen_for_management(settings: Settings) -> socket.socket:
    """Its bound socket. Raises `OSError`, which says which setting to change, when a port that was
    chosen is taken: several processes of one machine start without choosing one."""
    host, port = settings.management_host, settings.management_port
    try:
        return _listening(host, USUAL_PORT if port is None else port)
    except OSError as error:
        if port is None and error.errno == EADDRINUSE:
            _log.warning("management_port_taken", port=USUAL_PORT)
            return _listening(host, 0)
        raise OSError(
            f"readiness and metrics cannot be answered there ({error.strerror}): change"
            " UNEFOIS_MANAGEMENT_HOST or UNEFOIS_MANAGEMENT_PORT (0: a free port)"
        ) from None


def _listening(host: str, port: int) -> socket.socket:
    """Listening at once: two processes that start together may both bind a port, and the second
    would be told only once it is about to answer."""
    listener = listen(host, port)
    try:
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def run_management(
    services: Services,
    metrics: Metrics,
    listener: socket.socket,
    proxy: ProxyCheck | None = None,
) -> AsyncIterator[None]:
    """Answer on it for the length of the block. `proxy`: what was found of the one before it."""
    server = server_for(create_management_app(services, metrics, proxy or ProxyCheck()))
    async with run_server(server, listener):
        host, port = listener.getsockname()[:2]
        _log.info("management_listening", host=host, port=port)
        yield
