"""What the keys stop: a thief of the disks, of a backup, or with write access to the database.

A thief of the keyring *and* of the database reads everything; no test here claims otherwise.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.engine import RowMapping

from base.database import Database
from base.ids import new_id
from storage import floe
from storage.blobs import BlobKey
from storage.blobs.directory import DirectoryStore
from storage.content import InvalidContent, SealedContent, content_writer, open_content
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError, FieldEncryption
from storage.key_rotation import retire_due, rotate
from storage.keys import Keys, context
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.blobs.conftest import directory
from tests.storage.conftest import (
    as_owner,
    database,
    keyring,
    keys,
    keys_postgres,
    moved,
    new_postgres,
)
from tests.storage.owners import new_owner

__all__ = [
    "as_owner",
    "database",
    "directory",
    "keyring",
    "keys",
    "keys_postgres",
    "moved",
    "new_postgres",
]

SECRET = b"Titre de sejour n. 9912345678 " * 40


def no_progress(_done: int, _of: int) -> None:
    pass


async def seal(blobs: DirectoryStore, keys: Keys, owner: Any) -> SealedContent:
    async with content_writer(blobs, keys, owner, "original", version_id=new_id()) as one:
        await one.write(SECRET)
        return await one.commit()


def edited_row(file: SealedContent, **other: Any) -> SealedContent:
    """The file's row, edited."""
    return replace(file, address=replace(file.address, **other))


async def read(blobs: DirectoryStore, keys: Keys, owner: Any, file: SealedContent) -> bytes:
    address = file.address
    opened = await open_content(blobs, keys, owner, address)
    return b"".join([bytes(piece) async for piece in opened.slices()])


async def rows(database: Database, owner: UUID) -> list[RowMapping]:
    """The wrapped keys of an owner."""
    query = text("SELECT * FROM unefois.wrapped_key WHERE owner_id = :owner")
    async with database.transaction() as tx:
        return list((await tx.execute(query, {"owner": owner})).mappings())


async def test_another_persons_wrap_opens_nothing(
    keys: Keys, database: Database, as_owner: Database, directory: DirectoryStore
) -> None:
    """An attacker who may write to the database gives the victim's wrapped key to their own vault,
    and has the service, which has the root key, open the victim's file with it."""
    victim, thief = await new_owner(keys, database), await new_owner(keys, database)
    file = await seal(directory, keys, victim)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text(
                "UPDATE unefois.wrapped_key AS a SET wrapped = b.wrapped, version = b.version,"
                " root_version = b.root_version FROM unefois.wrapped_key AS b"
                " WHERE a.owner_id = :thief AND b.owner_id = :victim"
            ),
            {"thief": thief, "victim": victim},
        )
    keys.forget_all()
    with pytest.raises(KeyProviderError):
        await read(directory, keys, thief, file)
    assert await read(directory, keys, victim, file) == SECRET


async def test_another_persons_rows_open_nothing(
    keys: Keys, database: Database, directory: DirectoryStore
) -> None:
    """The same with what the victim's key sealed: the envelope, the blob, a row."""
    victim, thief = await new_owner(keys, database), await new_owner(keys, database)
    theirs, mine = await seal(directory, keys, victim), await seal(directory, keys, thief)
    with pytest.raises(InvalidContent):
        await read(directory, keys, thief, theirs)
    for edited in (
        edited_row(mine, envelope=theirs.address.envelope),
        edited_row(mine, blob_key=theirs.blob_key),
        edited_row(mine, id=theirs.address.id, blob_key=theirs.blob_key),
        edited_row(mine, version_id=theirs.address.version_id),
        edited_row(mine, position=1),
    ):
        with pytest.raises(InvalidContent):
            await read(directory, keys, thief, edited)
    fields, row = FieldEncryption(keys), new_id()
    sealed = (await fields.writer(victim)).seal("document", row, {"title": "Jugement"})
    with pytest.raises(DecryptionError):
        (await fields.reader(thief)).open("document", row, sealed)


async def test_a_recipients_rendition_is_not_the_original(
    keys: Keys, database: Database, directory: DirectoryStore
) -> None:
    """The original, with its GPS position and device, cannot be served in place of a rendition."""
    person = await new_owner(keys, database)
    original = await seal(directory, keys, person)
    for role in ("rendition", "preview", "thumbnail"):
        with pytest.raises(InvalidContent):
            await read(directory, keys, person, edited_row(original, role=role))


async def test_the_disks_without_the_keyring_open_nothing(
    keys: Keys, database: Database, directory: DirectoryStore, tmp_path: Path
) -> None:
    """Database and store stolen: the thief's own keyring of the same version opens nothing."""
    person = await new_owner(keys, database)
    file = await seal(directory, keys, person)
    (row,) = await rows(database, person)
    theirs = LocalKeyring(tmp_path / "thief" / "keyring.json")
    made = await theirs.create()
    content = json.loads(theirs.path.read_text().replace(made, row["root_version"]))
    theirs.path.write_text(json.dumps(content))
    with pytest.raises(KeyProviderError):
        await read(directory, Keys(database, theirs), person, file)
    stored = await directory.get(BlobKey(file.blob_key), 10_000_000)
    for known in (row["wrapped"], file.address.envelope, bytes(32)):
        with pytest.raises(floe.InvalidCiphertext):
            floe.open_bytes(known[:32], b"", stored)


async def test_erased_is_unreadable_and_past_the_retention_in_backups_too(
    keys: Keys,
    database: Database,
    directory: DirectoryStore,
    keyring: LocalKeyring,
    moved: Callable[[timedelta], None],
) -> None:
    """Invariant 8: unreadable by the service at once, in old backups from the announced day."""
    person = await new_owner(keys, database)
    file = await seal(directory, keys, person)
    (backup,) = await rows(database, person)

    async with database.transaction() as tx:
        await keys.destroy_owner(tx, person)
    keys.forget(str(person))
    with pytest.raises(KeyDestroyed):
        await read(directory, keys, person, file)

    async def opens_from_backup() -> bool:
        try:
            await keyring.unwrap(
                backup["root_version"], backup["wrapped"], context(str(person), backup["version"])
            )
        except KeyProviderError:
            return False
        return True

    assert await opens_from_backup()
    await rotate(database, keyring, timedelta(days=35), no_progress)
    moved(timedelta(days=34))
    await retire_due(database, keyring)
    assert await opens_from_backup()
    moved(timedelta(days=35, minutes=5))
    await retire_due(database, keyring)
    assert not await opens_from_backup()


async def test_the_keyrings_file_is_refused_once_others_may_read_it(
    keys: Keys, database: Database, keyring: LocalKeyring
) -> None:
    """A careless `chmod` or `cp` is reported at the next start, before a thief finds it."""
    person = await new_owner(keys, database)
    keyring.path.chmod(0o644)
    with pytest.raises(KeyProviderError, match="open to other accounts"):
        await Keys(database, LocalKeyring(keyring.path)).owner(person)
