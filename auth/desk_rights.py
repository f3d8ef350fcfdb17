"""Who may do something at the desk: the workers of structures that the operator lets, at a pace."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Event, Outcome
from audit.records import audit_key
from auth import profiles
from auth.rate_buckets import SharedBuckets
from auth.services import CoreServices
from auth.subjects import Worker
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.pipeline import fetch_one

_NOTHING: Mapping[str, str | int] = {}


async def may_use_desk(services: CoreServices, tx: AsyncConnection, organisation_id: UUID) -> bool:
    """Whether the operator lets the workers of a structure open vaults, free cards and stop
    them."""
    organisation = await profiles.organisation(services, tx, organisation_id)
    return organisation is not None and organisation.opens_vaults


async def is_allowed(services: CoreServices, worker: Worker) -> bool:
    """The same, of a worker's own structure, to say it before they begin."""
    async with services.database.transaction() as tx:
        return await may_use_desk(services, tx, worker.organisation_id)


async def check(services: CoreServices, worker: Worker, action: Action) -> None:
    """Raise `ServiceError` REFUSED `desk_not_allowed`, recorded in the service's log."""
    if not await is_allowed(services, worker):
        await refuse(services, worker, action, "desk_not_allowed")
        raise ServiceError(ErrorKind.REFUSED, "desk_not_allowed")


async def take_turn(
    services: CoreServices, worker: Worker, action: Action, buckets: SharedBuckets
) -> int | None:
    """Count one act of a worker's. The seconds to wait where there were too many, which is recorded
    in the service's log; None where it may be done."""
    taken = await buckets.take(worker.id.bytes, 1)
    if taken.granted:
        return None
    await refuse(services, worker, action, "paced")
    return int(taken.wait) + 1


async def refuse(services: CoreServices, worker: Worker, action: Action, reason: str) -> None:
    """Record a refusal alone, in the service's log."""
    async with services.database.transaction() as tx:
        await record(services, tx, worker, action, None, reason=reason)


async def record(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    action: Action,
    person_id: UUID | None,
    *,
    reason: str = "",
    details: Mapping[str, str | int] = _NOTHING,
) -> None:
    """A line of the log of a vault, or of the service's, that names the worker: a refusal where
    there is a `reason`."""
    event = _event(worker, action, await instant(tx), person_id, reason, details)
    await services.audit_log.record(tx, event)


async def record_alike(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    action: Action,
    person_id: UUID | None,
    details: Mapping[str, str | int],
) -> None:
    """The same, of what an agent must not learn: whether or not there is a vault, one audit key is
    read from the database."""
    at = await instant(tx)
    if person_id is None:
        await fetch_one(tx, audit_key(new_id(), at.year))
    else:
        services.audit_log.forget(person_id)
    await services.audit_log.record(tx, _event(worker, action, at, person_id, "", details))


def _event(
    worker: Worker,
    action: Action,
    at: datetime,
    person_id: UUID | None,
    reason: str,
    details: Mapping[str, str | int],
) -> Event:
    return Event(
        new_id(),
        at,
        action,
        Outcome.REFUSED if reason else Outcome.ALLOWED,
        worker.actor(),
        person_id,
        reason,
        details={"desk": 1, **details},
    )
