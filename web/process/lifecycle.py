"""A process that serves: house, jobs, HTTP; and how it ends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from base.settings import Settings
from vault.services import Services
from web.app import create_app
from web.process.sequencer import sequencing
from web.process.server import answering, server_for
from web.process.signals import Signals
from web.process.supervisor import in_loop, ready_services
from web.process.worker import working

WhenReady = Callable[[Services], Awaitable[None]]


def serve(
    settings: Settings,
    listener: socket.socket,
    signals: Signals,
    *,
    before: WhenReady | None = None,
    when_ready: WhenReady | None = None,
) -> None:
    """Serve until told to stop. The first signal finishes what is under way, for a bounded time;
    the second drops it. `before` runs once the house is open, `when_ready` once it answers."""
    in_loop(_serve(settings, listener, signals, before, when_ready), signals)


async def _serve(
    settings: Settings,
    listener: socket.socket,
    signals: Signals,
    before: WhenReady | None,
    when_ready: WhenReady | None,
) -> None:
    async with AsyncExitStack() as opened:
        services = await opened.enter_async_context(ready_services(settings))
        if settings.jobs_in_process:
            await opened.enter_async_context(working(services))
        if settings.sequencer_in_process:
            await opened.enter_async_context(sequencing(services))
        if before is not None:
            await before(services)
        server = server_for(create_app(services), trusted_proxies=settings.trusted_proxies)
        ended = await opened.enter_async_context(answering(server, listener))
        signals.tell(lambda count: server.stop(now=count > 1))
        if when_ready is not None:
            await when_ready(services)
        await ended


def work(settings: Settings, signals: Signals) -> None:
    """Do the jobs and sequence the log, without serving, until told to stop."""

    async def whole() -> None:
        async with ready_services(settings) as services, working(services), sequencing(services):
            await asyncio.Event().wait()

    in_loop(whole(), signals)
