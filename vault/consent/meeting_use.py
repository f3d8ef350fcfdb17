"""The one request, or the one grant, that a meeting leads to. Nothing here opens what is sealed."""

from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Person, Recipient
from base.locks import hold_vault
from vault.consent.meeting_rules import MeetingFacts, are_together, may_use
from vault.consent.records import meetings as records
from vault.consent.records.meetings import MEETING_ROW
from vault.decisions import AccessAttempt, shown_to
from vault.rules import Reason, Refused


async def meeting_to_use(
    services: CoreServices, tx: AsyncConnection, caller: Person | Recipient, meeting_id: UUID
) -> Row[Any] | Refused:
    """A meeting that may be used, locked: of two uses at once, one waits and is refused. The caller
    MUST `mark_used` in the same transaction, once nothing else is refused. Raises `RowAltered`."""
    # 1. The vault, then the row: erasure takes them in this order.
    found = await records.meeting(tx, meeting_id)
    if found is not None and found.person_id is not None:
        await hold_vault(tx, found.person_id)
    row = await records.meeting_to_change(tx, meeting_id)
    # 2. It is the caller's, agreed by both, and was not used.
    judgement = may_use(row and facts_of(row), caller=caller.party)
    if isinstance(judgement, Refused) or row is None:
        return judgement if isinstance(judgement, Refused) else Refused(Reason.NOT_FOUND)
    (await services.field_encryption.row_macs()).check(MEETING_ROW, row)
    return row


async def mark_used(services: CoreServices, tx: AsyncConnection, row: Row[Any]) -> None:
    """Use a meeting, once. A crash before the commit leaves it unused."""
    macs = await services.field_encryption.row_macs()
    await records.change_meeting(tx, macs, row, used_at=row.at)


async def has_met(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, worker_id: UUID
) -> bool:
    """Whether both said yes to a meeting that neither ended, at most half an hour ago; used or not.
    Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    rows = await records.agreed_meetings(tx, person_id, worker_id)
    for row in rows:
        macs.check(MEETING_ROW, row)
    return any(are_together(facts_of(row)) for row in rows)


def facts_of(row: Row[Any]) -> MeetingFacts:
    """A meeting's row, as its rules read it."""
    return MeetingFacts(
        at=row.at,
        opened_by=row.opened_by,
        person_id=row.person_id,
        worker_id=row.worker_id,
        created_at=row.created_at,
        answered_at=row.answered_at,
        person_agreed_at=row.person_agreed_at,
        worker_agreed_at=row.worker_agreed_at,
        ended_at=row.ended_at,
        used_at=row.used_at,
    )


def attempt_on(row: Row[Any] | None, subject: Person | Recipient, action: Action) -> AccessAttempt:
    """An act on a meeting as its person's log shows it; that of another person is anonymous."""
    if row is None or row.person_id is None:
        return AccessAttempt(action=action, actor=subject.actor())
    return AccessAttempt(
        action=action, actor=shown_to(row.person_id, subject), person=row.person_id
    )
