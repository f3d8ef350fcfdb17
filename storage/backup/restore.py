"""Restoring a backup into an empty installation, and checking every verified file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import SERVICE_ROLE, Database
from base.key_names import ROW_MACS
from storage import records
from storage.backup import manifest
from storage.backup.create import (
    KEYRING,
    BackupRefused,
    Progress,
    batches,
    copy,
    run_all,
    verify,
    with_sizes,
)
from storage.backup.database_dump import load
from storage.backup.manifest import BlobEntry, InvalidBackup, Manifest
from storage.blobs import BlobKey, BlobStore
from storage.blobs.directory import DirectoryStore
from storage.envelopes import Address, EnvelopeReader, InvalidEnvelope
from storage.errors import KeyDestroyed
from storage.keys import Keys
from storage.providers import KeyProvider, KeyProviderError
from storage.providers.local import LocalKeyring

_MAX_NAMED = 100


@dataclass(frozen=True, slots=True)
class FileCheck:
    """The result of comparing every sealed file of the database with the store.

    `missing` files have no blob; `broken` ones have a blob of another length than their envelope
    says, or an envelope that does not open. `named` holds the keys of the first hundred.
    """

    files: int
    missing: int
    broken: int
    named: tuple[str, ...]


async def restore(
    folder: Path,
    *,
    database: Database,
    blobs: BlobStore,
    provider: KeyProvider,
    keys_from: Path | None,
    progress: Progress,
) -> tuple[Manifest, FileCheck]:
    """Verify the backup in `folder`, restore it, and check what was verified.

    `database` is empty and opened as the future owner of its tables, `blobs` is empty. A local
    keyring is taken from the folder `keys_from`, unless it is already in its place. Raises
    `BackupRefused`, `InvalidBackup`, `ProgramFailed`, or the store's errors.

    A crash leaves a database that is empty or complete, and files in the store, which must be
    emptied before the next attempt.
    """
    # 1. Nothing is written before the whole backup is known to be ours and undamaged.
    await _check_target(database, blobs, provider, keys_from)
    keys = provider if keys_from is None else LocalKeyring(keys_from / KEYRING)
    verified = await verify(folder, provider=keys, progress=progress)
    await _check_roots(verified, keys)
    # 2. Keys, files, and the database last: without its tables no service starts.
    if isinstance(keys, LocalKeyring) and isinstance(provider, LocalKeyring) and keys_from:
        await asyncio.to_thread(keys.copy_to, provider.path)
    await _copy_files(folder, blobs, progress)
    # A crash here leaves files that nothing refers to.
    await load(database, folder / manifest.DATABASE)
    # 3. Check the result, row by row.
    return verified, await check_files(database, blobs, provider)


async def check_files(database: Database, blobs: BlobStore, provider: KeyProvider) -> FileCheck:
    """Check that every sealed file has a blob of the length that its envelope says."""
    keys = Keys(database, provider)
    files = missing = broken = 0
    named: list[str] = []
    async with database.transaction() as tx:
        # A backup of release 0.1 has no key of row MACs: its envelopes are bound after `migrate`.
        bound = await records.service_key(tx, ROW_MACS) is not None
        async for row, size in with_sizes(
            blobs, records.sealed_files(tx), lambda row: row.blob_key
        ):
            files += 1
            if size is None:
                missing += 1
            elif size != await _expected_length(keys, tx, row, bound=bound):
                broken += 1
            else:
                continue
            if len(named) < _MAX_NAMED:
                named.append(row.blob_key)
    return FileCheck(files, missing, broken, tuple(named))


async def _expected_length(
    keys: Keys, tx: AsyncConnection, row: Row[Any], *, bound: bool
) -> int | None:
    """The length that the blob must have; None if its envelope does not open. `bound`: whether
    envelopes are bound to all that their rows say."""
    try:
        reader = EnvelopeReader(await keys.owner(row.person_id, tx))
        address = Address(
            row.id, row.role, row.version_id, row.position, row.blob_key, row.envelope
        )
        opened = reader.open(address) if bound else reader.open_unbound(address)
    except (KeyDestroyed, InvalidEnvelope):
        return None
    return opened.blob_length


async def _check_target(
    database: Database, blobs: BlobStore, provider: KeyProvider, keys_from: Path | None
) -> None:
    async with database.transaction() as tx:
        if not await records.is_empty(tx):
            raise BackupRefused("the database is not empty: restore into a new one")
        if not await records.has_role(tx, SERVICE_ROLE):
            raise BackupRefused(f"the server lacks the role {SERVICE_ROLE}: create it (NOLOGIN)")
    if await blobs.page(limit=1):
        raise BackupRefused("the store is not empty: restore into a new one")
    if keys_from is not None:
        if not isinstance(provider, LocalKeyring):
            raise BackupRefused("the keys are not ours to restore: leave the keys' folder out")
        if provider.path.exists():
            raise BackupRefused("there is a keyring already: leave out the keys' folder to use it")


async def _check_roots(backup: Manifest, provider: KeyProvider) -> None:
    for root in backup.roots:
        try:
            await provider.check(root)
        except KeyProviderError as error:
            raise BackupRefused(f"keys that this backup needs cannot be used: {error}") from None


async def _copy_files(folder: Path, blobs: BlobStore, progress: Progress) -> None:
    """Copy every file into the store, and compare its hash again."""
    store = DirectoryStore(folder / manifest.STORE)
    done = 0

    async def copy_file(entry: BlobEntry) -> None:
        if entry.size is None:
            return
        if await copy(store, blobs, BlobKey(entry.key), entry.size) != entry.sha256:
            raise InvalidBackup(f"{manifest.STORE}, {entry.key}: not as it was written")

    async def entries() -> AsyncIterator[BlobEntry]:
        for entry in manifest.entries(folder):
            yield entry

    try:
        total = manifest.read(folder)[0].blob_count
        async for batch in batches(entries()):
            await run_all(copy_file(entry) for entry in batch)
            done += len(batch)
            progress(done, max(total, done))
    finally:
        await store.close()
