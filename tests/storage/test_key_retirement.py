"""The end of a root version: after it is destroyed on its date, no old backup opens."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from base.database import Database
from storage import key_rotation
from storage.key_rotation import retire_due, rotate
from storage.keys import context
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.rotated_vault import RETENTION, SECRETS, Crash, Move, Vault, crash_at, quiet

# The end of a root version


async def rows(database: Database) -> list[Mapping[str, Any]]:
    async with database.transaction() as tx:
        result = await tx.execute(text("SELECT * FROM unefois.wrapped_key"))
        return [dict(row) for row in result.mappings()]


async def test_after_its_date_an_old_backup_opens_no_more(vault: Vault, moved: Move) -> None:
    """Invariant 8: until that date the backup opens, erased people included; after it, nothing."""
    backup = await rows(vault.database)
    (old_root,) = await vault.roots()
    result = await rotate(vault.database, vault.provider, RETENTION, quiet)

    async def opens(row: Mapping[str, Any]) -> bool:
        subject = row["use"] or str(row["owner_id"])
        try:
            await LocalKeyring(vault.provider.path).unwrap(
                row["root_version"], row["wrapped"], context(subject, row["version"])
            )
        except KeyProviderError:
            return False
        return True

    moved(RETENTION - timedelta(hours=1))
    assert await retire_due(vault.database, vault.provider) == []
    assert [await opens(row) for row in backup] == [True] * SECRETS

    moved(RETENTION + timedelta(hours=1))
    assert await retire_due(vault.database, vault.provider) == [old_root]
    assert [await opens(row) for row in backup] == [False] * SECRETS
    assert (await vault.roots())[old_root][2] is not None
    assert [await opens(row) for row in await rows(vault.database)] == [True] * SECRETS
    await vault.opens()
    assert await retire_due(vault.database, vault.provider) == []
    assert list(await vault.secrets_by_root()) == [result.version]


async def test_a_root_in_use_is_never_destroyed(
    vault: Vault, moved: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unfinished rotation keeps the old root version after its date."""
    with monkeypatch.context() as patched:
        crash_at(patched, key_rotation, "_next_root", after=True)
        with pytest.raises(Crash):
            await rotate(vault.database, vault.provider, RETENTION, quiet)
    moved(RETENTION + timedelta(hours=1))
    assert await retire_due(vault.database, vault.provider) == []
    await vault.opens()


@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_while_destroying_is_made_good(
    vault: Vault, moved: Move, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    (old_root,) = await vault.roots()
    await rotate(vault.database, vault.provider, RETENTION, quiet)
    moved(RETENTION + timedelta(hours=1))
    with monkeypatch.context() as patched:
        crash_at(patched, vault.provider, "destroy", after=after)
        with pytest.raises(Crash):
            await retire_due(vault.database, vault.provider)
    assert await retire_due(vault.database, vault.provider) == [old_root]
    await vault.opens()
