"""The lock of a vault for what its person does in it: whoever waited for it looks again.

A session is judged when a request begins. While the request waits for the lock, the vault may be
erased, or end in another (`vault/maintenance/joins/`): what goes on after that would be lost in it.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import people
from base.errors import not_found
from base.locks import hold_vault


async def hold_living_vault(tx: AsyncConnection, person_id: UUID) -> None:
    """`base.locks.hold_vault`. Raises `ServiceError` `not_found` where no vault is there any more,
    of which no log would tell."""
    await hold_vault(tx, person_id)
    if not await people.is_living(tx, person_id):
        raise not_found()
