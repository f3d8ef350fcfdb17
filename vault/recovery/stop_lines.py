"""The lines of a vault's log that say that a recovery was stopped: a row that lives all the same
was put back."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Outcome
from audit.records import events_of
from auth.services import CoreServices

STOPPED = Action.RECOVERY_STOPPED.value
_PAGE = 200


async def was_stopped(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, row: Any
) -> bool:
    """Whether the log of a vault says that it stopped a recovery, since it began."""
    tag = await services.audit_log.person_tag(person_id)
    before: UUID | None = None
    while True:
        rows = await events_of(tx, person_tag=tag, before=before, limit=_PAGE)
        entries = await services.audit_log.open_entries(
            tx, [one for one in rows if one.at >= row.began_at]
        )
        if any(_stops(one.values or {}, row.id) for one in entries):
            return True
        if len(entries) < _PAGE:
            return False
        before = rows[-1].id


def _stops(values: dict[str, Any], recovery_id: UUID) -> bool:
    named = values.get("details", {}).get("recovery") == str(recovery_id)
    done = values.get("outcome") == Outcome.ALLOWED.value
    return named and done and values.get("action") == STOPPED
