"""Publishers whose growth is drawn, over a log that a real sequencer grows; for the tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from audit.audit_log import AuditLog
from audit.events import Action, Actor, ActorKind, Event, Outcome
from audit.padding_events import Padding
from audit.tlog import records
from audit.tlog.publisher import Filling, Publisher, published_in
from audit.tlog.sequencer_loop import SequencerLoop
from audit.tlog.witness_client import WitnessClient
from base.db_time import instant
from base.ids import new_id
from tests.audit.tlog.logs import EAGER, SomeLog

FAST = replace(EAGER, poll=0.005, signing=0.0)
NEVER = 10.0**9
"""A cadence that no test sees the end of: the test publishes."""


def padded(some: SomeLog, padding: int) -> Publisher:
    """A publisher without witnesses; 0 for one that publishes the newest tree."""
    log = AuditLog(some.database, some.log._fields)
    filling = Filling(Padding(some.database, log, padding), some.log.keys) if padding else None
    witnesses = WitnessClient([], httpx.AsyncClient())
    return Publisher(some.database, some.log.store, some.log.prover, witnesses, NEVER, filling)


@asynccontextmanager
async def growing(some: SomeLog, padding: int) -> AsyncIterator[Publisher]:
    """A sequencer at work during the block; the first checkpoint is public, the test publishes."""
    publisher = padded(some, padding)
    loop = SequencerLoop(some.database, some.log.store, some.log.keys, publisher, FAST)
    await loop.start()
    try:
        async with asyncio.timeout(10):
            while await public_size(some) is None:  # noqa: ASYNC110  (another task publishes)
                await asyncio.sleep(0.01)
        yield publisher
    finally:
        await loop.stop()


async def act(some: SomeLog, count: int) -> None:
    """Record events that something caused, and wait until they are in the signed tree."""
    log = AuditLog(some.database, some.log._fields)
    async with some.database.transaction() as tx:
        at = await instant(tx)
        for _ in range(count):
            who = Actor(ActorKind.ANONYMOUS)
            await log.record(tx, Event(new_id(), at, Action.READ, Outcome.REFUSED, who))
    await all_signed(some)


async def all_signed(some: SomeLog) -> int:
    """Wait until every event is in the signed tree; returns its size."""
    with some.owner() as connection:
        row = connection.execute("SELECT count(*) FROM unefois.access_event").fetchone()
    assert row is not None
    count = int(str(row[0]))
    async with asyncio.timeout(20):
        while await signed_size(some) < count:  # noqa: ASYNC110  (another task signs)
            await asyncio.sleep(0.005)
    return count


async def signed_size(some: SomeLog) -> int:
    """The size of the newest checkpoint, public or not."""
    async with some.database.transaction() as tx:
        newest = await records.newest_checkpoint(tx)
    return 0 if newest is None else newest.size


async def public_size(some: SomeLog) -> int | None:
    """The size that everybody sees."""
    public = published_in(await some.log.store.checkpoint())
    return None if public is None else public.size
