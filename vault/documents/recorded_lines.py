"""The line of the log under which an access of a moment ago goes on: looked for in the log itself.

Someone who leafs through fifty pages, or scrolls through a list with small pictures, opens one
thing, and its owner reads one line. Each answer still leaves under a line that is committed, names
the paper, and is the same caller's: where there is none, or it is too old, another is written.
"""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Actor, Outcome
from audit.records import events_of
from vault.decisions import AccessAttempt, record_allowed
from vault.document_view import DocumentView
from vault.services import Services

GOES_ON = timedelta(minutes=10)
"""How long an access goes on under its line."""
_LOOKED_AT = 20
"""Lines that are looked at, the newest first; each is opened until one serves."""


async def record_once(
    services: Services, tx: AsyncConnection, at: datetime, attempt: AccessAttempt
) -> UUID:
    """The line of an allowed access: one of the last ten minutes that says the same, or a new one
    in this transaction. Nothing may be revealed before it commits.

    The person's secret opens their newest lines that are the caller's own: call it once the access
    is allowed.
    """
    covering = await covering_line(services, tx, at, attempt)
    return covering or await record_allowed(services, tx, at, attempt)


def state_of(document: DocumentView, *, may_read: bool = True) -> dict[str, str | int]:
    """What the line of one paper's name and dates says of them, so that it covers no others.
    `may_read`: whether what its owner wrote of it leaves too; to whom does not see it, a line more
    would tell that it changed.

    A digest, not the revision: this one changes when a suggestion is answered too, and its author
    would learn it by another line. Not the title: a log outlives what it tells of.
    """
    said = document.metadata
    words = [document.id, document.version_id, said.type, said.title if may_read else None]
    words += [said.issued_on, said.expires_on, said.due_on if may_read else None, said.income_year]
    return {"state": hashlib.sha256(json.dumps(words, default=str).encode()).hexdigest()}


async def covering_line(
    services: Services,
    tx: AsyncConnection,
    at: datetime,
    attempt: AccessAttempt,
    *,
    since: datetime | None = None,
) -> UUID | None:
    """The newest line of the last ten minutes that is of the same actor, act and grant, names the
    documents of `attempt`, and has its details; None without one. `since`: none that is older. A
    row that the service did not write is none."""
    log, actor = services.audit_log, attempt.actor
    rows = await events_of(
        tx,
        person_tag=await log.person_tag(attempt.person),
        actor_tag=await log.actor_tag(actor),
        limit=_LOOKED_AT,
    )
    for row in rows:
        if not at - GOES_ON < row.at <= at or (since is not None and row.at < since):
            continue
        (entry,) = await log.open_entries(tx, [row])
        if entry.values is not None and _covers(entry.values, attempt):
            return entry.id
    return None


def _covers(values: dict[str, Any], attempt: AccessAttempt) -> bool:
    details = values.get("details", {})
    return (
        values["action"] == attempt.action.value
        and values["outcome"] == Outcome.ALLOWED.value
        and _is_by(values["actor"], attempt.actor)
        and values.get("grant") == (None if attempt.grant is None else str(attempt.grant))
        and {str(document) for document in attempt.documents} <= set(values.get("documents", ()))
        and all(details.get(name) == value for name, value in attempt.details.items())
    )


def _is_by(told: dict[str, str], actor: Actor) -> bool:
    identity = None if actor.id is None else str(actor.id)
    return (told["kind"], told.get("id")) == (actor.kind.value, identity)
