"""The assisted session: a person enters their own vault on a worker's device, the worker beside.

The worker's own session is locked meanwhile, and as it was afterwards. What the person may not do
in it is refused where it is done (`auth/assistance.py`, `vault/consent/assisted_grants.py`).
ADR: docs/adr/0059-assisted-sessions.md.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import pin_sign_ins, session_locks, session_start, sessions
from auth.levels import Level
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import people
from auth.services import CoreServices
from auth.session_start import NewSession
from auth.subjects import Person, Worker
from auth.visitor import UNKNOWN, Visitor
from base.errors import ErrorKind, ServiceError

AT_ONCE = 20
_RATE = Rate(AT_ONCE, timedelta(minutes=3))
"""PINs typed on one worker's devices: a morning of people one after the other, some of whom type
theirs twice. Each card counts its own."""


_FOUND_LATE = ("session_locked", "unauthenticated")
"""Of the worker's session, under its lock, after a right PIN: all that was written is undone."""


async def enter(
    services: CoreServices,
    worker: Worker,
    sign_in_id: UUID,
    *,
    secret: str,
    pin: str,
    visitor: Visitor = UNKNOWN,
) -> NewSession:
    """Open the vault of a card that was shown, for its person, on the worker's device.

    Raises as `pin_sign_ins.redeem_pin`; TOO_MANY `too_many_requests`; REFUSED `session_locked`
    while another is open from the same session. A crash after the commit leaves a session whose
    token nobody holds: the worker ends it, or waits fifteen minutes.
    """
    taken = await SharedBuckets(services, "assisted", _RATE).take(worker.id.bytes, 1)
    if not taken.granted:
        await _record(services, worker, "paced", visitor)
        wait = int(taken.wait) + 1
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_requests", retry_after=wait)
    try:
        return await pin_sign_ins.redeem_pin(
            services,
            sign_in_id,
            secret=secret,
            pin=pin,
            visitor=replace(visitor, shared=True, browser=None),
            beside=worker,
        )
    except ServiceError as failure:
        await record_late(services, worker, failure, visitor)
        raise


async def enter_confirmed(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    person_id: UUID,
    visitor: Visitor,
) -> NewSession:
    """Open the vault of somebody who said yes to it on their own device, on the worker's, in the
    caller's transaction. The caller MUST have judged that yes, and hold the vault's lock.

    Raises `ServiceError` REFUSED `session_locked`, UNAUTHENTICATED where the worker's session is
    over: the caller's transaction is undone, and `record_late` says it.
    """
    await sessions.hold_for_assistance(services, tx, worker)
    person, here = Person(person_id, beside=worker), replace(visitor, shared=True, browser=None)
    await session_start.tell_person_of_new_browser(services, tx, person_id, here)
    await people.touch_person(tx, await services.field_encryption.row_macs(), person_id)
    level = Level.PHONE_CONFIRMED
    return await session_start.open_recorded_session(
        services, tx, person, here, level=level, shown={"level": level.value}
    )


async def record_late(
    services: CoreServices, worker: Worker, failure: ServiceError, visitor: Visitor
) -> None:
    """Record what was found of the worker's session once all else was right, if it was that."""
    if failure.code in _FOUND_LATE:
        await _record(services, worker, failure.code, visitor)


async def inside(
    services: CoreServices, tx: AsyncConnection, from_: UUID, person_id: UUID
) -> list[UUID]:
    """The live assisted sessions of a person that were opened from one of a worker."""
    found = await session_locks.assisted_from(services, tx, from_)
    return [session_id for session_id, whose in found if whose == person_id]


async def _record(services: CoreServices, worker: Worker, reason: str, visitor: Visitor) -> None:
    action = Action.SIGN_IN_FAILED
    await session_start.record_refusal(services, None, action, reason, visitor, worker)


async def end(services: CoreServices, worker: Worker) -> int:
    """End what was opened from the worker's session, which is locked no more; returns how many
    sessions. Ending nothing is not an error."""
    if worker.session_id is None:
        return 0
    async with services.database.transaction() as tx:
        found = await session_locks.assisted_from(services, tx, worker.session_id)
    for session_id, person_id in found:
        await sessions.sign_out(services, Person(person_id, session_id=session_id, beside=worker))
    return len(found)
