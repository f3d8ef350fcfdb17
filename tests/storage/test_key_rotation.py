"""Rotation: everything opens before, during and after; the next run completes one that crashed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from base.database import Database
from storage import key_rotation, records
from storage.field_encryption import FieldEncryption
from storage.key_rotation import RotationUnfinished, check_root, initialise, retire_due, rotate
from storage.keys import Keys
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.owners import new_owner
from tests.storage.rotated_vault import RETENTION, SECRETS, Crash, Move, Vault, crash_at, quiet


@pytest.fixture
def batches_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 2)


# The first root version


async def test_the_first_root_is_made_once(database: Database, keyring: LocalKeyring) -> None:
    """By six processes at the same time, and again later."""
    versions = await asyncio.gather(
        *(initialise(database, LocalKeyring(keyring.path)) for _ in range(6))
    )
    assert len(set(versions)) == 1
    assert await initialise(database, keyring) == versions[0]
    assert keyring.path.read_text().count('"key"') == 1


async def test_a_root_that_cannot_be_used_is_told(
    database: Database, keyring: LocalKeyring
) -> None:
    with pytest.raises(RuntimeError, match="unefois init"):
        await check_root(database, keyring)
    await initialise(database, keyring)
    await check_root(database, keyring)
    keyring.path.unlink()
    with pytest.raises(KeyProviderError):
        await check_root(database, keyring)


# A whole rotation


@pytest.mark.usefixtures("batches_of_two")
async def test_everything_moves_under_a_new_root(vault: Vault) -> None:
    (old_root,) = await vault.roots()
    progress: list[tuple[int, int]] = []
    result = await rotate(
        vault.database, vault.provider, RETENTION, lambda *at: progress.append(at)
    )
    assert (result.rewrapped, result.resumed, result.broken) == (SECRETS, False, ())
    assert progress == [(done, SECRETS) for done in (2, 4, 6, 7)]
    assert await vault.secrets_by_root() == {result.version: SECRETS}
    roots = await vault.roots()
    assert roots[result.version][0]
    active, retire_at, destroyed_at = roots[old_root]
    assert not active
    assert destroyed_at is None
    assert retire_at is not None
    async with vault.database.transaction() as tx:
        left = retire_at - await tx.scalar(text("SELECT unefois.now()"))
    assert timedelta(0) <= RETENTION - left < timedelta(minutes=5)
    await vault.opens()


async def test_a_cached_secret_lives_through_a_rotation(vault: Vault) -> None:
    """Secrets do not change: those in the memory of a running service still open and seal."""
    fields = FieldEncryption(Keys(vault.database, vault.provider))
    owner_id = next(owner for owner in vault.sealed if owner is not None)
    before = await fields.writer(owner_id)
    await rotate(vault.database, vault.provider, RETENTION, quiet)
    vault.sealed[owner_id] = before.seal("document", owner_id, {"of": str(owner_id)})
    await vault.opens()


async def test_a_rotation_is_for_a_usable_root(vault: Vault) -> None:
    """A service that lost its keyring must not create a new root version silently."""
    vault.provider.path.unlink()
    with pytest.raises(KeyProviderError):
        await rotate(vault.database, vault.provider, RETENTION, quiet)
    assert len(await vault.roots()) == 1
    assert not vault.provider.path.exists()


CRASHES = [
    pytest.param("provider", "create", False, 1, True, id="before the new root"),
    pytest.param("provider", "create", True, 1, True, id="made in the provider only"),
    pytest.param("records", "add_root", False, 1, True, id="before its row"),
    pytest.param("records", "add_root", True, 1, True, id="its row not committed"),
    pytest.param("rotation", "_next_root", True, 1, False, id="its row committed"),
    pytest.param("provider", "wrap", False, 1, False, id="before the first wrap"),
    pytest.param("records", "rewrap", True, 1, False, id="in the first batch"),
    pytest.param("rotation", "_rewrap_batch", True, 1, False, id="before its commit"),
    pytest.param("records", "rewrap", False, 4, False, id="in the second batch"),
    pytest.param("rotation", "_rewrap_batch", False, 5, False, id="after the last batch"),
]


@pytest.mark.usefixtures("batches_of_two")
@pytest.mark.parametrize(("where", "name", "after", "at", "begun_anew"), CRASHES)
async def test_a_crash_is_made_good_by_the_next_run(
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    name: str,
    after: bool,
    at: int,
    begun_anew: bool,
) -> None:
    place = {"provider": vault.provider, "records": records, "rotation": key_rotation}[where]
    with monkeypatch.context() as patched:
        crash_at(patched, place, name, after=after, at=at)
        with pytest.raises(Crash):
            await rotate(vault.database, vault.provider, RETENTION, quiet)
    await vault.opens()
    await vault.add(1)
    crashed_after_all = name == "_rewrap_batch" and at == 5
    result = await rotate(vault.database, vault.provider, RETENTION, quiet)
    assert len(await vault.roots()) == (3 if crashed_after_all else 2)
    assert result.resumed is not (begun_anew or crashed_after_all)
    assert await vault.secrets_by_root() == {result.version: SECRETS + 1}
    await vault.opens()


# While the service runs


async def test_keys_made_meanwhile_are_under_the_new_root(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 1)

    async def service() -> None:
        for _ in range(10):
            await vault.add(1)

    _, result = await asyncio.gather(
        service(), rotate(vault.database, vault.provider, RETENTION, quiet)
    )
    assert await vault.secrets_by_root() == {result.version: SECRETS + 10}
    await vault.opens()


async def test_a_key_wrapped_but_not_committed_is_waited_for(vault: Vault) -> None:
    """No secret stays under the old root: it could not be destroyed on its date, and the next
    rotation would be taken for this one, unfinished."""
    keys = Keys(vault.database, vault.provider)
    owner_id = UUID(int=77)
    async with (
        asyncio.timeout(20),
        asyncio.TaskGroup() as group,
        vault.database.transaction() as tx,
    ):
        await keys.create_owner(tx, owner_id)
        running = group.create_task(rotate(vault.database, vault.provider, RETENTION, quiet))
        await until_created(vault, 2)
        # New secrets created meanwhile do not wait for the rotation.
        await new_owner(keys, vault.database)
        ended, _ = await asyncio.wait([running], timeout=0.3)
        assert not ended
    assert await vault.secrets_by_root() == {running.result().version: SECRETS + 2}


async def until_created(vault: Vault, versions: int) -> None:
    """Wait until the keyring holds that many versions."""
    while vault.provider.path.read_text().count('"key"') < versions:  # noqa: ASYNC110  (a file)
        await asyncio.sleep(0.01)


async def test_two_rotations_at_once_are_one(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 1)
    first, second = await asyncio.gather(
        rotate(vault.database, vault.provider, RETENTION, quiet),
        rotate(vault.database, LocalKeyring(vault.provider.path), RETENTION, quiet),
    )
    assert first.version == second.version
    assert first.rewrapped + second.rewrapped == SECRETS
    assert await vault.secrets_by_root() == {first.version: SECRETS}


async def test_a_row_held_by_another_is_told_in_the_end(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_rotation, "_TIMEOUT", 0.2)
    owner_id = next(owner for owner in vault.sealed if owner is not None)
    async with vault.database.transaction() as tx:
        await tx.execute(
            text("SELECT FROM unefois.wrapped_key WHERE owner_id = :one FOR UPDATE"),
            {"one": owner_id},
        )
        with pytest.raises(RotationUnfinished):
            await rotate(vault.database, vault.provider, RETENTION, quiet)
    result = await rotate(vault.database, vault.provider, RETENTION, quiet)
    assert (result.resumed, result.rewrapped) == (True, 1)


async def test_an_erasure_meanwhile_stays_an_erasure(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret deleted during the rotation is not written back."""
    monkeypatch.setattr(key_rotation, "BATCH", 1)
    owner_id = [owner for owner in vault.sealed if owner is not None][-1]
    keys = Keys(vault.database, vault.provider)

    async def erase() -> None:
        async with vault.database.transaction() as tx:
            await keys.destroy_owner(tx, owner_id)

    await asyncio.gather(erase(), rotate(vault.database, vault.provider, RETENTION, quiet))
    del vault.sealed[owner_id]
    assert sum((await vault.secrets_by_root()).values()) == SECRETS - 1
    await vault.opens()


async def test_a_broken_row_does_not_hold_up_the_others(vault: Vault, moved: Move) -> None:
    owner_id = next(owner for owner in vault.sealed if owner is not None)
    async with vault.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.wrapped_key SET wrapped = '\\x00' WHERE owner_id = :one"),
            {"one": owner_id},
        )
    result = await rotate(vault.database, vault.provider, RETENTION, quiet)
    assert result.rewrapped == SECRETS - 1
    assert len(result.broken) == 1
    moved(RETENTION + timedelta(days=1))
    assert await retire_due(vault.database, vault.provider) == []


async def test_a_root_of_trust_that_fails_breaks_no_row(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> bytes:
        raise KeyProviderError("down")

    with monkeypatch.context() as patched:
        patched.setattr(vault.provider, "unwrap", down)
        patched.setattr(vault.provider, "check", down)
        with pytest.raises(KeyProviderError):
            await rotate(vault.database, vault.provider, RETENTION, quiet)
    result = await rotate(vault.database, vault.provider, RETENTION, quiet)
    assert (result.rewrapped, result.broken) == (SECRETS, ())
