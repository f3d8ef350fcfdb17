"""A limit of attempts per hour, counted in the database, so that all processes share one count."""

from datetime import timedelta
from typing import Literal
from uuid import UUID

from auth.services import CoreServices
from base.key_names import PACE
from base.locks import hold_tag
from vault import records

HOUR = timedelta(hours=1)


async def take_attempt(
    services: CoreServices, subject_id: UUID, kind: Literal["give", "report"], limit: int
) -> int | None:
    """Count one attempt, or return how many seconds to wait.

    Commits in its own transaction before the attempt: one that fails or crashes counts too.
    """
    async with services.database.transaction() as tx:
        await hold_tag(tx, await services.field_encryption.tag(PACE, kind, subject_id.bytes))
        wait = await records.attempt_wait(tx, subject_id, kind, limit=limit, within=HOUR)
        if wait is None:
            await records.add_attempt(tx, subject_id, kind)
    return wait
