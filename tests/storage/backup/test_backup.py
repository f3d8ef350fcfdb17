"""Backups are tested by restoring them: into a fresh PostgreSQL, an empty store, and with the keys
that were kept elsewhere."""

import json
import secrets
import subprocess
import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from base import locks
from base.database import Database
from base.embedded.server import Addresses, pg_restore_binary
from base.ids import new_id
from base.processes import ProgramFailed
from migrations.run import check
from storage import records
from storage.backup import create as backup_module
from storage.backup import manifest
from storage.backup import restore as restore_module
from storage.backup.create import BackupRefused, backup, copy, verify
from storage.backup.manifest import InvalidBackup, Manifest
from storage.backup.restore import Checked, check_files, restore
from storage.blobs import BlobKey, BlobStore
from storage.blobs.directory import DirectoryStore
from storage.content import Address, content_writer, open_content
from storage.field_encryption import FieldEncryption
from storage.key_rotation import initialise, retire_due, rotate
from storage.keys import Keys
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.blobs.conftest import directory, s3, s3_settings, store
from tests.storage.conftest import Homes, empty, owner

__all__ = ["directory", "s3", "s3_settings", "store"]


def quiet(_done: int, _of: int) -> None:
    pass


@dataclass(frozen=True)
class StoredDocument:
    """A document of someone: what its rows hold, and its content in clear."""

    person: UUID
    document: UUID
    address: Address
    plain: bytes


class Installation:
    """A database, a store and a keyring, with some papers."""

    def __init__(
        self, addresses: Addresses, database: Database, blobs: BlobStore, keyring: LocalKeyring
    ) -> None:
        self.addresses = addresses
        self.database = database
        self.blobs = blobs
        self.keyring = keyring
        self.keys = Keys(database, keyring)

    async def add(self, length: int) -> StoredDocument:
        """Blob first, then the rows, in one commit, as a deposit does."""
        person, document, version = new_id(), new_id(), new_id()
        plain = secrets.token_bytes(length)
        async with self.database.transaction() as tx:
            await self.keys.create_owner(tx, person)
        async with content_writer(self.blobs, self.keys, person, "original") as one:
            await one.write(plain)
            done = await one.commit()
        writer = await FieldEncryption(self.keys).writer(person)
        said = {
            "person": person,
            "document": document,
            "version": version,
            "file": done.id,
            "key": done.blob_key,
            "envelope": done.envelope,
            "sealed": writer.seal("document", document, {"title": f"Paper {document}"}),
        }
        async with self.database.transaction() as tx:
            for statement in _ROWS:
                await tx.execute(text(statement), said)
        address = Address(done.id, done.role, done.blob_key, done.envelope)
        return StoredDocument(person, document, address, plain)

    async def remove(self, paper: StoredDocument) -> None:
        """Its rows only: its blob is left to the sweep."""
        async with self.database.transaction() as tx:
            await tx.execute(
                text("DELETE FROM unefois.document WHERE id = :id"), {"id": paper.document}
            )

    async def sweep(self) -> bool:
        """Remove blobs without a row, unless a backup is copying: tells whether it could."""
        async with self.database.transaction() as tx:
            if not await locks.try_hold(tx, locks.BLOBS):
                return False
            known = {row.blob_key async for row in records.sealed_files(tx)}
            for info in await self.blobs.page():
                if info.key not in known:
                    await self.blobs.delete(info.key)
        return True

    async def opens(self, paper: StoredDocument) -> None:
        """Its row and its content, byte for byte, in a process that has just started."""
        keys = Keys(self.database, self.keyring)
        async with self.database.transaction() as tx:
            sealed = await tx.scalar(
                text("SELECT sealed FROM unefois.document WHERE id = :id"), {"id": paper.document}
            )
        opened = (await FieldEncryption(keys).reader(paper.person)).open(
            "document", paper.document, sealed
        )
        assert opened == {"title": f"Paper {paper.document}"}
        content = await open_content(self.blobs, keys, paper.person, paper.address)
        assert b"".join([bytes(piece) async for piece in content.slices()]) == paper.plain


_ROWS = (
    "INSERT INTO unefois.person (id, language, sealed) VALUES (:person, 'fr', :sealed)",
    "INSERT INTO unefois.document (id, person_id, version_id, type_tag, deposited_by_kind,"
    " revision, sealed) VALUES (:document, :person, :version, '\\x00', 'owner', :version, :sealed)",
    "INSERT INTO unefois.document_version (id, document_id, person_id, number, content_tag, scan,"
    " sealed) VALUES (:version, :document, :person, 1, '\\x00', 'not_scanned', :sealed)",
    "INSERT INTO unefois.sealed_file (id, version_id, person_id, role, position, blob_key,"
    " envelope) VALUES (:file, :version, :person, 'original', 0, :key, :envelope)",
    "INSERT INTO unefois.access_event (id, at, key_id, sealed, commitment)"
    " VALUES (:file, unefois.now(), :file, :sealed, sha256(:sealed))",
)


@pytest.fixture
async def there(
    keys_postgres: Addresses, database: Database, store: BlobStore, keyring: LocalKeyring
) -> Installation:
    """The installation that is backed up, on each store in turn."""
    await initialise(database, keyring)
    return Installation(keys_postgres, database, store, keyring)


@pytest.fixture
async def here(
    keys_postgres: Addresses, database: Database, directory: DirectoryStore, keyring: LocalKeyring
) -> Installation:
    """The same on a directory only: for what the store has no part in."""
    await initialise(database, keyring)
    return Installation(keys_postgres, database, directory, keyring)


Back = Callable[[], Any]


@pytest.fixture
async def as_owner(keys_postgres: Addresses) -> AsyncIterator[Database]:
    """The database as the owner of its tables sees it."""
    opened = Database(SecretStr(keys_postgres.owner_url), pool=3)
    yield opened
    await opened.close()


class Elsewhere:
    """An empty machine to restore on."""

    def __init__(self, addresses: Addresses, folder: Path) -> None:
        self.addresses = addresses
        self.database = Database(SecretStr(addresses.owner_url), pool=3)
        self.blobs = DirectoryStore(folder / "blobs")
        self.keyring = LocalKeyring(folder / "keys" / "keyring.json")

    async def restore(self, taken: Path, keys_from: Path | None) -> tuple[Manifest, Checked]:
        return await restore(
            taken,
            database=self.database,
            blobs=self.blobs,
            provider=self.keyring,
            keys_from=keys_from,
            progress=quiet,
        )

    async def is_empty(self) -> bool:
        async with self.database.transaction() as tx:
            no_table = await records.is_empty(tx)
        return no_table and not await self.blobs.page() and not self.keyring.path.exists()

    async def close(self) -> None:
        await self.database.close()
        await self.blobs.close()


@pytest.fixture
async def elsewhere(new_postgres: Homes, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    machine = Elsewhere(new_postgres(), tmp_path / "elsewhere")
    yield machine
    await machine.close()


@pytest.fixture(scope="session")
def bare_postgres(new_postgres: Homes) -> Addresses:
    """One that stays empty, for the restorations that are refused."""
    return new_postgres()


@pytest.fixture
async def nowhere(bare_postgres: Addresses, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    machine = Elsewhere(bare_postgres, tmp_path / "nowhere")
    yield machine
    await machine.close()


@pytest.fixture
def taken(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Where the keys go."""
    return tmp_path / "elsewhere-keys"


async def take(
    one: Installation, as_owner: Database, folder: Path, keys_to: Path | None
) -> Manifest:
    return await backup(
        folder,
        database=as_owner,
        blobs=one.blobs,
        provider=one.keyring,
        keys_to=keys_to,
        progress=quiet,
    )


# There and back


async def test_what_is_restored_opens(
    there: Installation, as_owner: Database, elsewhere: Elsewhere, taken: Path, kept: Path
) -> None:
    """Rows and files, byte for byte; and the log there only grows, as it did here."""
    papers = [await there.add(length) for length in (0, 1, 300_000, 1_000_000)]
    made = await take(there, as_owner, taken, kept)
    assert (made.blob_count, made.missing) == (4, 0)
    empty(there.addresses.owner_url)  # the machine burns
    there.keyring.path.unlink()

    _, checked = await elsewhere.restore(taken, kept)
    assert checked == Checked(4, 0, 0, ())
    service = Database(SecretStr(elsewhere.addresses.service_url), pool=3)
    again = Installation(elsewhere.addresses, service, elsewhere.blobs, elsewhere.keyring)
    for paper in papers:
        await again.opens(paper)
    await again.opens(await again.add(10))
    await service.close()

    check(SecretStr(elsewhere.addresses.owner_url))  # the tables are those of this release
    for url in (elsewhere.addresses.service_url, elsewhere.addresses.owner_url):
        for change in (
            "UPDATE unefois.access_event SET at = at",
            "DELETE FROM unefois.access_event",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                owner(url, change)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner(elsewhere.addresses.service_url, "CREATE TABLE unefois.mine ()")


async def test_the_service_goes_on_meanwhile(
    here: Installation,
    as_owner: Database,
    elsewhere: Elsewhere,
    taken: Path,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the database's instant and the copy of the files, papers come and go."""
    staying, leaving = await here.add(300_000), await here.add(300_000)
    dump = backup_module.dump
    swept: list[bool] = []

    async def dump_then_live_on(*args: Any) -> None:
        await dump(*args)
        await here.add(1000)
        await here.remove(leaving)
        swept.append(await here.sweep())

    monkeypatch.setattr(backup_module, "dump", dump_then_live_on)
    made = await take(here, as_owner, taken, kept)
    assert swept == [False]
    assert (made.blob_count, made.missing) == (2, 0)
    assert await here.sweep()
    assert len(await here.blobs.page()) == 2

    _, checked = await elsewhere.restore(taken, kept)
    assert checked == Checked(2, 0, 0, ())
    again = Installation(
        elsewhere.addresses, elsewhere.database, elsewhere.blobs, elsewhere.keyring
    )
    await again.opens(staying)
    await again.opens(leaving)


async def test_a_file_already_lost_is_told_and_the_others_are_saved(
    here: Installation, as_owner: Database, elsewhere: Elsewhere, taken: Path, kept: Path
) -> None:
    lost, short, whole = await here.add(10), await here.add(300_000), await here.add(10)
    await here.blobs.delete(BlobKey(lost.address.blob_key))
    key = BlobKey(short.address.blob_key)
    await here.blobs.put(key, (await here.blobs.get(key, 10**6))[:-1])
    made = await take(here, as_owner, taken, kept)
    assert (made.blob_count, made.missing) == (2, 1)
    _, checked = await elsewhere.restore(taken, kept)
    assert (checked.files, checked.missing, checked.broken) == (3, 1, 1)
    assert set(checked.named) == {lost.address.blob_key, short.address.blob_key}
    again = Installation(
        elsewhere.addresses, elsewhere.database, elsewhere.blobs, elsewhere.keyring
    )
    await again.opens(whole)


async def test_files_are_looked_at_where_they_are(here: Installation) -> None:
    """An envelope of somebody else makes a file broken, as a wrong length does."""
    paper, other = await here.add(10), await here.add(10)
    assert await check_files(here.database, here.blobs, here.keyring) == Checked(2, 0, 0, ())
    async with here.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.sealed_file SET envelope = :other WHERE id = :id"),
            {"other": other.address.envelope, "id": paper.address.id},
        )
    found = await check_files(here.database, here.blobs, here.keyring)
    assert found == Checked(2, 0, 1, (paper.address.blob_key,))


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
    here: Installation,
    as_owner: Database,
    nowhere: Elsewhere,
    taken: Path,
    kept: Path,
    damage: str,
) -> None:
    await here.add(300_000)
    await take(here, as_owner, taken, kept)
    await verify(taken, provider=None)
    DAMAGES[damage](taken)
    with pytest.raises(InvalidBackup):
        await verify(taken, provider=None)
    with pytest.raises(InvalidBackup):
        await nowhere.restore(taken, kept)
    assert await nowhere.is_empty()


async def test_an_altered_backup_is_refused_though_its_hashes_agree(
    here: Installation, as_owner: Database, nowhere: Elsewhere, taken: Path, kept: Path
) -> None:
    """Who writes to the backups, without the keys, cannot give us another database: a grant more,
    for one."""
    await here.add(10)
    await take(here, as_owner, taken, kept)
    flip(taken / manifest.DATABASE)
    said = json.loads((taken / manifest.MANIFEST).read_text())
    changed = (taken / manifest.DATABASE).read_bytes()
    said["manifest"]["database"]["sha256"] = sha256(changed).hexdigest()
    (taken / manifest.MANIFEST).write_text(json.dumps(said))
    await verify(taken, provider=None)
    with pytest.raises(InvalidBackup, match="altered"):
        await verify(taken, provider=here.keyring)
    with pytest.raises(InvalidBackup, match="altered"):
        await nowhere.restore(taken, kept)
    assert await nowhere.is_empty()


async def test_a_backup_cut_short_is_no_backup(
    here: Installation, as_owner: Database, taken: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.add(10)

    async def crash(*_: object) -> str:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(backup_module, "copy", crash)
        with pytest.raises(OSError, match="full"):
            await take(here, as_owner, taken, kept)
    with pytest.raises(InvalidBackup, match="not finished"):
        await verify(taken, provider=None)
    assert await here.sweep()  # the lock is free again


def shortened(path: Path) -> Path:
    data = path.read_bytes()
    short = path.with_name("short")
    short.write_bytes(data[: len(data) * 9 // 10])
    return short


async def test_a_restoration_cut_short_leaves_the_database_empty(
    here: Installation,
    as_owner: Database,
    nowhere: Elsewhere,
    taken: Path,
    kept: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await here.add(10)
    await take(here, as_owner, taken, kept)

    async def cut(database: Database, dumped: Path) -> None:
        await load(database, shortened(dumped))

    load = restore_module.load
    monkeypatch.setattr(restore_module, "load", cut)
    with pytest.raises(ProgramFailed) as failed:
        await nowhere.restore(taken, kept)
    assert "\n" not in str(failed.value)
    async with nowhere.database.transaction() as tx:
        assert await records.is_empty(tx)


# Keys


async def test_the_backup_holds_no_key(
    here: Installation, as_owner: Database, taken: Path, kept: Path
) -> None:
    paper = await here.add(5000)
    await take(here, as_owner, taken, kept)
    lines = json.loads(here.keyring.path.read_text())["versions"]
    secret = (await here.keys.owner(paper.person))._value
    everything = contents(taken)
    for hidden in (lines[0]["key"].encode(), secret, paper.plain[:32], b"Paper", b"title"):
        assert hidden not in everything
        assert hidden.hex().encode() not in everything
    assert [path.name for path in files_of(kept)] == ["keyring.json"]
    for private in (*files_of(kept), taken, taken / manifest.DATABASE):
        assert private.stat().st_mode & 0o077 == 0


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def contents(folder: Path) -> bytes:
    """Every byte of a backup; of its database, the SQL that restores it, nothing compressed."""
    sql = subprocess.run(
        [pg_restore_binary(), "--file=-", folder / manifest.DATABASE],
        check=True,
        capture_output=True,
    ).stdout
    assert b"COPY unefois.document " in sql
    return b"\n".join([sql, *(path.read_bytes() for path in files_of(folder))])


@pytest.mark.parametrize("where", ["", "keys", ".."])
async def test_keys_beside_the_data_are_refused(
    here: Installation, as_owner: Database, taken: Path, where: str
) -> None:
    with pytest.raises(BackupRefused, match="beside the data"):
        await take(here, as_owner, taken, taken / where)
    assert files_of(taken) == []


async def test_without_a_folder_the_keys_stay_where_they_are(
    here: Installation, as_owner: Database, elsewhere: Elsewhere, taken: Path
) -> None:
    """The operator keeps the keyring otherwise, and puts it in its place before restoring."""
    paper = await here.add(10)
    await take(here, as_owner, taken, None)
    with pytest.raises(InvalidBackup, match="our keys do not open"):
        await elsewhere.restore(taken, None)
    here.keyring.copy_to(elsewhere.keyring.path)
    await elsewhere.restore(taken, None)
    again = Installation(
        elsewhere.addresses, elsewhere.database, elsewhere.blobs, elsewhere.keyring
    )
    await again.opens(paper)


async def test_a_backup_older_than_its_keys_is_refused(
    here: Installation,
    as_owner: Database,
    nowhere: Elsewhere,
    tmp_path: Path,
    kept: Path,
    moved: Callable[[timedelta], None],
) -> None:
    """Invariant 8: past the retention an old backup opens nothing, whoever holds it. The copy of
    the keys is replaced by each backup, so that no copy keeps what was destroyed."""
    await here.add(10)
    await take(here, as_owner, tmp_path / "old", kept)
    await rotate(here.database, here.keyring, timedelta(days=7), quiet)
    moved(timedelta(days=8))
    assert len(await retire_due(here.database, here.keyring)) == 1
    await take(here, as_owner, tmp_path / "new", kept)
    assert len(files_of(kept)) == 1
    with pytest.raises((InvalidBackup, BackupRefused)):
        await nowhere.restore(tmp_path / "old", kept)
    assert await nowhere.is_empty()
    await verify(tmp_path / "new", provider=LocalKeyring(kept / "keyring.json"))


async def test_a_backup_needs_keys_that_work(
    here: Installation, as_owner: Database, taken: Path, kept: Path
) -> None:
    """Better told today than on the day of the restoration."""
    here.keyring.path.unlink()
    with pytest.raises(KeyProviderError):
        await take(here, as_owner, taken, kept)


# What is not empty


async def test_nothing_is_written_over(
    here: Installation,
    as_owner: Database,
    nowhere: Elsewhere,
    taken: Path,
    kept: Path,
) -> None:
    await here.add(10)
    await take(here, as_owner, taken, kept)
    with pytest.raises(BackupRefused, match="not empty"):
        await take(here, as_owner, taken, kept)
    stray = BlobKey("files/stray")
    await nowhere.blobs.put(stray, b"x")
    with pytest.raises(BackupRefused, match="store is not empty"):
        await nowhere.restore(taken, kept)
    await nowhere.blobs.delete(stray)
    here.keyring.copy_to(nowhere.keyring.path)
    with pytest.raises(BackupRefused, match="keyring already"):
        await nowhere.restore(taken, kept)
    nowhere.keyring.path.unlink()
    nowhere.keyring.path.parent.rmdir()
    with pytest.raises(BackupRefused, match="database is not empty"):
        await restore(
            taken,
            database=as_owner,
            blobs=nowhere.blobs,
            provider=nowhere.keyring,
            keys_from=kept,
            progress=quiet,
        )
    assert await nowhere.is_empty()


# Memory


async def test_copying_takes_constant_memory(tmp_path: Path) -> None:
    """32 MiB within 2 MiB."""
    one, other = DirectoryStore(tmp_path / "one"), DirectoryStore(tmp_path / "other")
    key, piece = BlobKey("files/large"), secrets.token_bytes(1024 * 1024)
    digest = sha256()
    async with one.writer(key) as writer:
        for _ in range(32):
            digest.update(piece)
            await writer.write(piece)
        await writer.commit()
    tracemalloc.start()
    try:
        assert await copy(one, other, key, 32 * len(piece)) == digest.hexdigest()
        assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    finally:
        tracemalloc.stop()
    await one.close()
    await other.close()
