"""So many attempts an hour, counted in the database: any number of processes keep one count."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from auth.desk import Desk
from auth.records.instants import hold
from vault.records import attempts

HOUR = timedelta(hours=1)


async def take(desk: Desk, subject_id: UUID, kind: Literal["give"], most: int) -> int | None:
    """Count one attempt, or say how many seconds to wait.

    Commits by itself, before the attempt: one that fails, or crashes, counts too.
    """
    async with desk.database.transaction() as tx:
        await hold(tx, await desk.fields.tag("pace", kind, subject_id.bytes))
        wait = await attempts.over_the_pace(tx, subject_id, kind, most=most, within=HOUR)
        if wait is None:
            await attempts.add_attempt(tx, subject_id, kind)
    return wait
