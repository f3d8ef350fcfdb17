"""An anchor: who somebody is on their identity paper, for a desk that opens their vault again.

Kept is a keyed tag of name, birth date and the last four signs of the paper's number, together: no
part of it is there, nor can one part be compared alone. ADR:
docs/adr/0061-lost-cards-and-anchors.md.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, means_log
from auth.anchor_rules import EDITION, TypedAnchor, written
from auth.holder_proofs import Proof, ShownProof
from auth.means_changes import NotChanged, change
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import anchors
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from base.key_names import ANCHOR

AT_ONCE = 5
_RATE = Rate(AT_ONCE, timedelta(hours=5))
"""Of enrolments: each is a message to the phone, and so is its end."""


async def tag_of(services: CoreServices, typed: TypedAnchor) -> bytes:
    """The keyed tag of what was typed. Raises as `auth.anchor_rules.written`."""
    parts = written(typed, clock.now().date())
    return await services.field_encryption.tag(ANCHOR, str(EDITION), *parts)


async def enrolled_at(services: CoreServices, person: Person) -> datetime | None:
    """Since when the caller has an anchor; None where they have none."""
    async with services.database.transaction() as tx:
        row = await anchors.anchor(tx, await services.field_encryption.row_macs(), person.id)
    return None if row is None else row.enrolled_at


async def enrol(services: CoreServices, person: Person, tag: bytes, proof: Proof) -> datetime:
    """Keep an anchor for the caller, in the place of the one that there was; returns when. `tag`:
    as `tag_of` gives it.

    Raises as `auth.means_changes.change`; `ServiceError` TOO_MANY `too_many_anchors`.
    A crash before the commit leaves the former one.
    """
    await assistance.check_alone(services, person, Action.ANCHOR_ENROLLED)
    await _take_turn(services, person)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> datetime:
        anchor_id, at = await _put(services, tx, person, tag)
        await means_log.tell(services, tx, person.id, Action.ANCHOR_ENROLLED)
        await means_log.record(services, tx, person, Action.ANCHOR_ENROLLED, anchor=anchor_id)
        return at

    return await change(services, person, Action.ANCHOR_ENROLLED, proof, act)


async def remove(services: CoreServices, person: Person, proof: Proof) -> None:
    """Delete the caller's anchor: at no pace, or whoever is inside would keep theirs there. Raises
    as `auth.means_changes.change`; NOT_FOUND where there is none."""
    await assistance.check_alone(services, person, Action.ANCHOR_REMOVED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> NotChanged | None:
        row = await anchors.anchor(tx, await services.field_encryption.row_macs(), person.id)
        if row is None:
            return NotChanged("not_found", not_found())
        await anchors.delete_anchor(tx, person.id)
        await means_log.tell(services, tx, person.id, Action.ANCHOR_REMOVED)
        await means_log.record(services, tx, person, Action.ANCHOR_REMOVED, anchor=str(row.id))
        return None

    await change(services, person, Action.ANCHOR_REMOVED, proof, act)


async def enrol_at_desk(
    services: CoreServices, tx: AsyncConnection, worker: Worker, person: Person, tag: bytes
) -> None:
    """Keep the anchor of a vault that is being opened beside its person, in the caller's
    transaction; the line names the worker."""
    anchor_id, _ = await _put(services, tx, person, tag)
    details = {"anchor": anchor_id}
    await means_log.record_by(services, tx, person, Action.ANCHOR_ENROLLED, worker.actor(), details)


async def leave(services: CoreServices, tx: AsyncConnection, person: Person) -> None:
    """Delete the anchor of a vault that ends in another, in the caller's transaction: it is kept
    again there, by who has the paper in hand. Raises `RowAltered`."""
    row = await anchors.anchor(tx, await services.field_encryption.row_macs(), person.id)
    if row is not None:
        await anchors.delete_anchor(tx, person.id)
        await means_log.record(services, tx, person, Action.ANCHOR_REMOVED, anchor=str(row.id))


async def _put(
    services: CoreServices, tx: AsyncConnection, person: Person, tag: bytes
) -> tuple[str, datetime]:
    """The id of an enrolment, and when it was."""
    macs, anchor_id, at = await services.field_encryption.row_macs(), new_id(), await instant(tx)
    values = {"id": anchor_id, "edition": EDITION, "tag": tag, "enrolled_at": at}
    await anchors.put_anchor(tx, macs, person_id=person.id, **values)
    return str(anchor_id), at


async def _take_turn(services: CoreServices, person: Person) -> None:
    taken = await SharedBuckets(services, "anchor", _RATE).take(person.id.bytes, 1)
    if taken.granted:
        return
    async with services.database.transaction() as tx:
        await means_log.record(
            services, tx, person, Action.ANCHOR_ENROLLED, reason="too_many_anchors"
        )
    raise ServiceError(ErrorKind.TOO_MANY, "too_many_anchors", retry_after=int(taken.wait) + 1)
