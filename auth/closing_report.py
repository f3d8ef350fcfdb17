"""What was done of a closing: who was told, by what, and who took their papers away, in counts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from auth.closing_rules import Notice, day_of, last_day, notice_due
from auth.records import closings as records
from auth.services import CoreServices


@dataclass(frozen=True, slots=True)
class Told:
    """How many of some were told, by what they were told first, and how many were not yet."""

    by: Counter[str] = field(default_factory=Counter)
    not_yet: int = 0


@dataclass(frozen=True, slots=True)
class ClosingReport:
    """`notice`: the one that goes out now; None after the last day. `left`: vaults whose person did
    not take their papers away since it was announced."""

    closes_on: date
    announced_on: date
    notice: Notice | None
    people: Told
    workers: Told
    exported: int
    left: int


async def report(services: CoreServices) -> ClosingReport | None:
    """Of the closing that is announced; None where the service goes on. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.last_closing(tx, macs)
        if row is None or row.cancelled_at is not None:
            return None
        told = await records.count_told(tx, row.id)
        exported = await records.count_exported(tx, row.id)
        there = await records.count_there(tx)
    by: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for one in told:
        by[bool(one.is_worker)][one.way] += one.told
    closes_on = last_day(row.ends_at)
    return ClosingReport(
        closes_on=closes_on,
        announced_on=day_of(row.announced_at),
        notice=notice_due(closes_on, day_of(row.at)),
        people=Told(by[False], there.people - by[False].total()),
        workers=Told(by[True], there.workers - by[True].total()),
        exported=exported,
        left=there.people - exported,
    )
