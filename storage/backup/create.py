"""Backups: the database and every sealed file that it refers to, as of one instant.

The keys go elsewhere: beside the data they would make the backup readable to whoever takes it.
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

AT_ONCE = 8
CHUNK = 256 * 1024
KEYRING = "keyring.json"
_REFERRED = "referred.tmp"


class BackupRefused(Exception):
    """A backup or a restoration cannot be made so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of the database at the instant of the backup."""

    made_at: str
    schema: str
    server: int
    active: str
    roots: list[str]
    files: int


@dataclass(frozen=True, slots=True)
class CopiedFiles:
    """How many files were copied, their bytes in all, and how many the store has lost."""

    found: int
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
    """Back up to `folder`, which must be new or empty, while the service works.

    `database` is opened as the owner of the tables. A local keyring is copied to the folder
    `keys_to`, in place of the copy before; without `keys_to` the operator keeps it otherwise.
    `progress` is told (files done, of how many). Raises `BackupRefused`, `KeyProviderError` when
    the keys that the backup needs cannot be used, `ProgramFailed`, or the store's errors.

    A crash leaves a folder without a manifest, which nothing takes for a backup.
    """
    _check_folders(folder, provider, keys_to)
    async with database.transaction() as held:
        # 1. From here on no file is removed, so that those of the snapshot are all there.
        await locks.hold_shared(held, locks.BLOBS)
        # 2. The database, and the names of its files, as of one instant.
        taken = await _database(folder, database, provider)
        # 3. The files.
        store = DirectoryStore(folder / manifest.STORE)
        try:
            copied = await _files(folder, blobs, store, taken.files, progress)
        finally:
            await store.close()
    if isinstance(provider, LocalKeyring) and keys_to is not None:
        await asyncio.to_thread(provider.copy_to, keys_to / KEYRING)
    made = await _manifest(folder, provider, taken, copied)
    # 4. The manifest last: it makes the folder a backup.
    manifest.write(folder, made, await manifest.seal(made, provider, taken.active))
    return made


async def verify(
    folder: Path, *, provider: KeyProvider | None, progress: Progress = lambda _done, _of: None
) -> Manifest:
    """Read a whole backup and raise `InvalidBackup` unless each byte is as it was written.

    With a provider, its seal is checked first: without, only damage is noticed, not an alteration
    by somebody who wrote the hashes anew.
    """
    found, sealed = manifest.read(folder)
    if provider is not None:
        await manifest.check_seal(found, sealed, provider)
    if not (folder / manifest.STORE).is_dir():
        raise InvalidBackup(f"{manifest.STORE} is missing")
    store = DirectoryStore(folder / manifest.STORE)
    try:
        await asyncio.to_thread(
            manifest.check_parts,
            folder,
            found,
            lambda key: Path(store.path(BlobKey(key))),
            progress,
        )
    finally:
        await store.close()
    return found


async def copy(source: BlobStore, target: BlobStore, key: BlobKey, size: int) -> str:
    """Copy one blob of `size` bytes, and return the SHA-256 of what was copied."""
    digest = sha256()
    buffer = memoryview(bytearray(min(CHUNK, size)))
    async with source.reader(key) as reader, target.writer(key) as writer:
        for offset in range(0, size, CHUNK):
            to = buffer[: size - offset]
            chunk = await reader.read_into(offset, len(to), [to].pop)
            digest.update(chunk)
            await writer.write(chunk)
        await writer.commit()
    return digest.hexdigest()


async def sizes(
    blobs: BlobStore, things: AsyncIterator[T], key: Callable[[T], str]
) -> AsyncIterator[tuple[T, int | None]]:
    """For each thing, in the order of its blob's key, the blob's size: None when there is none."""
    listed = _listing(blobs)
    at = await anext(listed, None)
    async for thing in things:
        wanted = key(thing)
        while at is not None and at[0] < wanted:
            at = await anext(listed, None)
        yield thing, at[1] if at is not None and at[0] == wanted else None


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
        one, other = folder.resolve(), keys_to.resolve()
        if one == other or one in other.parents or other in one.parents:
            raise BackupRefused(
                "the keys beside the data would make the backup readable to whoever takes it: "
                "name a folder elsewhere, best on another disk, for the keys"
            )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    flush_folder(folder.parent)


async def _database(folder: Path, database: Database, provider: KeyProvider) -> Snapshot:
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


async def _files(
    folder: Path, blobs: BlobStore, store: BlobStore, files: int, progress: Progress
) -> CopiedFiles:
    """Copy every file referred to."""
    found = total = missing = 0
    referred = folder / _REFERRED

    async def one(key: str, size: int | None) -> BlobEntry:
        if size is None:
            return BlobEntry(key, None, None)
        return BlobEntry(key, size, await copy(blobs, store, BlobKey(key), size))

    with (folder / manifest.BLOBS).open("x", encoding="utf-8") as out:
        async for batch in batches(sizes(blobs, _read(referred), str)):
            for line in await together(one(*each) for each in batch):
                out.write(line.text())
                found += line.size is not None
                missing += line.size is None
                total += line.size or 0
            progress(found + missing, files)
        out.flush()
        os.fsync(out.fileno())
    referred.unlink()
    return CopiedFiles(found, total, missing)


async def _manifest(
    folder: Path, provider: KeyProvider, taken: Snapshot, copied: CopiedFiles
) -> Manifest:
    return Manifest(
        made_at=taken.made_at,
        schema=taken.schema,
        server=taken.server,
        provider=provider.name,
        roots=taken.roots,
        database=await asyncio.to_thread(manifest.measure, folder / manifest.DATABASE),
        blobs=await asyncio.to_thread(manifest.measure, folder / manifest.BLOBS),
        blob_count=copied.found,
        blob_bytes=copied.total_bytes,
        missing=copied.missing,
    )


async def _read(path: Path) -> AsyncIterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


async def batches(things: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    """As many at a time as may be under way together."""
    batch: list[T] = []
    async for thing in things:
        batch.append(thing)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """All at once; when one fails the others are ended before its error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
