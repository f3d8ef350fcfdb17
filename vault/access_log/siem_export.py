"""The log for whoever watches the accounts of professionals: OCSF events, subjects as pseudonyms.

In the order of the leaves, which never changes: a consumer goes on after the last index it has and
misses nothing, however late an event was committed.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.events import Action, Actor, ActorKind
from audit.ocsf import as_ocsf
from base.db_time import instant
from base.key_names import MONITORING, PSEUDONYM
from storage.field_encryption import keyed_tag
from vault.access_log.records import integrated_events
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services

_BATCH = 500
_DIGITS = 32


@dataclass(slots=True)
class ExportTally:
    """What an export gave, and what it could not: events whose key is destroyed."""

    events: int = 0
    silent: int = 0


async def export_ocsf(
    services: Services,
    tally: ExportTally,
    *,
    consumer: str,
    release: str,
    since: datetime | None = None,
    after: int = -1,
) -> AsyncIterator[dict[str, Any]]:
    """Every integrated event beyond the leaf `after`, as OCSF, in constant memory.

    The export is a line of the log, committed before the first event leaves (invariant 1). Raises
    `audit.sealing.EventBroken` when a row is not the event committed to.
    """
    # 1. Recorded, under the service's key: it concerns no vault in particular.
    attempt = AccessAttempt(
        action=Action.LOG_READ,
        actor=Actor(ActorKind.OPERATOR),
        details={"consumer": consumer, "after": after, "since": str(since or "")},
    )
    async with services.database.transaction() as tx:
        await record_allowed(services, tx, await instant(tx), attempt)
    # 2. One key a consumer; a pseudonym is an HMAC under it.
    key = await services.field_encryption.tag(MONITORING, consumer)

    def pseudonym(kind: str, one: str) -> str:
        return keyed_tag(key, PSEUDONYM, kind, one).hex()[:_DIGITS]

    # 3. Page by page, no connection held while one is being sent.
    while True:
        async with services.database.transaction() as tx:
            rows = await integrated_events(tx, after=after, since=since, limit=_BATCH)
            lines = await services.audit_log.open_entries(tx, rows)
        for row, line in zip(rows, lines, strict=True):
            if line.values is None:
                tally.silent += 1
                continue
            tally.events += 1
            yield as_ocsf(line.values, index=row.leaf_index, release=release, pseudonym=pseudonym)
        if len(rows) < _BATCH:
            return
        after = rows[-1].leaf_index
