"""Moves requests to the vault that opens for their phone, and back when it is erased."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import CONSENT_REQUEST
from vault.consent.records import requests as records
from vault.tables import REQUEST_ROW


async def adopt_requests(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, phone_tags: Sequence[bytes]
) -> int:
    """Assign to a vault, in the transaction that opens it, the requests that wait for its phone.

    `phone_tags`: of every form of the phone; requests of now are sent to its normal one, which the
    caller has locked (`lock_account`).
    They are sealed again, under the person's key. Two kinds are left where they are: what was asked
    while two vaults had the phone, which is for one of these and says that they were there; and a
    row that the service did not write, which keeps nobody from their vault. Returns how many.
    """
    service_reader = await services.field_encryption.reader(None)
    person_writer = await services.field_encryption.writer(person_id, tx)
    macs = await services.field_encryption.row_macs()
    waiting = await records.unassigned_requests(tx, phone_tags)
    adopted = 0
    for row in waiting:
        if not macs.holds(REQUEST_ROW, row):
            continue
        values = service_reader.open(CONSENT_REQUEST, row.id, row.sealed)
        if values.get("vaults", 0) > 1:
            continue
        adopted += 1
        await records.assign_request(
            tx,
            macs,
            row,
            person_id=person_id,
            sealed=person_writer.seal(CONSENT_REQUEST, row.id, values),
        )
    return adopted


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
