"""Everyone is told that the service closes, at three times: a message, once each, by day.

A notice and its message are one commit: a crash neither repeats nor loses one. Whoever has no phone
is told by the page of their next visit; so is who has a number that nobody used for six months,
which may be another's by now: a message is sent there all the same.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import closing_messages, closings, profiles
from auth.closing_rules import Notice, day_of, is_daytime, last_day, notice_due
from auth.messages import queue
from auth.person_contact import contact_to_tell
from auth.records import closings as records
from auth.records import people, recipients
from auth.services import CoreServices
from auth.subjects import Person
from base.db_time import instant
from base.ids import new_id
from storage.row_macs import RowMacs

BATCH = 200
_LANGUAGE = "fr"
_LIFE = timedelta(days=7)
_FIRST = UUID(int=0)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Due:
    """What is told now, of which closing."""

    closing_id: UUID
    closes_on: date
    notice: Notice


@dataclass(frozen=True, slots=True)
class _Batch:
    """One commit. `macs` and `at` are of its transaction."""

    services: CoreServices
    tx: AsyncConnection
    due: _Due
    macs: RowMacs
    at: datetime

    def missing(self, ids: Sequence[UUID], steps: Sequence[Sequence[Any]]) -> list[UUID]:
        """Who has not had this notice. That the service goes on is for those who had another."""
        had: dict[UUID, set[str]] = {}
        for subject_id, step in steps:
            if step != records.EXPORTED:
                had.setdefault(subject_id, set()).add(step)
        goes_on = self.due.notice is Notice.GOES_ON
        return [
            one
            for one in ids
            if self.due.notice not in had.get(one, set()) and (one in had or not goes_on)
        ]

    async def note(self, way: str, done_at: datetime | None, **subject: UUID) -> bool:
        """Note the notice; False when another process did."""
        return await records.add_step(
            self.tx,
            self.macs,
            id=new_id(),
            closing_id=self.due.closing_id,
            step=self.due.notice.value,
            way=way,
            done_at=done_at,
            **subject,
        )


_Tell: TypeAlias = Callable[[_Batch, UUID], Awaitable[tuple[int, UUID | None]]]


async def tell_due(services: CoreServices) -> int:
    """Tell everyone who was not told yet, and for whom it is day; returns to how many a message
    goes. Whoever is left is told when this runs again."""
    async with services.database.transaction() as tx:
        due = await _due(services, tx)
    if due is None:
        return 0
    return sum([await _tell_all(services, due, tell) for tell in (_tell_people, _tell_workers)])


async def note_visit(services: CoreServices, person: Person) -> None:
    """A person sees the page that says it. Rows that are not the service's stay as they are."""
    closing = await closings.shown(services)
    if closing is None:
        return
    async with services.database.transaction() as tx:
        unseen = await records.unseen_steps(tx, closing.id, person.id)
        if unseen:
            macs, at = await services.field_encryption.row_macs(), await instant(tx)
            for row in unseen:
                if macs.holds(records.CLOSING_STEP_ROW, row):
                    await records.note_done(tx, macs, row, "page", at)


async def note_export(services: CoreServices, tx: AsyncConnection, person: Person) -> None:
    """A person takes their papers away; counted once, in the transaction that records it."""
    closing = await closings.current(services, tx)
    if closing is not None:
        macs = await services.field_encryption.row_macs()
        await records.add_step(
            tx, macs, id=new_id(), closing_id=closing.id, person_id=person.id,
            step=records.EXPORTED, way="page", done_at=await instant(tx),
        )  # fmt: skip


async def _due(services: CoreServices, tx: AsyncConnection) -> _Due | None:
    row = await records.last_closing(tx, await services.field_encryption.row_macs())
    if row is None:
        return None
    closes_on = last_day(row.ends_at)
    notice = notice_due(closes_on, day_of(row.at))
    if row.cancelled_at is not None:
        notice = notice and Notice.GOES_ON
    return None if notice is None else _Due(row.id, closes_on, notice)


async def _tell_all(services: CoreServices, due: _Due, tell: _Tell) -> int:
    told, after = 0, _FIRST
    while True:
        async with services.database.transaction() as tx:
            macs, at = await services.field_encryption.row_macs(), await instant(tx)
            sent, last = await tell(_Batch(services, tx, due, macs, at), after)
        told += sent
        if last is None:
            return told
        after = last


async def _tell_people(batch: _Batch, after: UUID) -> tuple[int, UUID | None]:
    """How many of the next ones a message goes to, and who was the last; None at the end."""
    rows = await people.people_after(batch.tx, after, BATCH)
    ended = await people.ended_among(batch.tx, [row.id for row in rows])
    there = [row.id for row in rows if row.id not in ended]
    steps = await records.steps_of_people(batch.tx, batch.due.closing_id, there)
    asleep = {row.id for row in rows if row.asleep}
    sent = 0
    for person_id in batch.missing(there, steps):
        sent += await _tell_person(batch, person_id, asleep=person_id in asleep)
    return sent, rows[-1].id if rows else None


async def _tell_person(batch: _Batch, person_id: UUID, *, asleep: bool) -> bool:
    services, tx, due = batch.services, batch.tx, batch.due
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is None:
        if due.notice is not Notice.GOES_ON:  # of which no page says anything
            await batch.note("page", None, person_id=person_id)
        return False
    if not is_daytime(batch.at, contact.zone):
        return False
    if not await batch.note("sms", None if asleep else batch.at, person_id=person_id):
        return False
    text = closing_messages.to_person(services, contact.language, due.notice, due.closes_on)
    await queue(services, tx, channel="sms", to=contact.phone, text=text, life=_LIFE)
    return True


async def _tell_workers(batch: _Batch, after: UUID) -> tuple[int, UUID | None]:
    rows = await recipients.workers_after(batch.tx, after, BATCH)
    ids = [row.id for row in rows]
    steps = await records.steps_of_workers(batch.tx, batch.due.closing_id, ids)
    missing = set(batch.missing(ids, steps))
    sent = 0
    for row in rows:
        if row.id in missing:
            sent += await _tell_worker(batch, row)
    return sent, ids[-1] if ids else None


async def _tell_worker(batch: _Batch, row: Any) -> bool:
    services, tx, due = batch.services, batch.tx, batch.due
    if not batch.macs.holds(recipients.WORKER_ROW, row):
        _log.warning("worker_not_told", error="RowAltered")
        return False
    worker = await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )
    if not is_daytime(batch.at, worker.zone):
        return False
    if not await batch.note("email", batch.at, worker_id=worker.id):
        return False
    await queue(
        services,
        tx,
        channel="email",
        to=worker.email,
        subject=closing_messages.subject(services, _LANGUAGE, due.notice),
        text=closing_messages.to_worker(services, _LANGUAGE, due.notice, due.closes_on),
        life=_LIFE,
    )
    return True
