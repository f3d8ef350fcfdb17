"""The requests that the limit of failures refused, in the log: one line a minute at most."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from audit.events import Action, Actor, ActorKind, Event, Outcome
from base.db_time import instant
from base.ids import new_id
from base.outages import is_reported
from base.tasks import end
from vault.services import Services
from web.http.failure_limit import Refused

MINUTE = 60.0

_log = structlog.get_logger()


@asynccontextmanager
async def record_refused_requests(
    services: Services, refused: Refused, *, every: float = MINUTE
) -> AsyncIterator[None]:
    """Record them in the background for the length of the block, and what is left at its end."""
    task = asyncio.create_task(_record_each(services, refused, every), name="refused requests")
    try:
        yield
    finally:
        await end(task)
        await record(services, refused)


async def record(services: Services, refused: Refused) -> None:
    """One line for those counted since the last one; none when there were none.

    How many requests, of how many networks and accounts, and not which. A crash loses the count of
    the current minute: nothing was looked up or written for these requests, and nothing revealed.
    """
    taken = refused.take()
    if not taken.requests:
        return
    try:
        async with services.database.transaction() as tx:
            event = Event(
                new_id(),
                await instant(tx),
                Action.PACED,
                Outcome.REFUSED,
                Actor(ActorKind.SERVICE),
                reason="too_many_failures",
                details=taken.details(),
            )
            await services.audit_log.record(tx, event)
    except Exception as error:  # noqa: BLE001  (the database may be unreachable for a while)
        refused.put_back(taken)
        if not is_reported(error):
            _log.warning("refused_requests_not_recorded", error=type(error).__name__)


async def _record_each(services: Services, refused: Refused, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await record(services, refused)
