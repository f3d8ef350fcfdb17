"""Limits of attempts, counted in the database, so that all processes share one count: by the hour,
or one after the other at a pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Literal
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.rate_buckets import BucketKind, Rate, SharedBuckets
from auth.services import CoreServices
from auth.subjects import Person
from base.key_names import PACE
from base.locks import hold_tag
from base.quota import Quota
from vault import decisions, records
from vault.decisions import AccessAttempt
from vault.rules import Reason

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


async def take_turn(
    services: CoreServices, person: Person, action: Action, kind: BucketKind, rate: Rate
) -> SharedBuckets:
    """Count one of what a vault does. Raises `ServiceError` TOO_MANY `too_many_requests`,
    recorded."""
    buckets = SharedBuckets(services, kind, rate)
    taken = await buckets.take(person.id.bytes, 1)
    if not taken.granted:
        attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
        wait = max(1, round(taken.wait))
        raise await decisions.record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    return buckets
