"""The access log as its readers see it: the person, everything on their vault; a recipient, their
own doings. Lines are opened at the moment they are shown, and say nothing once a key is gone."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from audit.audit_log import AccessLogEntry
from audit.events import Action, ActorKind, Outcome
from audit.records import events_of
from auth.subjects import Person, Recipient
from base.errors import not_found
from vault.cursors import Page, cut, read
from vault.rules import Reason, failure_of
from vault.services import Services

_TOLD_AS_NOT_FOUND = {each.value for each in Reason if failure_of(each).code == "not_found"}
_STREAMED = {Action.READ.value, Action.PREVIEW.value}


@dataclass(frozen=True, slots=True)
class EntryView:
    """One line. `confirmed` tells, of content, whether what was allowed was also sent whole:
    `completed`, `interrupted`, `not_confirmed`, or `not_sent` for a refusal."""

    id: UUID
    at: str
    action: str
    outcome: str
    reason: str
    actor: dict[str, str] = field(repr=False)
    documents: tuple[str, ...]
    grant: str | None
    request: str | None
    purpose_code: str | None
    purpose: str | None = field(repr=False)
    confirmed: str | None
    details: dict[str, Any] = field(repr=False)


async def list_for_person(
    services: Services, person: Person, *, cursor: str | None, limit: int
) -> Page[EntryView]:
    """What happened on the person's vault, newest first."""
    tag = await services.audit_log.person_tag(person.id)
    return await _page(services, cursor, limit, person_tag=tag)


async def see_for_person(services: Services, person: Person, event_id: UUID) -> EntryView:
    """One line of the person's own log."""
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, event_id=event_id, limit=1)
        entries = _entries(await services.audit_log.open_entries(tx, rows))
    if not entries:
        raise not_found()
    return entries[0]


async def list_by_actor(
    services: Services, recipient: Recipient, *, cursor: str | None, limit: int
) -> Page[EntryView]:
    """What a worker or a client did, newest first: their own doings and nobody else's."""
    tag = await services.audit_log.actor_tag(recipient.actor())
    return await _page(services, cursor, limit, actor_tag=tag)


async def _page(
    services: Services,
    cursor: str | None,
    limit: int,
    *,
    person_tag: bytes | None = None,
    actor_tag: bytes | None = None,
) -> Page[EntryView]:
    after = read(cursor)
    before = None if after is None else after[1]
    async with services.database.transaction() as tx:
        rows = await events_of(
            tx, person_tag=person_tag, actor_tag=actor_tag, before=before, limit=limit + 1
        )
        lines = await services.audit_log.open_entries(tx, rows[:limit])
    entries = _entries(lines)
    if person_tag is None:
        entries = [_as_told(one) for one in entries if not _was_sent(one)]
    return Page(entries, cut(rows, limit, lambda row: (0, row.id)))


def _was_sent(entry: EntryView) -> bool:
    """Whether it is a request that left. Its sender finds it among their requests, which stay when
    a vault is erased. Its line does not: it is the vault's, unreadable from then on, and would tell
    by vanishing that the phone had a vault (invariant 7)."""
    return entry.action == Action.REQUEST.value and entry.outcome == Outcome.ALLOWED.value


def _as_told(entry: EntryView) -> EntryView:
    """A recipient's own line, saying no more than the answer did at the time (invariant 7)."""
    if entry.reason not in _TOLD_AS_NOT_FOUND:
        return entry
    return replace(
        entry,
        reason=Reason.NOT_FOUND.value,
        documents=(),
        grant=None,
        request=None,
        purpose_code=None,
        purpose=None,
    )


def _entries(lines: list[AccessLogEntry]) -> list[EntryView]:
    return [_entry(line, line.values) for line in lines if line.values is not None]


def _entry(line: AccessLogEntry, values: dict[str, Any]) -> EntryView:
    sent = None
    if values["action"] in _STREAMED:
        sent = line.state or "not_confirmed"
        sent = sent if values["outcome"] == Outcome.ALLOWED else "not_sent"
    return EntryView(
        id=line.id,
        at=values["at"],
        action=values["action"],
        outcome=values["outcome"],
        reason=values.get("reason", ""),
        actor=values["actor"],
        documents=tuple(values.get("documents", ())),
        grant=values.get("grant"),
        request=values.get("request"),
        purpose_code=values.get("purpose_code"),
        purpose=values.get("purpose"),
        confirmed=sent,
        details=values.get("details", {}),
    )


def is_owner(entry: EntryView) -> bool:
    """Whether the line is the person's own doing, shown as "you"."""
    return entry.actor.get("kind") == ActorKind.OWNER.value
