"""Backups hold no key: the keys are copied to another folder."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from base.database import Database
from storage.backup import manifest
from storage.backup.create import BackupRefused, verify
from storage.backup.manifest import InvalidBackup
from storage.key_rotation import retire_due, rotate
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.backup.installations import (
    Elsewhere,
    Installation,
    contents,
    files_of,
    quiet,
    take,
)

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
    """The operator saves the keyring by other means, and puts it back before restoring."""
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
    """Invariant 8: after the retention nobody can open an old backup. Each backup replaces the copy
    of the keys, so that no copy keeps a destroyed key."""
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
    """Better an error now than on the day of the restoration."""
    here.keyring.path.unlink()
    with pytest.raises(KeyProviderError):
        await take(here, as_owner, taken, kept)
