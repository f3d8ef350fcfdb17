"""What a process runs in: its home, an embedded PostgreSQL if it has no other, its event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvloop
from pydantic import SecretStr

from base.embedded.server import EmbeddedPostgres
from base.settings import Settings
from migrations.run import upgrade
from storage.key_rotation import initialise
from vault.services import Services
from web.process.services import open_services
from web.process.signals import Signals


@contextmanager
def supervised(settings: Settings, signals: Signals) -> Iterator[Settings]:
    """The settings with a database to connect to: the one they name, or the embedded one of their
    home, started here and always stopped at the end."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.database_url is not None:
        yield settings
        return
    postgres = EmbeddedPostgres(settings.home)
    try:
        addresses = postgres.start()
        yield settings.model_copy(
            update={
                "database_url": SecretStr(addresses.service_url),
                "migrations_database_url": SecretStr(addresses.owner_url),
            }
        )
    finally:
        signals.ignore()
        postgres.stop()


def migrate(settings: Settings) -> None:
    """Bring the tables to this release, as their owner."""
    if settings.migrations_database_url is None:
        raise ValueError("MIGRATIONS_DATABASE_URL is missing: the address of the tables' owner")
    upgrade(settings.migrations_database_url)


@asynccontextmanager
async def ready_services(settings: Settings) -> AsyncIterator[Services]:
    """Open services with a root version, which the first start makes."""
    async with open_services(settings) as services:
        await initialise(services.database, services.storage.keys.provider)
        yield services


def run(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]], signals: Signals
) -> None:
    """Run one short task on open services, as a command does."""

    with supervised(settings, signals) as supplied:
        run_supplied(supplied, work, signals)


def run_supplied(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]], signals: Signals
) -> None:
    """The same, where the database already runs."""
    in_loop(_with_services(settings, work), signals)


async def _with_services(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]]
) -> None:
    async with ready_services(settings) as services:
        await work(services)


def in_loop(work: Coroutine[Any, Any, None], signals: Signals) -> None:
    """Run a coroutine to its end on uvloop; a signal cancels it in order."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_cancellable(work, signals))


async def _cancellable(work: Coroutine[Any, Any, None], signals: Signals) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def cancel(_: int) -> None:
        loop.call_soon_threadsafe(task.cancel)

    signals.on_signal(cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not signals.count:
            raise
    finally:
        signals.ignore()
