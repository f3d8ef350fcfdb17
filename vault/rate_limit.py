"""A limit of attempts per hour, counted in the database, so that all processes share one count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import PACE
from base.locks import hold_tag
from base.quota import Quota
from vault import records

HOUR = timedelta(hours=1)

AttemptKind = Literal["consent-request", "give", "report"]

_turns: "WeakValueDictionary[UUID, asyncio.Lock]" = WeakValueDictionary()


@asynccontextmanager
async def in_turn(subject_id: UUID) -> AsyncIterator[None]:
    """Let the attempts of one subject in this process wait for each other before they take a
    connection. What they wait for then, the lock of `take`, is held by one of them: hundreds sent
    at once would hold every connection, and keep everyone else waiting."""
    turn = _turns.setdefault(subject_id, asyncio.Lock())
    async with turn:
        yield


async def take_attempt(
    services: CoreServices, subject_id: UUID, kind: AttemptKind, limit: int
) -> int | None:
    """Count one attempt, or return how many seconds to wait.

    Commits in its own transaction before the attempt: one that fails or crashes counts too.
    """
    async with in_turn(subject_id), services.database.transaction() as tx:
        taken, quota = await take(services, tx, subject_id, kind, limit)
    return None if taken else quota.more_in


async def take(
    services: CoreServices, tx: AsyncConnection, subject_id: UUID, kind: AttemptKind, limit: int
) -> tuple[bool, Quota]:
    """Count one attempt in its own transaction: whether it is allowed, and what is left then.

    Locks the subject until the transaction ends: of two attempts at once, one waits.
    """
    await hold_tag(tx, await services.field_encryption.tag(PACE, kind, subject_id.bytes))
    quota = await left(tx, subject_id, kind, limit)
    if not quota.left:
        return False, quota
    await records.add_attempt(tx, subject_id, kind)
    return True, Quota(kind, limit, quota.window, quota.left - 1, quota.more_in)


async def left(tx: AsyncConnection, subject_id: UUID, kind: AttemptKind, limit: int) -> Quota:
    """What is left to a subject, without counting anything."""
    made, more_in = await records.attempts(tx, subject_id, kind, limit=limit, within=HOUR)
    return Quota(kind, limit, int(HOUR.total_seconds()), limit - made, more_in)
