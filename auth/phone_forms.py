"""A phone kept in the form of a release of before, brought to the form of today."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from auth.services import CoreServices
from base.key_names import PERSON


async def bring_forward(
    services: CoreServices, tx: AsyncConnection, row: Any, phone: str, phone_tag: bytes
) -> None:
    """Keep a person's phone under its normal form, in the transaction that signs its holder in.

    Where two vaults of before have the same phone, written in two ways, each stays as it is: which
    one is opened depends on how the phone is typed, as it did. A crash before the commit leaves the
    form of before, under which the vault is found as well.
    """
    if row.phone_tag == phone_tag:
        return
    macs = await services.field_encryption.row_macs()
    if await people.person_by_phone(tx, macs, (phone_tag,)) is not None:
        return
    person_id: UUID = row.id
    kept = await people.person_to_change(tx, macs, person_id)
    if kept is None:
        return
    reader = await services.field_encryption.reader(person_id, tx)
    writer = await services.field_encryption.writer(person_id, tx)
    values = reader.open(PERSON, person_id, kept.sealed) | {"phone": phone}
    sealed = writer.seal(PERSON, person_id, values)
    await people.change_profile(tx, macs, kept, phone_tag=phone_tag, sealed=sealed)
