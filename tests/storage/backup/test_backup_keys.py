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
from tests.storage.backup.installations import Installation, Target, contents, files_of, quiet, take

# Keys


async def test_the_backup_holds_no_key(
    installation: Installation, as_owner: Database, backup_folder: Path, keys_folder: Path
) -> None:
    document = await installation.add(5000)
    await take(installation, as_owner, backup_folder, keys_folder)
    lines = json.loads(installation.keyring.path.read_text())["versions"]
    secret = (await installation.keys.owner(document.person))._value
    everything = contents(backup_folder)
    for hidden in (lines[0]["key"].encode(), secret, document.plain[:32], b"Paper", b"title"):
        assert hidden not in everything
        assert hidden.hex().encode() not in everything
    assert [path.name for path in files_of(keys_folder)] == ["keyring.json"]
    for private in (*files_of(keys_folder), backup_folder, backup_folder / manifest.DATABASE):
        assert private.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("where", ["", "keys", ".."])
async def test_keys_beside_the_data_are_refused(
    installation: Installation, as_owner: Database, backup_folder: Path, where: str
) -> None:
    with pytest.raises(BackupRefused, match="beside the data"):
        await take(installation, as_owner, backup_folder, backup_folder / where)
    assert files_of(backup_folder) == []


async def test_without_a_folder_the_keys_stay_where_they_are(
    installation: Installation, as_owner: Database, target: Target, backup_folder: Path
) -> None:
    """The operator saves the keyring by other means, and puts it back before restoring."""
    document = await installation.add(10)
    await take(installation, as_owner, backup_folder, None)
    with pytest.raises(InvalidBackup, match="our keys do not open"):
        await target.restore(backup_folder, None)
    installation.keyring.copy_to(target.keyring.path)
    await target.restore(backup_folder, None)
    again = Installation(target.addresses, target.database, target.blobs, target.keyring)
    await again.opens(document)


async def test_a_backup_older_than_its_keys_is_refused(
    installation: Installation,
    as_owner: Database,
    bare_target: Target,
    tmp_path: Path,
    keys_folder: Path,
    moved: Callable[[timedelta], None],
) -> None:
    """Invariant 8: after the retention nobody can open an old backup. Each backup replaces the copy
    of the keys, so that no copy keeps a destroyed key."""
    await installation.add(10)
    await take(installation, as_owner, tmp_path / "old", keys_folder)
    await rotate(installation.database, installation.keyring, timedelta(days=7), quiet)
    moved(timedelta(days=8))
    assert len(await retire_due(installation.database, installation.keyring)) == 1
    await take(installation, as_owner, tmp_path / "new", keys_folder)
    assert len(files_of(keys_folder)) == 1
    with pytest.raises((InvalidBackup, BackupRefused)):
        await bare_target.restore(tmp_path / "old", keys_folder)
    assert await bare_target.is_empty()
    await verify(tmp_path / "new", provider=LocalKeyring(keys_folder / "keyring.json"))


async def test_a_backup_needs_keys_that_work(
    installation: Installation, as_owner: Database, backup_folder: Path, keys_folder: Path
) -> None:
    """Better an error now than on the day of the restoration."""
    installation.keyring.path.unlink()
    with pytest.raises(KeyProviderError):
        await take(installation, as_owner, backup_folder, keys_folder)
