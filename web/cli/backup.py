"""`backup` and `restore`: the database and the store in one folder, the keyring in another."""

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from base.database import Database
from base.settings import Settings
from storage.backends import blob_store, key_provider
from storage.backup import create, restore
from storage.backup.manifest import Manifest
from storage.blobs import BlobStore
from storage.providers import KeyProvider
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.cli.erasures import finish_restoration, read_note
from web.cli.progress import show
from web.process.services import head
from web.process.signals import Signals
from web.process.supervisor import in_loop, migrate, supervised


def add(commands: Commands) -> None:
    """Declare them."""
    backup = declare(commands, "backup", "Back up the database and the store.", Command(_backup))
    backup.add_argument("folder", type=Path, help="new or empty")
    backup.add_argument("--keys", type=Path, help="where the local keyring goes: not beside it")
    restoration = declare(
        commands, "restore", "Restore a backup into an empty installation.", Command(_restore)
    )
    restoration.add_argument("folder", type=Path)
    restoration.add_argument("--keys", type=Path, help="where the local keyring was kept")
    erased = restoration.add_mutually_exclusive_group(required=True)
    erased.add_argument(
        "--erasures", type=Path, help="the last note of `erasures export`: applied again"
    )
    erased.add_argument(
        "--no-erasures", action="store_true", help="who was erased since is back: for a try"
    )


def _backup(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    missing = 0

    async def work() -> None:
        nonlocal missing
        async with _parts(supplied) as (database, blobs, provider):
            done = await create.backup(
                options.folder,
                database=database,
                blobs=blobs,
                provider=provider,
                keys_to=options.keys,
                progress=show,
            )
        missing = done.missing
        sys.stdout.write(
            f"\n{done.blob_count} files, {done.blob_bytes} bytes, {missing} missing in the store\n"
        )
        if settings.key_provider == "local" and options.keys is None:
            sys.stdout.write(
                "The keyring is NOT in this backup, and nothing opens without it: keep"
                f" {settings.home / 'keys'} elsewhere, or give --keys.\n"
            )

    with supervised(settings, signals) as supplied:
        in_loop(work(), signals)
    return 1 if missing else 0


def _restore(settings: Settings, options: argparse.Namespace, signals: Signals) -> int:
    # Read before anything is written; its signature is the log's, which the backup brings.
    note = read_note(options.erasures) if options.erasures else None
    restored: list[Manifest] = []
    faults = 0

    async def work() -> None:
        nonlocal faults
        async with _parts(supplied) as (database, blobs, provider):
            made, result = await restore.restore(
                options.folder,
                database=database,
                blobs=blobs,
                provider=provider,
                keys_from=options.keys,
                progress=show,
            )
        faults = result.missing + result.broken
        sys.stdout.write(
            f"\n{result.files} files: {result.missing} missing, {result.broken} broken\n"
        )
        restored.append(made)

    with supervised(settings, signals) as supplied:
        in_loop(work(), signals)
        # A crash from here on leaves a database that no service opens: `erasures apply` goes on.
        if not restored:
            return 1
        if note is not None and restored[0].schema < head():
            migrate(supplied, signals, show, embedded=settings.database_url is None)
        unfinished = finish_restoration(supplied, note, signals)
    return 1 if faults or unfinished else 0


@asynccontextmanager
async def _parts(settings: Settings) -> AsyncIterator[tuple[Database, BlobStore, KeyProvider]]:
    """The database as its owner, the store, the keys: no service runs on them here."""
    if settings.migrations_database_url is None:
        raise ValueError("MIGRATIONS_DATABASE_URL is missing: the address of the tables' owner")
    database = Database(settings.migrations_database_url, pool=4)
    blobs = blob_store(settings)
    try:
        yield database, blobs, key_provider(settings)
    finally:
        await blobs.close()
        await database.close()
