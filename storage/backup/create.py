"""Making backups: the database and every sealed file that it refers to, as of one instant.

The keys go elsewhere: beside the data they would make the backup readable to anyone who takes it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from base import clock, locks
from base.database import Database
from base.files import flush_folder
from storage import records
from storage.backup import manifest
from storage.backup.database_dump import dump
from storage.backup.manifest import BlobEntry, InvalidBackup, Manifest
from storage.blobs import BlobKey, BlobStore
from storage.blobs.directory import DirectoryStore
from storage.providers import KeyProvider
from storage.providers.local import LocalKeyring

T = TypeVar("T")
Progress = Callable[[int, int], None]

MAX_CONCURRENT = 8
CHUNK = 256 * 1024
KEYRING = "keyring.json"
_REFERRED = "referred.tmp"


class BackupRefused(Exception):
    """A backup or a restoration cannot be made this way; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the database at the instant of the backup."""

    made_at: str
    schema: str
    server: int
    active: str
    roots: list[str]
    files: int


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """How many files were copied, their total bytes, and how many the store has lost."""

    copied: int
    total_bytes: int
    missing: int


async def backup(
    folder: Path,
    *,
    database: Database,
    blobs: BlobStore,
    provider: KeyProvider,
    keys_to: Path | None,
    progress: Progress,
) -> Manifest:
    """Back up to `folder`, which must be new or empty, while the service runs.

    `database` is opened as the owner of the tables. A local keyring is copied to the folder
    `keys_to`, replacing the previous copy; without `keys_to` the operator keeps it in another way.
    `progress` is called with (files done, total). Raises `BackupRefused`, `KeyProviderError` when
    the keys that the backup needs cannot be used, `ProgramFailed`, or the store's errors.

    A crash leaves a folder without a manifest, which is never taken for a backup.
    """
    _check_folders(folder, provider, keys_to)
    async with database.transaction() as tx:
        # 1. From here on no file is removed, so that all those of the snapshot stay.
        await locks.hold_shared(tx, locks.BLOBS)
        # 2. The database, and the names of its files, as of one instant.
        snapshot = await _dump_database(folder, database, provider)
        # 3. The files.
        store = DirectoryStore(folder / manifest.STORE)
        try:
            copied = await _copy_files(folder, blobs, store, snapshot.files, progress)
        finally:
            await store.close()
    if isinstance(provider, LocalKeyring) and keys_to is not None:
        await asyncio.to_thread(provider.copy_to, keys_to / KEYRING)
    result = await _manifest(folder, provider, snapshot, copied)
    # 4. The manifest last: it makes the folder a backup.
    manifest.write(folder, result, await manifest.seal(result, provider, snapshot.active))
    return result


async def verify(
    folder: Path, *, provider: KeyProvider | None, progress: Progress = lambda _done, _total: None
) -> Manifest:
    """Read a whole backup and raise `InvalidBackup` unless each byte is as it was written.

    With a provider, the seal is checked first; without one, only damage is detected, not an
    alteration by somebody who recomputed the hashes.
    """
    stored, seal = manifest.read(folder)
    if provider is not None:
        await manifest.check_seal(stored, seal, provider)
    if not (folder / manifest.STORE).is_dir():
        raise InvalidBackup(f"{manifest.STORE} is missing")
    store = DirectoryStore(folder / manifest.STORE)
    try:
        await asyncio.to_thread(
            manifest.check_parts,
            folder,
            stored,
            lambda key: Path(store.path(BlobKey(key))),
            progress,
        )
    finally:
        await store.close()
    return stored


async def copy(source: BlobStore, target: BlobStore, key: BlobKey, size: int) -> str:
    """Copy one blob of `size` bytes, and return the SHA-256 of what was copied."""
    digest = sha256()
    buffer = memoryview(bytearray(min(CHUNK, size)))
    async with source.reader(key) as reader, target.writer(key) as writer:
        for offset in range(0, size, CHUNK):
            target_part = buffer[: size - offset]
            chunk = await reader.read_into(offset, len(target_part), [target_part].pop)
            digest.update(chunk)
            await writer.write(chunk)
        await writer.commit()
    return digest.hexdigest()


async def with_sizes(
    blobs: BlobStore, items: AsyncIterator[T], key: Callable[[T], str]
) -> AsyncIterator[tuple[T, int | None]]:
    """Each item with its blob's size, or None. `items` MUST be sorted by their blobs' keys."""
    listing = _listing(blobs)
    blob = await anext(listing, None)
    async for item in items:
        wanted = key(item)
        while blob is not None and blob[0] < wanted:
            blob = await anext(listing, None)
        yield item, blob[1] if blob is not None and blob[0] == wanted else None


async def _listing(blobs: BlobStore) -> AsyncIterator[tuple[str, int]]:
    after: BlobKey | None = None
    while page := await blobs.page(after=after):
        for info in page:
            yield info.key, info.size
        after = page[-1].key


def _check_folders(folder: Path, provider: KeyProvider, keys_to: Path | None) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty: name a new folder")
    if keys_to is not None:
        if not isinstance(provider, LocalKeyring):
            raise BackupRefused("the keys are not ours to copy: leave the keys' folder out")
        data, keys = folder.resolve(), keys_to.resolve()
        if data == keys or data in keys.parents or keys in data.parents:
            raise BackupRefused(
                "the keys beside the data would make the backup readable to whoever takes it: "
                "name a folder elsewhere, best on another disk, for the keys"
            )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flush_folder(folder.parent)


async def _dump_database(folder: Path, database: Database, provider: KeyProvider) -> Snapshot:
    async with database.transaction() as tx:
        name = await records.snapshot(tx)
        state = await records.state(tx)
        active = await records.active_root(tx)
        if active is None:
            raise BackupRefused("no root key version yet: run `unefois init`")
        roots = await records.roots_in_use(tx)
        for root in {active, *roots}:
            await provider.check(root)
        await dump(database, name, folder / manifest.DATABASE)
        files = 0
        with (folder / _REFERRED).open("w", encoding="utf-8") as file:
            async for row in records.sealed_files(tx):
                file.write(f"{row.blob_key}\n")
                files += 1
    made_at = clock.rfc3339(state.at)
    return Snapshot(made_at, state.schema, state.server, active, roots, files)


async def _copy_files(
    folder: Path, blobs: BlobStore, store: BlobStore, files: int, progress: Progress
) -> CopiedFiles:
    """Copy every file that the database refers to."""
    copied = total = missing = 0
    referred = folder / _REFERRED

    async def copy_file(key: str, size: int | None) -> BlobEntry:
        if size is None:
            return BlobEntry(key, None, None)
        return BlobEntry(key, size, await copy(blobs, store, BlobKey(key), size))

    with (folder / manifest.BLOBS).open("x", encoding="utf-8") as out:
        async for batch in batches(with_sizes(blobs, _read(referred), str)):
            for entry in await run_all(copy_file(*item) for item in batch):
                out.write(entry.text())
                copied += entry.size is not None
                missing += entry.size is None
                total += entry.size or 0
            progress(copied + missing, files)
        out.flush()
        os.fsync(out.fileno())
    referred.unlink()
    return CopiedFiles(copied, total, missing)


async def _manifest(
    folder: Path, provider: KeyProvider, snapshot: Snapshot, files: CopiedFiles
) -> Manifest:
    return Manifest(
        made_at=snapshot.made_at,
        schema=snapshot.schema,
        server=snapshot.server,
        provider=provider.name,
        roots=snapshot.roots,
        database=await asyncio.to_thread(manifest.measure, folder / manifest.DATABASE),
        blobs=await asyncio.to_thread(manifest.measure, folder / manifest.BLOBS),
        blob_count=files.copied,
        blob_bytes=files.total_bytes,
        missing=files.missing,
    )


async def _read(path: Path) -> AsyncIterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


async def batches(items: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    """The items in lists of at most `MAX_CONCURRENT`."""
    batch: list[T] = []
    async for item in items:
        batch.append(item)
        if len(batch) == MAX_CONCURRENT:
            yield batch
            batch = []
    if batch:
        yield batch


async def run_all(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all concurrently; when one fails, the others are cancelled before its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from None
    return [task.result() for task in tasks]
