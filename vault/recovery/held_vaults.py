"""The vaults that a recovery is about, held in one order for everyone, as many in every case."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from base.ids import new_id
from base.locks import hold_tags

_VAULTS = 3


async def hold(tx: AsyncConnection, *vaults: UUID) -> None:
    """Hold them until the transaction ends; as many locks where two are the same one."""
    held = {*vaults}
    while len(held) < _VAULTS:
        held.add(new_id())
    await hold_tags(tx, [one.bytes[8:] for one in held])
