"""What a process runs in: its home, an embedded PostgreSQL if it has no other, its event loop."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvloop
from pydantic import SecretStr

from base.database import Database
from base.embedded.server import EmbeddedPostgres
from base.settings import Settings
from storage.errors import KeyMissing
from storage.key_rotation import initialise
from vault.consent.grant_upgrade import narrow_grants
from vault.maintenance.bound_rows import Progress, bind_rows
from vault.services import Services
from web.process.services import CannotServe, open_services
from web.process.signals import Signals

BOUND_SINCE = "0004"
"""The migration from which on rows carry MACs."""


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


def migrate(settings: Settings, signals: Signals, progress: Progress, *, embedded: bool) -> None:
    """Bring the tables to this release, as their owner.

    An embedded database, whose keyring is here, also gets its rows bound by the migration that
    begins to ask for it, and by no later one; another one waits for `unefois bind-rows`.
    """
    from migrations.run import upgrade  # noqa: PLC0415  (memory: it is rarely called)

    before = upgrade(owner_url(settings))
    if before is not None and before < BOUND_SINCE and embedded:
        bind(settings, signals, progress)


def bind(settings: Settings, signals: Signals, progress: Progress) -> None:
    """Bind the rows of release 0.1, as the tables' owner, with the keyring."""
    in_loop(_bind(settings, Database(owner_url(settings)), progress), signals)


async def _bind(settings: Settings, owner: Database, progress: Progress) -> None:
    try:
        async with open_services(settings, restored=True) as services:
            done = await bind_rows(services, owner, progress)
            # Before anything is served: grants of that release keep to its catalogue.
            await narrow_grants(services)
    finally:
        await owner.close()
    sys.stdout.write(
        f"\n{done.rows} rows and {done.files} files bound, {done.broken} that do not open left\n"
    )


def owner_url(settings: Settings) -> SecretStr:
    """The address of the tables' owner. Raises `ValueError`."""
    if settings.migrations_database_url is None:
        raise ValueError("MIGRATIONS_DATABASE_URL is missing: the address of the tables' owner")
    return settings.migrations_database_url


@asynccontextmanager
async def ready_services(settings: Settings, *, restored: bool = False) -> AsyncIterator[Services]:
    """Open services with a root version, which the first start makes. `restored`: as for
    `open_services`."""
    async with open_services(settings, restored=restored) as services:
        await initialise(services.database, services.storage.keys.provider)
        try:
            await services.field_encryption.row_macs()
        except KeyMissing:
            raise CannotServe(
                "the rows carry no MAC yet, or the key of their MACs is gone: on a home of release"
                " 0.1, stop the service and run `unefois bind-rows`; otherwise put the row"
                " `row-macs` of unefois.wrapped_key back from a backup"
            ) from None
        yield services


def run(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]], signals: Signals
) -> None:
    """Run one short task on open services, as a command does."""

    with supervised(settings, signals) as supplied:
        run_supplied(supplied, work, signals)


def run_supplied(
    settings: Settings,
    work: Callable[[Services], Coroutine[Any, Any, None]],
    signals: Signals,
    *,
    restored: bool = False,
) -> None:
    """The same, where the database already runs. `restored`: as for `open_services`."""
    in_loop(_with_services(settings, work, restored), signals)


async def _with_services(
    settings: Settings, work: Callable[[Services], Coroutine[Any, Any, None]], restored: bool
) -> None:
    async with ready_services(settings, restored=restored) as services:
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
