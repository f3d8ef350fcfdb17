"""Owners for the tests of this folder: this layer knows ids, not people."""

from uuid import UUID

from base.database import Database
from base.ids import new_id
from storage.keys import Keys


async def new_owner(keys: Keys, database: Database) -> UUID:
    """An owner with a secret, committed."""
    owner_id = new_id()
    async with database.transaction() as tx:
        await keys.create_owner(tx, owner_id)
    return owner_id
