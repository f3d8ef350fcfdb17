"""A process that serves: house, jobs, HTTP; and how it ends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from base.settings import Settings
from vault.house import House
from web.app import create_app
from web.jobs import working
from web.sequencing import sequencing
from web.serving import answering, server_for
from web.signals import Signals
from web.supervising import in_loop, ready_house

WhenReady = Callable[[House], Awaitable[None]]


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
        house = await opened.enter_async_context(ready_house(settings))
        if settings.jobs_in_process:
            await opened.enter_async_context(working(house))
        if settings.sequencer_in_process:
            await opened.enter_async_context(sequencing(house))
        if before is not None:
            await before(house)
        server = server_for(create_app(house), trusted_proxies=settings.trusted_proxies)
        ended = await opened.enter_async_context(answering(server, listener))
        signals.tell(lambda count: server.stop(now=count > 1))
        if when_ready is not None:
            await when_ready(house)
        await ended


def work(settings: Settings, signals: Signals) -> None:
    """Do the jobs and sequence the log, without serving, until told to stop."""

    async def whole() -> None:
        async with ready_house(settings) as house, working(house), sequencing(house):
            await asyncio.Event().wait()

    in_loop(whole(), signals)
