"""A serving process: its services, jobs and HTTP server, and how it stops."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from base.settings import Settings
from vault.services import Services
from web.app import create_app
from web.http.metrics import Metrics
from web.process.management import run_management
from web.process.proxy_check import check_proxy
from web.process.refused_requests import record_refused_requests
from web.process.sequencer import run_sequencer
from web.process.server import run_server, server_for
from web.process.signals import Signals
from web.process.supervisor import in_loop, ready_services
from web.process.worker import run_jobs

WhenReady = Callable[[Services], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of a serving process: for people and clients; for its operator."""

    public: socket.socket
    management: socket.socket


def serve(
    settings: Settings,
    listeners: Listeners,
    signals: Signals,
    *,
    before: WhenReady | None = None,
    when_ready: WhenReady | None = None,
) -> None:
    """Serve until a signal. The first one finishes what is under way, within a time limit; the
    second drops it. `before` runs once the services are open, `when_ready` once HTTP answers."""
    in_loop(_serve(settings, listeners, signals, before, when_ready), signals)


async def _serve(
    settings: Settings,
    listeners: Listeners,
    signals: Signals,
    before: WhenReady | None,
    when_ready: WhenReady | None,
) -> None:
    async with AsyncExitStack() as opened:
        services = await opened.enter_async_context(ready_services(settings))
        if settings.jobs_in_process:
            await opened.enter_async_context(run_jobs(services))
        if settings.sequencer_in_process:
            await opened.enter_async_context(run_sequencer(services))
        if before is not None:
            await before(services)
        app = create_app(services)
        refused = app.state.failures.refused
        await opened.enter_async_context(record_refused_requests(services, refused))
        management = run_management(
            services, app.state.metrics, listeners.management, app.state.proxy_check
        )
        await opened.enter_async_context(management)
        production = settings.mode == "production"
        server = server_for(app, proxies=settings.proxies, behind_one=production)
        ended = await opened.enter_async_context(run_server(server, listeners.public))
        await opened.enter_async_context(check_proxy(services, app.state.proxy_check))
        signals.on_signal(lambda count: server.stop(now=count > 1))
        if when_ready is not None:
            await when_ready(services)
        await ended


def work(settings: Settings, management: socket.socket, signals: Signals) -> None:
    """Do the jobs and sequence the log, without serving people, until a signal."""

    async def run_all() -> None:
        async with (
            ready_services(settings) as services,
            run_jobs(services),
            run_sequencer(services),
            run_management(services, Metrics(), management),
        ):
            await asyncio.Event().wait()

    in_loop(run_all(), signals)
