"""The access log as its readers see it: a person, everything on their vault; a recipient, their own
acts. Entries are opened when they are shown; without their key they are left out."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.audit_log import AccessLogEntry
from audit.events import Action, ActorKind, Outcome
from audit.records import events_of
from auth.subjects import Person, Recipient
from base.errors import not_found
from vault.access_log.report_views import ReportView, reports_on
from vault.consent.token_scope import sees_act
from vault.cursors import Page, cut, read
from vault.rules import Reason, failure_of
from vault.services import Services

_SHOWN_AS_NOT_FOUND = {reason.value for reason in Reason if failure_of(reason).code == "not_found"}
OF_SENT_REQUESTS = frozenset({Action.REQUEST.value, Action.WITHDRAW.value})
"""What is done with a consent request by its sender, who must not learn whom it reached."""
AT_THE_DESK = frozenset(
    {
        Action.MEANS_FREED.value,
        Action.MEANS_STOPPED.value,
        Action.RECOVERY_BEGUN.value,
        Action.RECOVERY_SECOND.value,
        Action.RECOVERY_MEANS.value,
        Action.RECOVERY_STOPPED.value,
    }
)
"""What a worker does with a card that somebody shows, of which they must not learn whether it is
one that works; and beside somebody who lost everything, of whom they must not learn whether a vault
was found."""
_UNTOLD_ANSWERS = frozenset({Action.REFUSE.value, Action.NOT_ME.value})
_OF_ITS_PERSON = frozenset({"sign_in", "means", "pin", "anchor", "trusted"})
_STREAMED = {Action.READ.value, Action.PREVIEW.value}


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry. `confirmed`, for content only: whether it was also sent completely (`completed`,
    `interrupted`, `not_confirmed`), or `not_sent` for a refusal."""

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
    report: ReportView | None = field(default=None, repr=False)
    beside: dict[str, str] | None = field(default=None, repr=False)
    """The worker beside whom the person did it, on their device: named as actors are."""


async def list_for_person(
    services: Services, person: Person, *, cursor: str | None, limit: int
) -> Page[EntryView]:
    """What happened on the person's vault, newest first; beside a worker, without the person's
    refusals, and without what is the person's alone for a representative: such a page is shorter.
    """
    tag = await services.audit_log.person_tag(person.id)
    page = await _page(services, cursor, limit, person=person, person_tag=tag)
    return replace(page, items=[one for one in page.items if not _is_kept_back(person, one)])


async def see_for_person(services: Services, person: Person, event_id: UUID) -> EntryView:
    """One entry of the person's own log. Raises `ServiceError` `not_found`."""
    async with services.database.transaction() as tx:
        entry = await find_for_person(services, tx, person, event_id)
    if entry is None:
        raise not_found()
    return entry


async def find_for_person(
    services: Services, tx: AsyncConnection, person: Person, event_id: UUID
) -> EntryView | None:
    """One entry of the person's own log, or None."""
    tag = await services.audit_log.person_tag(person.id)
    rows = await events_of(tx, person_tag=tag, event_id=event_id, limit=1)
    views = views_of(await services.audit_log.open_entries(tx, rows))
    views = [one for one in views if not _is_kept_back(person, one)]
    return next(iter(await with_reports(services, tx, person, views)), None)


def _is_kept_back(person: Person, view: EntryView) -> bool:
    """Whether it is an answer that its sender does not learn, nor does a worker who is beside the
    person, and reads this screen (invariant 7); or what a representative is not told: how, when and
    where the person enters, and whom they trust."""
    if person.represented_by is not None:
        return view.action.partition(".")[0] in _OF_ITS_PERSON
    return person.beside is not None and is_owner(view) and view.action in _UNTOLD_ANSWERS


async def list_by_actor(
    services: Services, recipient: Recipient, *, cursor: str | None, limit: int
) -> Page[EntryView]:
    """The acts of one worker or client, newest first, without those of anyone else, or those that
    the client's access token does not name: such a page is shorter."""
    tag = await services.audit_log.actor_tag(recipient.actor())
    page = await _page(services, cursor, limit, actor_tag=tag)
    return replace(page, items=[view for view in page.items if sees_act(recipient, view.action)])


async def _page(
    services: Services,
    cursor: str | None,
    limit: int,
    *,
    person: Person | None = None,
    person_tag: bytes | None = None,
    actor_tag: bytes | None = None,
) -> Page[EntryView]:
    after = read(cursor)
    before = None if after is None else after[1]
    async with services.database.transaction() as tx:
        rows = await events_of(
            tx, person_tag=person_tag, actor_tag=actor_tag, before=before, limit=limit + 1
        )
        views = views_of(await services.audit_log.open_entries(tx, rows[:limit]))
        if person is not None:
            views = await with_reports(services, tx, person, views)
    if person is None:
        views = [
            _as_answered(view)
            for view in views
            if view.action not in AT_THE_DESK and not _is_sent_request(view)
        ]
    return Page(views, cut(rows, limit, lambda row: (0, row.id)))


async def with_reports(
    services: Services, tx: AsyncConnection, person: Person, views: list[EntryView]
) -> list[EntryView]:
    """The entries, each with the report that the person made on it: one query for all of them.
    Raises `RowAltered`."""
    made = await reports_on(services, tx, person.id, [view.id for view in views])
    return [replace(view, report=made[view.id]) if view.id in made else view for view in views]


def _is_sent_request(view: EntryView) -> bool:
    """Whether it is a consent request that was sent, or withdrawn, or a try on one that is another
    sender's or does not exist. Its sender sees it in their list of requests, which survives the
    erasure of a vault. Its entry is unreadable after the erasure: by disappearing here it would
    reveal that the phone had a vault (invariant 7), to its sender or to a colleague whom they told
    its id."""
    return view.action in OF_SENT_REQUESTS and (
        view.outcome == Outcome.ALLOWED.value or view.reason in _SHOWN_AS_NOT_FOUND
    )


def _as_answered(view: EntryView) -> EntryView:
    """A recipient's own entry, which reveals no more than the answer did then (invariant 7)."""
    if view.reason not in _SHOWN_AS_NOT_FOUND:
        return view
    return replace(
        view,
        reason=Reason.NOT_FOUND.value,
        documents=(),
        grant=None,
        request=None,
        purpose_code=None,
        purpose=None,
    )


def views_of(entries: list[AccessLogEntry]) -> list[EntryView]:
    """Entries that were opened, but those without their key. The caller MUST have checked whose
    they are."""
    return [_view(entry, entry.values) for entry in entries if entry.values is not None]


def _view(entry: AccessLogEntry, values: dict[str, Any]) -> EntryView:
    confirmed = None
    actor = dict(values["actor"])
    beside = actor.pop("beside", None)
    if values["action"] in _STREAMED:
        confirmed = entry.state or "not_confirmed"
        confirmed = confirmed if values["outcome"] == Outcome.ALLOWED else "not_sent"
    return EntryView(
        id=entry.id,
        at=values["at"],
        action=values["action"],
        outcome=values["outcome"],
        reason=values.get("reason", ""),
        actor=actor,
        beside=beside,
        documents=tuple(values.get("documents", ())),
        grant=values.get("grant"),
        request=values.get("request"),
        purpose_code=values.get("purpose_code"),
        purpose=values.get("purpose"),
        confirmed=confirmed,
        details=values.get("details", {}),
    )


def is_owner(entry: EntryView) -> bool:
    """Whether the entry is an act of the person themselves, shown as "you"."""
    return entry.actor.get("kind") == ActorKind.OWNER.value
