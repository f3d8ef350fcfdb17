"""Backups are restored into a new PostgreSQL and an empty store, with the keys that were copied to
another folder."""

import json
import secrets
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from base.database import Database
from base.processes import ProgramFailed
from migrations.run import check
from storage import records
from storage.backup import create as backup_module
from storage.backup import manifest
from storage.backup import restore as restore_module
from storage.backup.create import BackupRefused, copy, verify
from storage.backup.manifest import InvalidBackup
from storage.backup.restore import FileCheck, check_files, restore
from storage.blobs import BlobKey
from storage.blobs.directory import DirectoryStore
from tests.storage.backup.installations import Installation, Target, quiet, take
from tests.storage.conftest import empty, owner
from tests.storage.old_envelopes import old_envelope

_UPLOAD = (
    "INSERT INTO unefois.upload (id, person_id, length, received, pieces, refused, sealed,"
    " created_at, expires_at, mac) VALUES (:person, :person, 9, 1, 1, false, '', unefois.now(),"
    " unefois.now(), '')",
    "INSERT INTO unefois.upload_piece (id, upload_id, person_id, position, blob_key, envelope)"
    " VALUES (:person, :person, :person, 0, 'files/none', '')",
    "INSERT INTO unefois.archive (id, person_id, kind, attempt, length, pieces, asked_at,"
    " expires_at, sealed, mac) VALUES (:person, :person, 'export', 1, 1, 1, unefois.now(),"
    " unefois.now(), '', '')",
    "INSERT INTO unefois.archive_piece (id, archive_id, person_id, position, length, sealed,"
    " blob_key, envelope) VALUES (:person, :person, :person, 0, 1, '', 'files/nothing', '')",
)

# Backup and restoration


async def test_what_is_restored_opens(
    each_installation: Installation,
    as_owner: Database,
    target: Target,
    backup_folder: Path,
    keys_folder: Path,
) -> None:
    """Rows and files, byte for byte; the restored log is append-only too. What is being uploaded,
    and copies to be taken away, whose blobs may go at any time, are in neither part of a backup."""
    documents = [await each_installation.add(length) for length in (0, 1, 300_000, 1_000_000)]
    async with each_installation.database.transaction() as tx:
        for statement in _UPLOAD:
            await tx.execute(text(statement), {"person": documents[0].person})
    made = await take(each_installation, as_owner, backup_folder, keys_folder)
    assert (made.blob_count, made.missing) == (4, 0)
    empty(each_installation.addresses.owner_url)  # the machine is lost
    each_installation.keyring.path.unlink()

    _, checked = await target.restore(backup_folder, keys_folder)
    assert checked == FileCheck(4, 0, 0, ())
    service = Database(SecretStr(target.addresses.service_url), pool=3)
    again = Installation(target.addresses, service, target.blobs, target.keyring)
    for document in documents:
        await again.opens(document)
    async with service.transaction() as tx:
        for table in ("upload", "upload_piece", "archive", "archive_piece"):
            assert await tx.scalar(text(f"SELECT count(*) FROM unefois.{table}")) == 0  # noqa: S608
    await again.opens(await again.add(10))
    await service.close()

    check(SecretStr(target.addresses.owner_url))  # the tables are those of this release
    for url in (target.addresses.service_url, target.addresses.owner_url):
        for change in (
            "UPDATE unefois.access_event SET at = at",
            "DELETE FROM unefois.access_event",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner(url, change)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner(target.addresses.service_url, "CREATE TABLE unefois.mine ()")


async def test_the_service_goes_on_meanwhile(
    installation: Installation,
    as_owner: Database,
    target: Target,
    backup_folder: Path,
    keys_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Documents are added and deleted between the database snapshot and the copy of the files."""
    staying, leaving = await installation.add(300_000), await installation.add(300_000)
    dump = backup_module.dump
    swept: list[bool] = []

    async def dump_then_live_on(*args: Any) -> None:
        await dump(*args)
        await installation.add(1000)
        await installation.remove(leaving)
        swept.append(await installation.sweep())

    monkeypatch.setattr(backup_module, "dump", dump_then_live_on)
    made = await take(installation, as_owner, backup_folder, keys_folder)
    assert swept == [False]
    assert (made.blob_count, made.missing) == (2, 0)
    assert await installation.sweep()
    assert len(await installation.blobs.page()) == 2

    _, checked = await target.restore(backup_folder, keys_folder)
    assert checked == FileCheck(2, 0, 0, ())
    again = Installation(target.addresses, target.database, target.blobs, target.keyring)
    await again.opens(staying)
    await again.opens(leaving)


@pytest.mark.parametrize("bound", [False, True])
async def test_files_of_a_backup_of_the_first_release_are_not_called_broken(
    installation: Installation,
    as_owner: Database,
    target: Target,
    backup_folder: Path,
    keys_folder: Path,
    bound: bool,
) -> None:
    """Their envelopes are bound to their rows by `migrate`, later; where rows carry MACs, one that
    is not is broken."""
    old, other = await installation.add(300_000), await installation.add(10)
    for document in (old, other) if not bound else (old,):
        envelope = old_envelope(await installation.keys.owner(document.person), document.address)
        async with as_owner.transaction() as tx:
            await tx.execute(
                text("UPDATE unefois.sealed_file SET envelope = :envelope WHERE id = :id"),
                {"envelope": envelope, "id": document.address.id},
            )
    if not bound:
        async with as_owner.transaction() as tx:
            await tx.execute(text("DELETE FROM unefois.wrapped_key WHERE use = 'row-macs'"))
    await take(installation, as_owner, backup_folder, keys_folder)
    _, checked = await target.restore(backup_folder, keys_folder)
    assert (checked.files, checked.missing, checked.broken) == (2, 0, int(bound))


async def test_a_file_already_lost_is_told_and_the_others_are_saved(
    installation: Installation,
    as_owner: Database,
    target: Target,
    backup_folder: Path,
    keys_folder: Path,
) -> None:
    lost, short, whole = (
        await installation.add(10),
        await installation.add(300_000),
        await installation.add(10),
    )
    await installation.blobs.delete(BlobKey(lost.address.blob_key))
    key = BlobKey(short.address.blob_key)
    await installation.blobs.put(key, (await installation.blobs.get(key, 10**6))[:-1])
    made = await take(installation, as_owner, backup_folder, keys_folder)
    assert (made.blob_count, made.missing) == (2, 1)
    _, checked = await target.restore(backup_folder, keys_folder)
    assert (checked.files, checked.missing, checked.broken) == (3, 1, 1)
    assert set(checked.named) == {lost.address.blob_key, short.address.blob_key}
    again = Installation(target.addresses, target.database, target.blobs, target.keyring)
    await again.opens(whole)


async def test_files_are_looked_at_where_they_are(
    installation: Installation, as_owner: Database
) -> None:
    """A file with another person's envelope is broken, as one with a wrong length is."""
    document, other = await installation.add(10), await installation.add(10)
    assert await check_files(
        installation.database, installation.blobs, installation.keyring
    ) == FileCheck(2, 0, 0, ())
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.sealed_file SET envelope = :other WHERE id = :id"),
            {"other": other.address.envelope, "id": document.address.id},
        )
    checked = await check_files(installation.database, installation.blobs, installation.keyring)
    assert checked == FileCheck(2, 0, 1, (document.address.blob_key,))


# Damage


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def some_blob(folder: Path) -> Path:
    return next(path for path in (folder / "store" / "blobs").rglob("*") if path.is_file())


DAMAGES = {
    "database": lambda folder: flip(folder / manifest.DATABASE),
    "list": lambda folder: flip(folder / manifest.BLOBS),
    "shorter list": lambda folder: (folder / manifest.BLOBS).write_text(""),
    "file": lambda folder: flip(some_blob(folder)),
    "cut file": lambda folder: some_blob(folder).write_bytes(b"cut"),
    "no file": lambda folder: some_blob(folder).unlink(),
    "no database": lambda folder: (folder / manifest.DATABASE).unlink(),
    "manifest": lambda folder: (folder / manifest.MANIFEST).write_text("{}"),
    "unfinished": lambda folder: (folder / manifest.MANIFEST).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_backup_is_refused_and_nothing_is_written(
    installation: Installation,
    as_owner: Database,
    bare_target: Target,
    backup_folder: Path,
    keys_folder: Path,
    damage: str,
) -> None:
    await installation.add(300_000)
    await take(installation, as_owner, backup_folder, keys_folder)
    await verify(backup_folder, provider=None)
    DAMAGES[damage](backup_folder)
    with pytest.raises(InvalidBackup):
        await verify(backup_folder, provider=None)
    with pytest.raises(InvalidBackup):
        await bare_target.restore(backup_folder, keys_folder)
    assert await bare_target.is_empty()


async def test_an_altered_backup_is_refused_though_its_hashes_agree(
    installation: Installation,
    as_owner: Database,
    bare_target: Target,
    backup_folder: Path,
    keys_folder: Path,
) -> None:
    """Someone who can write to the backups, without the keys, cannot change the database: add a
    grant, for example."""
    await installation.add(10)
    await take(installation, as_owner, backup_folder, keys_folder)
    flip(backup_folder / manifest.DATABASE)
    altered = json.loads((backup_folder / manifest.MANIFEST).read_text())
    changed = (backup_folder / manifest.DATABASE).read_bytes()
    altered["manifest"]["database"]["sha256"] = sha256(changed).hexdigest()
    (backup_folder / manifest.MANIFEST).write_text(json.dumps(altered))
    await verify(backup_folder, provider=None)
    with pytest.raises(InvalidBackup, match="altered"):
        await verify(backup_folder, provider=installation.keyring)
    with pytest.raises(InvalidBackup, match="altered"):
        await bare_target.restore(backup_folder, keys_folder)
    assert await bare_target.is_empty()


async def test_a_backup_cut_short_is_no_backup(
    installation: Installation,
    as_owner: Database,
    backup_folder: Path,
    keys_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await installation.add(10)

    async def crash(*_: object) -> str:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(backup_module, "copy", crash)
        with pytest.raises(OSError, match="full"):
            await take(installation, as_owner, backup_folder, keys_folder)
    with pytest.raises(InvalidBackup, match="not finished"):
        await verify(backup_folder, provider=None)
    assert await installation.sweep()  # the lock is free again


def shortened(path: Path) -> Path:
    data = path.read_bytes()
    short = path.with_name("short")
    short.write_bytes(data[: len(data) * 9 // 10])
    return short


async def test_a_restoration_cut_short_leaves_the_database_empty(
    installation: Installation,
    as_owner: Database,
    bare_target: Target,
    backup_folder: Path,
    keys_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await installation.add(10)
    await take(installation, as_owner, backup_folder, keys_folder)

    async def cut(database: Database, dumped: Path) -> None:
        await load(database, shortened(dumped))

    load = restore_module.load
    monkeypatch.setattr(restore_module, "load", cut)
    with pytest.raises(ProgramFailed) as failed:
        await bare_target.restore(backup_folder, keys_folder)
    assert "\n" not in str(failed.value)
    async with bare_target.database.transaction() as tx:
        assert await records.is_empty(tx)


# Targets that are not empty


async def test_nothing_is_written_over(
    installation: Installation,
    as_owner: Database,
    bare_target: Target,
    backup_folder: Path,
    keys_folder: Path,
) -> None:
    await installation.add(10)
    await take(installation, as_owner, backup_folder, keys_folder)
    with pytest.raises(BackupRefused, match="not empty"):
        await take(installation, as_owner, backup_folder, keys_folder)
    stray = BlobKey("files/stray")
    await bare_target.blobs.put(stray, b"x")
    with pytest.raises(BackupRefused, match="store is not empty"):
        await bare_target.restore(backup_folder, keys_folder)
    await bare_target.blobs.delete(stray)
    installation.keyring.copy_to(bare_target.keyring.path)
    with pytest.raises(BackupRefused, match="keyring already"):
        await bare_target.restore(backup_folder, keys_folder)
    bare_target.keyring.path.unlink()
    bare_target.keyring.path.parent.rmdir()
    with pytest.raises(BackupRefused, match="database is not empty"):
        await restore(
            backup_folder,
            database=as_owner,
            blobs=bare_target.blobs,
            provider=bare_target.keyring,
            keys_from=keys_folder,
            progress=quiet,
        )
    assert await bare_target.is_empty()


# Memory


async def test_copying_takes_constant_memory(tmp_path: Path) -> None:
    """Copies 32 MiB with at most 2 MiB of memory."""
    source, destination = DirectoryStore(tmp_path / "one"), DirectoryStore(tmp_path / "other")
    key, piece = BlobKey("files/large"), secrets.token_bytes(1024 * 1024)
    digest = sha256()
    async with source.writer(key) as writer:
        for _ in range(32):
            digest.update(piece)
            await writer.write(piece)
        await writer.commit()
    tracemalloc.start()
    try:
        assert await copy(source, destination, key, 32 * len(piece)) == digest.hexdigest()
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
    await source.close()
    await destination.close()
