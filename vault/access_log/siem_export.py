"""The log exported to a SIEM, which monitors professional accounts: OCSF events with pseudonyms.

Events come in the order of their leaves, which never changes: a consumer that continues after its
last index misses nothing, however late an event was committed.
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
_PSEUDONYM_DIGITS = 32


@dataclass(slots=True)
class ExportTally:
    """How many events were exported; `silent`: how many were not, their key being destroyed."""

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
    """Every integrated event with a leaf index above `after`, as OCSF, in constant memory.

    The export is itself recorded, committed before the first event leaves (invariant 1). Raises
    `audit.sealing.InvalidEvent` when a row does not match its commitment.
    """
    # 1. Record the export under the service's key: it concerns no particular vault.
    attempt = AccessAttempt(
        action=Action.LOG_READ,
        actor=Actor(ActorKind.OPERATOR),
        details={"consumer": consumer, "after": after, "since": str(since or "")},
    )
    async with services.database.transaction() as tx:
        await record_allowed(services, tx, await instant(tx), attempt)
    # 2. One key per consumer; a pseudonym is an HMAC under it.
    key = await services.field_encryption.tag(MONITORING, consumer)

    def pseudonym(kind: str, value: str) -> str:
        return keyed_tag(key, PSEUDONYM, kind, value).hex()[:_PSEUDONYM_DIGITS]

    # 3. Read page by page; no database connection is held while a page is being sent.
    while True:
        async with services.database.transaction() as tx:
            rows = await integrated_events(tx, after=after, since=since, limit=_BATCH)
            entries = await services.audit_log.open_entries(tx, rows)
        for row, entry in zip(rows, entries, strict=True):
            if entry.values is None:
                tally.silent += 1
                continue
            tally.events += 1
            yield as_ocsf(entry.values, index=row.leaf_index, release=release, pseudonym=pseudonym)
        if len(rows) < _BATCH:
            return
        after = rows[-1].leaf_index
