"""Which one vault is meant: the same statements whether there is one, several or none, so that
nothing tells an agent what was found.
"""

import hmac
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import anchors, people
from auth.services import CoreServices
from base.ids import new_id
from vault.recovery.recovery_rules import AnchorSeen

_SEVERAL = 2


async def candidate_of(services: CoreServices, tx: AsyncConnection, tag: bytes) -> UUID:
    """The one vault whose anchor is of this paper; an id of nobody's where there is none, or more.
    Its caller holds it, then looks. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    found = await anchors.anchors_of_tag(tx, macs, tag, limit=_SEVERAL)
    nobody = new_id()
    return found[0].person_id if len(found) == 1 else nobody


async def is_there(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> bool:
    """Whether a vault is there, and did not end in another. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, person_id)
    return row is not None and not row.ended


async def compare(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, tag: bytes
) -> AnchorSeen:
    """A vault's anchor, beside what an agent read. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    row = await anchors.anchor(tx, macs, person_id)
    same = hmac.compare_digest(bytes(len(tag)) if row is None else row.tag, tag)
    if row is None:
        return "none"
    return "same" if same else "other"
