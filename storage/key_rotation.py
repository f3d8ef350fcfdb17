"""Root versions: the first one, the next one, and the end of those whose date is past."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base import clock, locks
from base.database import Database
from storage import records
from storage.keys import context
from storage.providers import KeyProvider, KeyProviderError

BATCH = 100
_PATIENCE = 60.0
_PAUSE = 0.05


class RotationUnfinished(Exception):
    """Secrets are left under a former root version: run the rotation again, which goes on."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did.

    `version` is the active root; `resumed` tells that an earlier run had made it. `broken` are the
    rows of `wrapped_key` that their own root version does not open: they stay as they are, and so
    does that version.
    """

    version: str
    rewrapped: int
    resumed: bool
    broken: tuple[UUID, ...] = field(default=())


async def initialise(database: Database, provider: KeyProvider) -> str:
    """The active root version, made if there is none, by one process however many start.

    A crash in between leaves a version in the provider that wraps nothing.
    """
    async with database.transaction() as tx:
        await locks.hold(tx, locks.KEY_ROTATION)
        active = await records.active_root(tx)
        if active is None:
            active = await provider.create(await records.root_ids(tx))
            await records.add_root(tx, active, provider.name)
        return active


async def check_root(database: Database, provider: KeyProvider) -> None:
    """Raise unless there is an active root version that the provider can use now."""
    async with database.aside() as tx:
        active = await _active(tx)
    await provider.check(active)


async def rotate(
    database: Database,
    provider: KeyProvider,
    retention: timedelta,
    progress: Callable[[int, int], None],
) -> Rotation:
    """Make a root version, put every living secret under it, and date the end of the former one.

    It may be run while the service works, and run again after a crash or an error: it then goes
    on with what is left. `progress` is told (re-wrapped, of how many) after each batch. Raises
    `KeyProviderError`, or `RotationUnfinished` when a secret stayed locked by others.
    """
    active, resumed = await _next_root(database, provider, retention)
    rewrapped, broken = await _rewrap_all(database, provider, active, progress)
    return Rotation(active, rewrapped, resumed, tuple(broken))


async def retire_due(database: Database, provider: KeyProvider) -> list[str]:
    """Destroy the root versions whose date is past and which wrap nothing; returns their ids.

    Destroyed first, noted after: a crash in between is made good by the next run.
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
    """The root to re-wrap under, and whether it was there already."""
    async with database.transaction() as tx:
        await locks.hold(tx, locks.KEY_ROTATION)
        active = await _active(tx)
        await provider.check(active)
        if await records.count_under_other_roots(tx, active):
            return active, True
        version = await provider.create(await records.root_ids(tx))
        # A crash here leaves a version in the provider that wraps nothing.
        await _alone(tx)
        await records.add_root(tx, version, provider.name, retention)
    # From this commit on new secrets go under the new root; a crash here leaves the others under
    # the former one, which lives on: the next run finds them.
    return version, False


async def _active(connection: AsyncConnection) -> str:
    active = await records.active_root(connection)
    if active is None:
        raise RuntimeError("no root key version yet: run `unefois init`")
    return active


async def _alone(connection: AsyncConnection) -> None:
    """Wait until nobody is wrapping a new secret under the root that is active still.

    Asked again and again rather than queued for: those who come after a queued exclusive lock wait
    behind it, and one of them may be what the transaction that holds the lock is waiting for.
    """

    async def taken() -> bool:
        return await locks.try_hold(connection, locks.ROOT_VERSIONS)

    await _until(taken)


async def _rewrap_all(
    database: Database, provider: KeyProvider, active: str, progress: Callable[[int, int], None]
) -> tuple[int, set[UUID]]:
    done, broken = 0, set[UUID]()
    async with database.transaction() as tx:
        total = await records.count_under_other_roots(tx, active)

    async def finished() -> bool:
        """Whether nothing is left; False when others hold what is."""
        nonlocal done
        while True:
            async with database.transaction() as tx:
                found = await _rewrap_some(tx, provider, active, broken)
                left = 0 if found else await records.count_under_other_roots(tx, active)
            # Each batch is one commit; a crash here leaves the rest for the next run.
            if not found:
                return left <= len(broken)
            done += found
            progress(done, max(total, done))

    await _until(finished)
    return done, broken


async def _rewrap_some(
    tx: AsyncConnection, provider: KeyProvider, active: str, broken: set[UUID]
) -> int:
    """Re-wrap one batch and return how many; the rows that do not open are added to `broken`."""
    while rows := await records.keys_under_other_roots(tx, active, BATCH, broken):
        wraps = await asyncio.gather(*(_under(provider, active, row) for row in rows))
        for row, wrapped in zip(rows, wraps, strict=True):
            if wrapped is None:
                broken.add(row.id)
            else:
                await records.rewrap(tx, row.id, active, wrapped)
        if some := sum(wrapped is not None for wrapped in wraps):
            return some
    return 0


async def _under(provider: KeyProvider, active: str, row: Row[Any]) -> bytes | None:
    """A row's secret under the active root; None if its own root refuses this very row."""
    bound = context(row.use if row.owner_id is None else str(row.owner_id), row.version)
    try:
        secret = await provider.unwrap(row.root_version, row.wrapped, bound)
    except KeyProviderError:
        await provider.check(row.root_version)  # raises when it is the provider that fails
        return None
    return await provider.wrap(active, secret, bound)


async def _until(settled: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes, for a minute at most."""
    until = clock.monotonic() + _PATIENCE
    while not await settled():
        if clock.monotonic() > until:
            raise RotationUnfinished
        await asyncio.sleep(_PAUSE)
