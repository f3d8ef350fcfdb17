"""Seven days in the place of a proof, for who can give none: told at once, and cancelled by anyone
who is inside.

A wait belongs to the session that asked, and ends with it: « Fermer partout » ends one that was
not wanted. It is sealed in the person's row. Cancelling ends the other sessions, so that a row of
before which is put back serves nobody.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, means_log, sessions
from auth.living_vaults import hold_living_vault
from auth.means_log import MeansReason
from auth.person_values import open_values, read_values, write_values
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import sessions as records
from auth.services import CoreServices
from auth.subjects import Person
from base.clock import rfc3339
from base.db_time import instant
from base.errors import ErrorKind, ServiceError

WAIT = timedelta(days=7)
"""As an erasure waits."""
SERVES = timedelta(days=7)
"""Once it is over, one change is made without a proof within this time."""
AT_ONCE = 3
_RATE = Rate(AT_ONCE, timedelta(hours=8))
"""How often a session asks: each time, and when it is cancelled, is a message to the phone. Not the
vault: another's session would keep its person from it."""
_NAME = "waits"


@dataclass(frozen=True, slots=True)
class Waiting:
    """From when a change needs no proof; `here`: of the session that looks."""

    opens_at: datetime
    here: bool


async def request(services: CoreServices, person: Person) -> datetime:
    """Have the caller's session change a means without a proof in seven days: when. A second time
    changes nothing.

    Raises `ServiceError` CONFLICT `session_too_short` where the session ends before that, REFUSED
    `not_when_assisted`, TOO_MANY `too_many_requests`; all are recorded.
    """
    await assistance.check_alone(services, person, Action.MEANS_WAIT)
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row, values = await open_values(services, tx, person.id)
        at = await instant(tx)
        waits = await _living(tx, person.id, values, at)
        asked_at = waits.get(_key(person))
        opens_at = (at if asked_at is None else asked_at) + WAIT
        ends_at = person.session_ends_at
        too_short = ends_at is None or ends_at <= opens_at
        wait = 0
        if not too_short and asked_at is None:
            wait = await _take_turn(services, person)
        if too_short or wait:
            reason: MeansReason = "session_too_short" if too_short else "paced"
            await means_log.record(services, tx, person, Action.MEANS_WAIT, reason=reason)
        elif asked_at is None:
            # The wait, its line and its message: one commit. A crash before it leaves none.
            await _write(services, tx, row, values, waits | {_key(person): at})
            await means_log.tell(services, tx, person.id, Action.MEANS_WAIT)
            await means_log.record(
                services, tx, person, Action.MEANS_WAIT, opens_at=rfc3339(opens_at)
            )
    if too_short:
        raise ServiceError(ErrorKind.CONFLICT, "session_too_short")
    if wait:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_requests", retry_after=wait)
    return opens_at


async def _take_turn(services: CoreServices, person: Person) -> int:
    """Count a wait of the caller's session. The seconds until the next one, where there were too
    many; else 0."""
    taken = await SharedBuckets(services, "proof-wait", _RATE).take(_key(person).encode(), 1)
    return 0 if taken.granted else int(taken.wait) + 1


async def cancel(services: CoreServices, person: Person) -> None:
    """Every wait of the caller's vault ends, and every other session. Nothing is recorded or told
    when there was none. Raises `ServiceError` REFUSED `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.MEANS_WAIT_ENDED)
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row, values = await open_values(services, tx, person.id)
        if not await _living(tx, person.id, values, await instant(tx)):
            return
        await _write(services, tx, row, values, {})
        await sessions.end_all(services, tx, person, but_this=True)
        await means_log.tell(services, tx, person.id, Action.MEANS_WAIT_ENDED)
        await means_log.record(services, tx, person, Action.MEANS_WAIT_ENDED)


async def withdraw_all(services: CoreServices, tx: AsyncConnection, person: Person) -> None:
    """The same, in the caller's transaction, which MUST hold the vault, and end its sessions."""
    row, values = await open_values(services, tx, person.id)
    if await _living(tx, person.id, values, await instant(tx)):
        await _write(services, tx, row, values, {})
        await means_log.tell(services, tx, person.id, Action.MEANS_WAIT_ENDED)
        await means_log.record(services, tx, person, Action.MEANS_WAIT_ENDED)


async def first_of(services: CoreServices, tx: AsyncConnection, person: Person) -> Waiting | None:
    """The wait that is over first, that of the caller's session before any other."""
    values = await read_values(services, tx, person.id)
    waits = await _living(tx, person.id, values, await instant(tx))
    if not waits:
        return None
    mine = waits.get(_key(person))
    return Waiting((mine or min(waits.values())) + WAIT, here=mine is not None)


async def is_over(services: CoreServices, tx: AsyncConnection, person: Person) -> bool:
    """Whether the caller's session may change a means without a proof now."""
    waiting = await first_of(services, tx, person)
    return waiting is not None and waiting.here and waiting.opens_at <= await instant(tx)


async def spend(services: CoreServices, tx: AsyncConnection, person: Person) -> None:
    """It serves once. The caller MUST hold the vault's lock."""
    row, values = await open_values(services, tx, person.id)
    waits = await _living(tx, person.id, values, await instant(tx))
    waits.pop(_key(person), None)
    await _write(services, tx, row, values, waits)


def _key(person: Person) -> str:
    return "" if person.session_id is None else str(person.session_id)


async def _living(
    tx: AsyncConnection, person_id: UUID, values: dict[str, Any], at: datetime
) -> dict[str, datetime]:
    """When each session asked, of the waits that are not past, and whose session is not over."""
    asked = {name: datetime.fromisoformat(one) for name, one in values.get(_NAME, {}).items()}
    if not asked:
        return {}
    live = {str(row.id) for row in await records.live_sessions_of(tx, "person", person_id)}
    return {name: one for name, one in asked.items() if name in live and at < one + WAIT + SERVES}


async def _write(
    services: CoreServices,
    tx: AsyncConnection,
    row: Any,
    values: dict[str, Any],
    waits: dict[str, datetime],
) -> None:
    kept = {name: value for name, value in values.items() if name != _NAME}
    if waits:
        kept[_NAME] = {name: one.isoformat() for name, one in waits.items()}
    await write_values(services, tx, row, kept, row.phone_tag)
