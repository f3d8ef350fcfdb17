"""Moves requests to the vault that opens for their phone, and back when it is erased."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import CONSENT_REQUEST
from base.locks import hold_tag
from vault.consent.records import requests as records
from vault.tables import REQUEST_ROW


async def adopt_requests(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, phone_tag: bytes
) -> int:
    """Assign to a vault, in the transaction that opens it, the requests that wait for its phone.

    They are sealed again, under the person's key. Returns how many.
    """
    await hold_tag(tx, phone_tag)
    service_reader = await services.field_encryption.reader(None)
    person_writer = await services.field_encryption.writer(person_id, tx)
    macs = await services.field_encryption.row_macs()
    rows = await records.unassigned_requests(tx, phone_tag)
    for row in rows:
        values = service_reader.open(CONSENT_REQUEST, row.id, row.sealed)
        await records.assign_request(
            tx,
            macs,
            row,
            person_id=person_id,
            sealed=person_writer.seal(CONSENT_REQUEST, row.id, values),
        )
    return len(rows)


async def release_requests(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Before a vault is erased, seal its unapproved requests under the service's key again.

    The sender still sees a request without an answer, and does not learn that a vault existed and
    was erased (invariant 7). Approved requests are erased with the vault, and so are those that
    someone altered: nobody can read them, and they keep nobody's vault from being erased.
    """
    service_writer = await services.field_encryption.writer(None)
    person_reader = await services.field_encryption.reader(person_id, tx)
    macs = await services.field_encryption.row_macs()
    for row in await records.unapproved_requests(tx, person_id):
        if not macs.holds(REQUEST_ROW, row):
            continue
        values = person_reader.open(CONSENT_REQUEST, row.id, row.sealed)
        sealed = service_writer.seal(CONSENT_REQUEST, row.id, values)
        await records.assign_request(tx, macs, row, person_id=None, sealed=sealed)
