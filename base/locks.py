"""Every PostgreSQL advisory lock of the service, in one registry so that no two collide.

Running processes of two releases must agree on the numbers and the tag: never change one. Locks
named by a tag (a phone, an e-mail) take its first eight bytes; keyed tags are random enough not to
collide with the numbers below.
"""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

MIGRATIONS = 0x756E65666F6973
"""Held during the session that migrates."""

ROOT_VERSIONS = 0x756E6566_6F697301
"""Shared while a secret is wrapped under the active root; exclusive to change the active root."""

KEY_ROTATION = 0x756E6566_6F697302
"""Held while a root version is created and made active."""

BLOBS = 0x756E6566_6F697303
"""Shared by backups; exclusive to delete blobs."""

SEQUENCER = 0x756E6566_6F697304
"""Held during the session of the one process that integrates the log."""

PUBLISHER = 0x756E6566_6F697305
"""Held while a checkpoint is published."""

SIGNING_KEYS = b"unefois signing keys"
"""Held while the keys that sign access tokens are made or rotated."""


async def hold(connection: AsyncConnection, lock: int) -> None:
    """Wait for a lock and hold it until the transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(lock)))


async def hold_shared(connection: AsyncConnection, lock: int) -> None:
    """`hold`, shared with other holders of the same kind."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(lock)))


async def try_hold(connection: AsyncConnection, lock: int) -> bool:
    """`hold` without waiting; returns whether it was acquired."""
    return bool(
        (await connection.execute(select(func.pg_try_advisory_xact_lock(lock)))).scalar_one()
    )


async def hold_tag(connection: AsyncConnection, tag: bytes) -> None:
    """`hold` for the lock named by a tag of eight bytes or more.

    The statements that follow see everything that its last holder committed.
    """
    await hold(connection, int.from_bytes(tag[:8], "big", signed=True))
