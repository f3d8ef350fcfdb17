"""Root versions: creating the first, rotating to the next, and retiring those that are due."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base import clock, locks
from base.database import Database
from base.key_names import ROW_MACS
from storage import records
from storage.keys import Keys, context
from storage.providers import KeyProvider, KeyProviderError

BATCH = 100
_TIMEOUT = 60.0
_POLL_INTERVAL = 0.05
CHECK_SECONDS = 4.0
"""For the answer of a provider to a probe."""


class RotationUnfinished(Exception):
    """Secrets are left under a former root version: run the rotation again to continue."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The result of a rotation.

    `version` is the active root; `resumed` says that an earlier run had created it. `broken` are
    the rows of `wrapped_key` that their own root version does not open: they are not changed, and
    that version is kept. `retiring`: each former root that still exists, and its end date.
    """

    version: str
    rewrapped: int
    resumed: bool
    broken: tuple[UUID, ...] = field(default=())
    retiring: tuple[tuple[str, datetime], ...] = field(default=())


async def initialise(database: Database, provider: KeyProvider) -> str:
    """The active root version; if there is none, exactly one of the starting processes creates it,
    and the secret that authenticates rows.

    A crash in between leaves a version in the provider that wraps nothing.
    """
    async with database.transaction() as tx:
        await locks.hold(tx, locks.KEY_ROTATION)
        active = await records.active_root(tx)
        if active is None:
            active = await provider.create(await records.root_ids(tx))
            await records.add_root(tx, active, provider.name)
            # A database without a root version holds no row yet: the rows of one that does get
            # their MACs by `unefois bind-rows`.
            await Keys(database, provider).create_once(tx, ROW_MACS)
        return active


async def check_root(database: Database, provider: KeyProvider) -> None:
    """Raise unless there is an active root version that the provider can use now;
    `KeyProviderError` also when it does not answer in `CHECK_SECONDS`."""
    async with database.separate_transaction() as tx:
        active = await _active(tx)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await provider.check(active)
    except TimeoutError:
        raise KeyProviderError("timeout") from None


async def rotate(
    database: Database,
    provider: KeyProvider,
    retention: timedelta,
    progress: Callable[[int, int], None],
) -> Rotation:
    """Create a root version, re-wrap every secret under it, and set the end date of the former one.

    It may run while the service runs, and again after a crash or an error: it then continues with
    what is left. `progress` is called with (re-wrapped, total) after each batch. Raises
    `KeyProviderError`, or `RotationUnfinished` when a secret stayed locked by others.
    """
    active, resumed = await _next_root(database, provider, retention)
    rewrapped, broken = await _rewrap_all(database, provider, active, progress)
    async with database.transaction() as tx:
        retiring = await records.retiring_roots(tx)
    return Rotation(active, rewrapped, resumed, tuple(broken), tuple(retiring))


async def retire_due(database: Database, provider: KeyProvider) -> list[str]:
    """Destroy the root versions whose end date is past and which wrap nothing; returns their ids.

    Destroyed first, recorded after: a crash in between is repaired by the next run.
    """
    async with database.transaction() as tx:
        due = await records.due_roots(tx)
        for version in due:
            await provider.destroy(version)
            await records.mark_destroyed(tx, version)
    return due


async def _next_root(
    database: Database, provider: KeyProvider, retention: timedelta
) -> tuple[str, bool]:
    """The root to re-wrap under, and whether it already existed."""
    async with database.transaction() as tx:
        await locks.hold(tx, locks.KEY_ROTATION)
        active = await _active(tx)
        await provider.check(active)
        if await records.count_under_other_roots(tx, active):
            return active, True
        version = await provider.create(await records.root_ids(tx))
        # A crash here leaves a version in the provider that wraps nothing.
        await _lock_root_versions(tx)
        await records.add_root(tx, version, provider.name, retention)
    # From this commit on new secrets are wrapped by the new root; a crash here leaves the others
    # under the former one, which is kept: the next run finds them.
    return version, False


async def _active(connection: AsyncConnection) -> str:
    active = await records.active_root(connection)
    if active is None:
        raise RuntimeError("no root key version yet: run `unefois init`")
    return active


async def _lock_root_versions(connection: AsyncConnection) -> None:
    """Wait until no transaction is wrapping a new secret under the root that is still active.

    Polled, not queued for: later transactions wait behind a queued exclusive lock, and the
    transaction that holds the lock may be waiting for one of them.
    """

    async def acquired() -> bool:
        return await locks.try_hold(connection, locks.ROOT_VERSIONS)

    await _poll(acquired)


async def _rewrap_all(
    database: Database, provider: KeyProvider, active: str, progress: Callable[[int, int], None]
) -> tuple[int, set[UUID]]:
    done, broken = 0, set[UUID]()
    async with database.transaction() as tx:
        total = await records.count_under_other_roots(tx, active)

    async def finished() -> bool:
        """Whether nothing is left; False if the rest is locked by others."""
        nonlocal done
        while True:
            async with database.transaction() as tx:
                rewrapped = await _rewrap_batch(tx, provider, active, broken)
                left = 0 if rewrapped else await records.count_under_other_roots(tx, active)
            # Each batch is one commit; a crash here leaves the rest for the next run.
            if not rewrapped:
                return left <= len(broken)
            done += rewrapped
            progress(done, max(total, done))

    await _poll(finished)
    return done, broken


async def _rewrap_batch(
    tx: AsyncConnection, provider: KeyProvider, active: str, broken: set[UUID]
) -> int:
    """Re-wrap one batch and return its size; rows that do not open are added to `broken`."""
    while rows := await records.keys_under_other_roots(tx, active, BATCH, broken):
        wraps = await asyncio.gather(*(_rewrapped(provider, active, row) for row in rows))
        for row, wrapped in zip(rows, wraps, strict=True):
            if wrapped is None:
                broken.add(row.id)
            else:
                await records.rewrap(tx, row.id, active, wrapped)
        if count := sum(wrapped is not None for wrapped in wraps):
            return count
    return 0


async def _rewrapped(provider: KeyProvider, active: str, row: Row[Any]) -> bytes | None:
    """A row's secret wrapped by the active root; None if its own root cannot open this row."""
    bound_to = context(row.use if row.owner_id is None else str(row.owner_id), row.version)
    try:
        secret = await provider.unwrap(row.root_version, row.wrapped, bound_to)
    except KeyProviderError:
        await provider.check(row.root_version)  # raises if the provider itself fails
        return None
    return await provider.wrap(active, secret, bound_to)


async def _poll(condition: Callable[[], Awaitable[bool]]) -> None:
    """Poll until the condition holds, for at most a minute. Raises `RotationUnfinished`."""
    deadline = clock.monotonic() + _TIMEOUT
    while not await condition():
        if clock.monotonic() > deadline:
            raise RotationUnfinished
        await asyncio.sleep(_POLL_INTERVAL)
