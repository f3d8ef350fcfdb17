"""Whether a database was restored and not made ready yet: vaults that were erased since the backup
are back in it. A comment on its schema says so, which is loaded in the commit of everything else,
and which the tables' owner alone takes away: no service opens before."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

UNFINISHED = b"COMMENT ON SCHEMA unefois IS 'restored';\n"
"""The end of the script that loads a backup."""


async def is_unfinished(connection: AsyncConnection) -> bool:
    """Whether erasures are still to be applied."""
    found = await connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'unefois'"
            " AND obj_description(oid, 'pg_namespace') = 'restored')"
        )
    )
    return bool(found.scalar_one())


async def finish(connection: AsyncConnection) -> None:
    """Let services open; as the tables' owner."""
    await connection.execute(text("COMMENT ON SCHEMA unefois IS NULL"))
