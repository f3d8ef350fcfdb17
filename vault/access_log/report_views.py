"""Reports as their person reads them, in the place of the entry that each is about."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import REPORT
from vault.access_log import records
from vault.access_log.records import REPORT_ROW


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report: what its person wrote, and the operator's answer once there is one.

    `id` is the reference that the messages name. `organisation_told`: whether the organisation of
    whoever acted was told too. `answer_by`: until when the operator said that they answer.
    """

    id: UUID
    reported_at: datetime
    text: str = field(repr=False)
    organisation_told: bool
    answer: str | None = field(repr=False)
    answered_at: datetime | None
    answer_by: datetime


async def reports_on(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, event_ids: Sequence[UUID]
) -> dict[UUID, ReportView]:
    """The person's reports on entries of their log, by entry. Raises `RowAltered`."""
    rows = await records.reports_on(tx, person_id, event_ids)
    if not rows:
        return {}
    reader = await services.field_encryption.reader(person_id, tx)
    macs = await services.field_encryption.row_macs()
    views = {}
    for row in rows:
        macs.check(REPORT_ROW, row)
        views[row.event_id] = view_of(services, row, reader.open(REPORT, row.id, row.sealed))
    return views


def answer_by(services: CoreServices, reported_at: datetime) -> datetime:
    """Until when the operator answers what was reported at a moment, by the setting of today."""
    return reported_at + timedelta(days=services.settings.report_answer_days)


def view_of(services: CoreServices, row: Row[Any], values: dict[str, Any]) -> ReportView:
    """The report of a row and of what it seals. The caller MUST have checked the row's MAC."""
    said: str | None = values.get("answer_by")  # not in rows of before
    return ReportView(
        id=row.id,
        reported_at=row.created_at,
        text=values["text"],
        organisation_told=values["organisation_told"],
        answer=values.get("answer"),
        answered_at=row.answered_at,
        answer_by=datetime.fromisoformat(said) if said else answer_by(services, row.created_at),
    )
