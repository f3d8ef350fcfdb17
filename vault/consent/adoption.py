"""Requests change hands: to the vault that opens on their phone, and back when it is erased."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import CONSENT_REQUEST
from base.locks import hold_tag
from vault.consent import records


async def adopt_requests(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, phone_tag: bytes
) -> int:
    """Hand a vault, in the transaction that opens it, the requests that wait for its phone.

    They are sealed anew under the person's key. Gives how many.
    """
    await hold_tag(tx, phone_tag)
    service = await services.field_encryption.reader(None)
    own = await services.field_encryption.writer(person_id, tx)
    rows = await records.unassigned_requests(tx, phone_tag)
    for row in rows:
        values = service.open(CONSENT_REQUEST, row.id, row.sealed)
        await records.assign_request(
            tx, row.id, person_id=person_id, sealed=own.seal(CONSENT_REQUEST, row.id, values)
        )
    return len(rows)


async def release_requests(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Before a vault is erased, give what came to nothing back to the service's key.

    Its sender goes on seeing a request without an answer: that a vault was there, and is no more,
    is not theirs to learn (invariant 7). What was approved goes with the vault.
    """
    service = await services.field_encryption.writer(None)
    own = await services.field_encryption.reader(person_id, tx)
    for row in await records.unapproved_requests(tx, person_id):
        values = own.open(CONSENT_REQUEST, row.id, row.sealed)
        sealed = service.seal(CONSENT_REQUEST, row.id, values)
        await records.assign_request(tx, row.id, person_id=None, sealed=sealed)
