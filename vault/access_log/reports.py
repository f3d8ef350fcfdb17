"""Reports: a person says that an entry of their log is not normal; the operator reads and answers.

The report is sealed under the person's key. The operator is told of each by e-mail, and so is the
organisation of whoever acted, if they know already that this vault exists (`organisation_learns`).
No message names the person, a document or a purpose. The answer is read where the report was made.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Outcome
from auth import notifications, profiles
from auth.living_vaults import hold_living_vault
from auth.messages import queue
from auth.person_contact import contact_to_tell
from auth.services import CoreServices
from auth.subjects import Person
from base.contact import email_in
from base.db_time import instant
from base.errors import about, invalid
from base.ids import new_id
from base.key_names import REPORT
from base.user_text import clean_text
from vault import rate_limit
from vault.access_log import records
from vault.access_log.entries import EntryView, find_for_person
from vault.access_log.records import REPORT_ROW
from vault.access_log.report_views import ReportView, answer_by, view_of
from vault.decisions import (
    AccessAttempt,
    Denial,
    decide,
    record_allowed,
    record_denial,
    record_refusal,
)
from vault.rules import Reason
from vault.services import Services

MAX_TEXT = 500
MAX_ANSWER = 2000
PER_HOUR = 20
_LISTED = 500
_MESSAGE_LIFE = timedelta(days=7)
_LANGUAGE = "fr"
"""Of messages to organisations and to the operator, whose language is not known."""


@dataclass(frozen=True, slots=True)
class ListedReport:
    """A report as the operator lists it: nothing of what it says. `answer_by`: when its answer is
    due, by the setting of today. `altered`: its row was changed without the service's key, and does
    not open."""

    id: UUID
    reported_at: datetime
    answered_at: datetime | None
    answer_by: datetime
    organisation: str
    altered: bool


@dataclass(frozen=True, slots=True)
class OpenedReport:
    """A report as the operator reads it, with the entry that it is about: when, what, by whom."""

    report: ReportView
    event_id: UUID
    at: str
    action: str
    outcome: str
    actor: dict[str, str] = field(repr=False)


async def report(services: Services, person: Person, event_id: UUID, text: str = "") -> ReportView:
    """Report an entry of one's own log, once; a second call gives the first report.

    Raises `ServiceError`: `not_found`, `text_too_long`, `too_many_requests`.
    """
    with about("text"):
        words = clean_text(text, MAX_TEXT) or ""
    attempt = AccessAttempt(action=Action.REPORT, actor=person.actor(), person=person.id)
    # 1. Rate-limited before the entry is looked up: each report sends messages.
    wait = await rate_limit.take_attempt(services, person.id, "report", PER_HOUR)
    if wait is not None:
        raise await record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    # 2. Row, event and messages in one commit. A crash before it leaves nothing; after it, the
    # messages are sent later.
    return await decide(
        services, lambda tx: _report(services, tx, person, event_id, words, attempt)
    )


async def list_reports(services: CoreServices, *, waiting: bool = True) -> list[ListedReport]:
    """For the operator: at most 500 reports, those that wait for an answer or the last ones."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.reports(tx, waiting=waiting, limit=_LISTED)
        return [
            ListedReport(
                id=row.id,
                reported_at=row.created_at,
                answered_at=row.answered_at,
                answer_by=answer_by(services, row.created_at),
                organisation=await _name_of(services, tx, row.organisation_id),
                altered=not macs.holds(REPORT_ROW, row),
            )
            for row in rows
        ]


async def see_report(services: CoreServices, report_id: UUID) -> OpenedReport:
    """For the operator: one report, opened once the person's log says so.

    Raises `ServiceError` `not_found`, `RowAltered`.
    """
    async with services.database.transaction() as tx:
        row = await records.report(tx, report_id)
        attempt = _by_operator(Action.REPORT_SEEN, row)
        if row is not None:
            await _check(services, row)
            await record_allowed(services, tx, await instant(tx), attempt)
    if row is None:
        raise await record_refusal(services, attempt, Reason.NOT_FOUND)
    values = await _open(services, row)
    return OpenedReport(
        report=view_of(services, row, values),
        event_id=row.event_id,
        at=values["at"],
        action=values["action"],
        outcome=values["outcome"],
        actor=values["actor"],
    )


async def answer_report(services: CoreServices, report_id: UUID, text: str) -> None:
    """For the operator: answer a report, once. Its person is told by SMS that there is an answer.

    Raises `ServiceError`: `text_invalid`, `text_too_long`, `not_found`, `report_answered`;
    `RowAltered`.
    """
    words = clean_text(text, MAX_ANSWER)
    if words is None:
        raise invalid("text_invalid", field="text", longest=MAX_ANSWER)
    async with services.database.transaction() as tx:
        denial = await _answer(services, tx, report_id, words)
    if denial is not None:
        raise await record_denial(services, denial)


def organisation_learns(entry: EntryView) -> bool:
    """Whether the actor's organisation is told of a report: only of an act that was allowed under
    a grant. To tell it of anything else would reveal that there is a vault (invariant 7); there,
    the operator decides."""
    return bool(
        entry.grant and entry.outcome == Outcome.ALLOWED and entry.actor.get("organisation_id")
    )


async def tells_organisation(services: CoreServices, entry: EntryView) -> bool:
    """Whether a report of the entry, made now, sends a message to the actor's organisation."""
    async with services.database.transaction() as tx:
        return await _address_to_tell(services, tx, entry) is not None


async def _report(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    event_id: UUID,
    words: str,
    attempt: AccessAttempt,
) -> ReportView | Denial:
    # Of two calls at once, one waits, then finds the report of the other.
    await hold_living_vault(tx, person.id)
    entry = await find_for_person(services, tx, person, event_id)
    if entry is None:
        return Denial(attempt, Reason.NOT_FOUND)
    if entry.report is not None:
        return entry.report
    at, report_id = await instant(tx), new_id()
    told = await _tell(services, tx, entry, report_id)
    due = answer_by(services, at)
    values = {
        "text": words,
        "organisation_told": told,
        "at": entry.at,
        "action": entry.action,
        "outcome": entry.outcome,
        "actor": entry.actor,
        "answer_by": due.isoformat(),
    }
    row = {
        "id": report_id,
        "person_id": person.id,
        "event_id": event_id,
        "organisation_id": _organisation_of(entry),
        "sealed": (await services.field_encryption.writer(person.id, tx)).seal(
            REPORT, report_id, values
        ),
        "created_at": at,
        "answered_at": None,
    }
    macs = await services.field_encryption.row_macs()
    await records.add_report(tx, **macs.add(REPORT_ROW, row))
    details: dict[str, str | int] = {"report": str(report_id), "event": str(event_id)}
    await record_allowed(services, tx, at, replace(attempt, details=details))
    return ReportView(report_id, at, words, told, None, None, due)


async def _tell(
    services: CoreServices, tx: AsyncConnection, entry: EntryView, report_id: UUID
) -> bool:
    """Queue the messages; returns whether the organisation was told."""
    facts = notifications.ReportedAccess(
        reference=str(report_id), actor=entry.actor, at=datetime.fromisoformat(entry.at)
    )
    subject = notifications.report_subject(services, _LANGUAGE)
    address = await _address_to_tell(services, tx, entry)
    told = address is not None
    if address is not None:
        text = notifications.access_reported(services, _LANGUAGE, facts)
        await queue(
            services, tx, channel="email", to=address, subject=subject, text=text,
            life=_MESSAGE_LIFE,
        )  # fmt: skip
    if services.settings.operator_email:
        text = notifications.report_waiting(services, _LANGUAGE, facts, organisation_told=told)
        await queue(
            services, tx, channel="email", to=services.settings.operator_email, subject=subject,
            text=text, life=_MESSAGE_LIFE,
        )  # fmt: skip
    return told


async def _address_to_tell(
    services: CoreServices, tx: AsyncConnection, entry: EntryView
) -> str | None:
    """The e-mail address of the actor's organisation, if it has one and may learn of a report."""
    if not organisation_learns(entry):
        return None
    organisation = await profiles.organisation(services, tx, _organisation_of(entry))
    return email_in(organisation.contact) if organisation else None


async def _answer(
    services: CoreServices, tx: AsyncConnection, report_id: UUID, words: str
) -> Denial | None:
    row = await records.report(tx, report_id)
    attempt = _by_operator(Action.REPORT_ANSWERED, row)
    if row is None:
        return Denial(attempt, Reason.NOT_FOUND)
    await _check(services, row)
    if row.answered_at is not None:
        return Denial(attempt, Reason.REPORT_ANSWERED)
    at = await instant(tx)
    values = {**await _open(services, row, tx), "answer": words}
    sealed = (await services.field_encryption.writer(row.person_id, tx)).seal(
        REPORT, row.id, values
    )
    macs = await services.field_encryption.row_macs()
    mac = macs.of(REPORT_ROW, {**row._mapping, "sealed": sealed, "answered_at": at})
    # Answer, event and message in one commit: a crash before it leaves the report waiting.
    await records.answer_report(tx, row.id, sealed=sealed, at=at, mac=mac)
    await record_allowed(services, tx, at, attempt)
    await _tell_person(services, tx, row.person_id)
    return None


async def _tell_person(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Queue a text message. A person without a phone reads the answer at the desk."""
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is not None:
        text = notifications.report_answered(services, contact.language)
        await queue(services, tx, channel="sms", to=contact.phone, text=text, life=_MESSAGE_LIFE)


def _by_operator(action: Action, row: Row[Any] | None) -> AccessAttempt:
    actor = Actor(ActorKind.OPERATOR)
    if row is None:
        return AccessAttempt(action=action, actor=actor)
    details: dict[str, str | int] = {"report": str(row.id), "event": str(row.event_id)}
    return AccessAttempt(action=action, actor=actor, person=row.person_id, details=details)


async def _check(services: CoreServices, row: Row[Any]) -> None:
    (await services.field_encryption.row_macs()).check(REPORT_ROW, row)


async def _open(
    services: CoreServices, row: Row[Any], tx: AsyncConnection | None = None
) -> dict[str, Any]:
    reader = await services.field_encryption.reader(row.person_id, tx)
    return reader.open(REPORT, row.id, row.sealed)


async def _name_of(
    services: CoreServices, tx: AsyncConnection, organisation_id: UUID | None
) -> str:
    organisation = await profiles.organisation(services, tx, organisation_id)
    return organisation.name if organisation else ""


def _organisation_of(entry: EntryView) -> UUID | None:
    text = entry.actor.get("organisation_id")
    return UUID(text) if text else None
