"""A person's id as one worker sees it (docs/adr/0037).

A keyed tag of both, in the form of a UUID: the same for the same worker always, unlike any other
worker's for the same person, and of no use to find the person without the service's key.
"""

import hmac
from collections.abc import Iterable
from uuid import UUID

from auth.services import CoreServices
from auth.subjects import Worker
from base.key_names import WORKER_PERSON


async def own_id(services: CoreServices, worker: Worker, person_id: UUID) -> UUID:
    """What a worker is shown instead of a person's id: a UUID of version 8 (RFC 9562 §5.8)."""
    tag = await services.field_encryption.tag(WORKER_PERSON, worker.id.bytes, person_id.bytes)
    value = int.from_bytes(tag[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


async def person_of(
    services: CoreServices, worker: Worker, shown: UUID, people: Iterable[UUID]
) -> UUID | None:
    """Which of these people the worker knows by that id, or None. All are compared: which one it
    is does not show in the time."""
    found = None
    for person_id in people:
        theirs = await own_id(services, worker, person_id)
        if hmac.compare_digest(theirs.bytes, shown.bytes):
            found = person_id
    return found
