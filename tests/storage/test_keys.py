"""Keys: cached for at most a minute, dropped on notice, bound to their row, gone when destroyed."""

import asyncio
from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from base import clock
from base.database import Database
from base.ids import new_id
from base.key_names import ROW_MACS
from base.pipeline import fetch_one
from storage import keys as keys_module
from storage import records
from storage.errors import KeyDestroyed, KeyMissing
from storage.key_rotation import initialise
from storage.keys import CACHE_SECONDS, CHANNEL, Keys, Secret
from storage.providers import KeyProviderError
from storage.providers.local import LocalKeyring
from tests.storage.owners import new_owner


class Counting(LocalKeyring):
    """The real keyring, with a counter of unwraps since the home was initialised."""

    opened = 0

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        self.opened += 1
        return await super().unwrap(version, wrapped, context)


@pytest.fixture
async def counting(database: Database, keyring: LocalKeyring) -> Counting:
    provider = Counting(keyring.path)
    await initialise(database, provider)
    provider.opened = 0
    return provider


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of the monotonic clock, which the test moves: `passing[0] += 30`."""
    at = [1000.0]
    monkeypatch.setattr(clock, "monotonic", lambda: at[0])
    return at


async def test_a_secret_is_cached_for_a_minute_and_no_longer(
    database: Database, counting: Counting, passing: list[float]
) -> None:
    keys = Keys(database, counting)
    owner_id = await new_owner(keys, database)
    await keys.owner(owner_id)
    passing[0] += CACHE_SECONDS - 0.01
    await keys.owner(owner_id)
    assert counting.opened == 1
    passing[0] += 0.01
    await keys.owner(owner_id)
    assert counting.opened == 2
    assert CACHE_SECONDS <= 60


async def test_a_secret_destroyed_while_it_was_read_is_not_kept(
    database: Database, keyring: LocalKeyring
) -> None:
    """Another process destroys it after its row is read and before it is unwrapped, and notifies
    once: the unwrapped secret serves the current call only."""

    class Slow(LocalKeyring):
        async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
            async with database.transaction() as tx:
                await records.destroy_owner_key(tx, owner_id)
            keys.forget(str(owner_id))
            return await super().unwrap(version, wrapped, context)

    await initialise(database, keyring)
    keys = Keys(database, Slow(keyring.path))
    owner_id = await new_owner(keys, database)
    await keys.owner(owner_id)
    with pytest.raises(KeyDestroyed):
        await keys.owner(owner_id)


async def test_the_minute_starts_before_the_row_is_unwrapped(
    database: Database, counting: Counting, passing: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow key provider must not extend the life of a key that was destroyed meanwhile."""
    keys = Keys(database, counting)
    owner_id = await new_owner(keys, database)
    unwrap = counting.unwrap

    async def slow(version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        passing[0] += CACHE_SECONDS
        return await unwrap(version, wrapped, context)

    monkeypatch.setattr(counting, "unwrap", slow)
    await keys.owner(owner_id)
    await keys.owner(owner_id)
    assert counting.opened == 2


@pytest.mark.parametrize("everything", [False, True])
async def test_a_secret_is_dropped_when_told(
    database: Database, counting: Counting, everything: bool
) -> None:
    keys = Keys(database, counting)
    owner_id = await new_owner(keys, database)
    await keys.owner(owner_id)
    if everything:
        keys.forget_all()
    else:
        keys.forget(str(owner_id))
    await keys.owner(owner_id)
    assert counting.opened == 2


async def test_a_destroyed_secret_opens_nothing(keys: Keys, database: Database) -> None:
    owner_id = await new_owner(keys, database)
    async with database.transaction() as tx:
        await keys.destroy_owner(tx, owner_id)
    with pytest.raises(KeyDestroyed):
        await keys.owner(owner_id)
    with pytest.raises(KeyDestroyed):
        await keys.owner(new_id())


async def test_processes_hear_of_a_destroyed_secret_once_it_is(
    keys: Keys, database: Database
) -> None:
    owner_id = await new_owner(keys, database)
    async with database.listening(CHANNEL) as listener:
        async with database.transaction() as tx:
            await keys.destroy_owner(tx, owner_id)
            assert [notice async for notice in listener.notifies(timeout=0.1)] == []
        payloads = [notice.payload async for notice in listener.notifies(timeout=5, stop_after=1)]
    assert payloads == [str(owner_id)]


async def test_a_secret_is_made_with_its_owner_or_not_at_all(
    keys: Keys, database: Database
) -> None:
    owner_id = new_id()
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await keys.create_owner(tx, owner_id)
            await keys.owner(owner_id, tx)
            raise ZeroDivisionError
    keys.forget_all()
    with pytest.raises(KeyDestroyed):
        await keys.owner(owner_id)


async def test_another_persons_wrap_is_refused(keys: Keys, database: Database) -> None:
    """Someone who can write to the database cannot give one person's secret to another."""
    owner_id, other = await new_owner(keys, database), await new_owner(keys, database)
    async with database.transaction() as tx:
        await tx.execute(
            text(
                "UPDATE unefois.wrapped_key AS a SET wrapped = b.wrapped"
                " FROM unefois.wrapped_key AS b WHERE a.owner_id = :one AND b.owner_id = :other"
            ),
            {"one": owner_id, "other": other},
        )
    with pytest.raises(KeyProviderError):
        await keys.owner(owner_id)
    await keys.owner(other)


async def test_a_wrap_of_another_version_is_refused(
    keys: Keys, database: Database, as_owner: Database
) -> None:
    """Which the service's role may not even write."""
    owner_id = await new_owner(keys, database)
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with database.transaction() as tx:
            await tx.execute(text("UPDATE unefois.wrapped_key SET version = 2"))
    async with as_owner.transaction() as tx:
        await tx.execute(text("UPDATE unefois.wrapped_key SET version = 2"))
    with pytest.raises(KeyProviderError):
        await keys.owner(owner_id)


async def test_a_service_secret_is_made_once_by_whoever_comes_first(
    database: Database, keyring: LocalKeyring
) -> None:
    await initialise(database, keyring)
    processes = [Keys(database, keyring) for _ in range(4)]
    secrets = await asyncio.gather(*(process.service("index/phone") for process in processes))
    assert len({secret.derive("tag") for secret in secrets}) == 1
    async with database.transaction() as tx:
        made = await tx.execute(text("SELECT use FROM unefois.wrapped_key ORDER BY use"))
        assert list(made.scalars()) == ["index/phone", ROW_MACS]


async def test_the_secret_that_authenticates_rows_is_never_made_again(
    database: Database, keyring: LocalKeyring
) -> None:
    await initialise(database, keyring)
    async with database.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.wrapped_key"))
    await initialise(database, keyring)
    with pytest.raises(KeyMissing):
        await Keys(database, keyring).service(ROW_MACS)


async def test_nothing_is_wrapped_before_there_is_a_root(
    database: Database, keyring: LocalKeyring
) -> None:
    with pytest.raises(RuntimeError, match="unefois init"):
        await new_owner(Keys(database, keyring), database)


async def test_the_cache_is_bounded(
    database: Database, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_module, "CACHE_SIZE", 2)
    keys = Keys(database, counting)
    people = [await new_owner(keys, database) for _ in range(3)]
    for owner_id in people:
        await keys.owner(owner_id)
    await keys.owner(people[2])
    assert counting.opened == 3
    await keys.owner(people[0])
    assert counting.opened == 4


async def test_derived_keys_differ_by_subject_version_and_purpose() -> None:
    value = bytes(32)
    derived = {
        Secret(subject, version, value).derive(purpose)
        for subject in ("a", "b")
        for version in (1, 2)
        for purpose in ("fields/person", "fields/document")
    }
    assert len(derived) == 8
    assert all(len(key) == 32 for key in derived)


async def test_a_secret_shows_nothing_of_itself(keys: Keys, database: Database) -> None:
    owner_id = await new_owner(keys, database)
    secret = await keys.owner(owner_id)
    key = secret.derive("fields/person")
    async with database.transaction() as tx:
        row = await fetch_one(tx, records.owner_key(owner_id))
    assert row is not None
    shown = f"{secret!r} {secret} {keys!r}"
    for hidden in (secret._value, key, row.wrapped):
        assert repr(hidden)[2:-1] not in shown
        assert hidden.hex() not in shown
