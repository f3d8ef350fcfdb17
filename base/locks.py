"""Every PostgreSQL advisory lock of the service, in one registry so that no two collide.

Running processes of two releases must agree on them: never change one. Some are named by a tag of
which the first eight bytes count: keyed tags of an address, of an idempotency key, of a sender's
rate limit; and a vault by the random half of its person's id. These are random enough not to
collide with the numbers below.
"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from base.statements import Bound, Statement

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

RECEIPT_KEYS = b"unefois receipt keys"
"""Held while a key that signs receipts is made or renewed."""

CLOSING = b"unefois closing"
"""Held while the closing of the service is announced or cancelled."""


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


async def hold_vault(connection: AsyncConnection, person_id: UUID) -> None:
    """`hold`, for the one writer at a time of a person's vault: by the random half of their id."""
    await hold_tag(connection, person_id.bytes[8:])


async def hold_tag(connection: AsyncConnection, tag: bytes) -> None:
    """`hold` for the lock named by a tag of eight bytes or more.

    The statements that follow see everything that its last holder committed.
    """
    await hold(connection, _number(tag))


async def hold_tags(connection: AsyncConnection, tags: Iterable[bytes]) -> None:
    """`hold_tag` for each of several, in one order for everyone: two who want the same ones do not
    wait for each other."""
    for number in sorted({_number(tag) for tag in tags}):
        await hold(connection, number)


_HOLD = Statement(select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger()))))


def held_vault(person_id: UUID) -> Bound:
    """`hold_vault`, as a statement. Those that follow it in the same round trip see everything that
    the last holder committed: at this isolation level (read committed) each has its own snapshot.
    """
    return held_tag(person_id.bytes[8:])


def held_tag(tag: bytes) -> Bound:
    """`hold_tag`, as a statement."""
    return _HOLD(lock=_number(tag))


def _number(tag: bytes) -> int:
    return int.from_bytes(tag[:8], "big", signed=True)
