"""Every advisory lock of PostgreSQL that the service takes: one registry, so that no two meet.

The numbers and the tag are part of what running processes of two releases agree on: never change
one. Locks named by a tag (a phone, an e-mail) take its first eight bytes; keyed tags are random
enough never to meet the numbers below.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

MIGRATIONS = 0x756E65666F6973
"""Held for its session by whoever migrates."""

ROOT_VERSIONS = 0x756E6566_6F697301
"""Shared by whoever wraps a secret under the active root; taken alone to change which it is."""

KEY_ROTATION = 0x756E6566_6F697302
"""Held while the root of every key is being rotated, and while due versions are retired."""

BLOBS = 0x756E6566_6F697303
"""Shared by backups; taken alone to delete blobs."""

SEQUENCER = 0x756E6566_6F697304
"""Held for its session by the one process that integrates the log."""

PUBLISHER = 0x756E6566_6F697305
"""Held while a checkpoint is published."""

SIGNING_KEYS = b"unefois signing keys"
"""Held while the keys that sign access tokens are made or rotated."""


async def hold(connection: AsyncConnection, lock: int) -> None:
    """Wait for a lock, and keep it until the transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(lock)))


async def hold_shared(connection: AsyncConnection, lock: int) -> None:
    """`hold`, together with others who share it."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(lock)))


async def try_hold(connection: AsyncConnection, lock: int) -> bool:
    """`hold` without waiting: whether it was taken."""
    return bool(
        (await connection.execute(select(func.pg_try_advisory_xact_lock(lock)))).scalar_one()
    )


async def hold_tag(connection: AsyncConnection, tag: bytes) -> None:
    """`hold`, for the lock named by a tag of eight bytes or more.

    The statements that follow see whatever its last holder committed.
    """
    await hold(connection, int.from_bytes(tag[:8], "big", signed=True))
