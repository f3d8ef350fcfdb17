"""What my organisation did in a month, in counts that single out nobody.

A month is told once it is over: two looks at a running one would tell what happened between them.
Acts are sealed, so lines are opened to be counted, and nothing but the counts leaves. What was
erased since is not counted any more.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from audit.events import Actor, ActorKind
from auth.subjects import Worker
from base.db_time import instant
from base.errors import invalid
from vault.access_log.records import accounts_of, actions_between
from vault.services import Services

LEAST = 5
"""Fewer people than that are never counted apart."""
_BATCH = 500
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")

ActionKey = tuple[str, str]
"""An action and its outcome."""


@dataclass(slots=True)
class Cell:
    """How often something was done, on whose vaults (keyed tags), and on whose by colleagues."""

    times: int = 0
    people: set[bytes] = field(default_factory=set, repr=False)
    by_others: set[bytes] = field(default_factory=set, repr=False)


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was done, on how many people's vaults."""

    times: int
    people: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What may be told of a month: counts by act; whether some are kept back; all together."""

    month: str
    counts: Mapping[ActionKey, Count]
    kept_back: bool
    total: Count | None


async def organisation_statistics(services: Services, worker: Worker, month: str) -> Statistics:
    """The counts of a month (`YYYY-MM`, in UTC) that is over.

    Raises `ServiceError` INVALID: `month_invalid`, `month_not_over`.
    """
    start, end = _bounds(month)
    async with services.database.transaction() as tx:
        if await instant(tx) < end:
            raise invalid("month_not_over")
        accounts = await accounts_of(tx, worker.organisation_id)
    tags = [
        await services.audit_log.actor_tag(Actor(ActorKind(kind), account))
        for kind, account in accounts
    ]
    own = await services.audit_log.actor_tag(worker.actor())
    cells = await _counted(services, [tag for tag in tags if tag is not None], own, start, end)
    counts = publishable(cells)
    whole = _merged(cells.values())
    return Statistics(
        month,
        counts,
        kept_back=len(counts) < len(cells),
        total=Count(whole.times, len(whole.people)) if _tellable(whole) else None,
    )


def publishable(cells: Mapping[ActionKey, Cell]) -> dict[ActionKey, Count]:
    """The cells that single out nobody, alone or by subtraction from the total.

    1. A cell of fewer than five people is kept back; so is one of which whoever reads knows their
       own part, and what is left is of fewer than five.
    2. So is the smallest of the others, as long as what is kept back is one cell alone, or of
       fewer than five people together: else the total would give it away.
    """
    shown = {attempt: cell for attempt, cell in cells.items() if _tellable(cell)}
    hidden = [cell for attempt, cell in cells.items() if attempt not in shown]
    while hidden and shown and (len(hidden) == 1 or not _tellable(_merged(hidden))):
        smallest = min(shown, key=lambda attempt: (len(shown[attempt].people), attempt))
        hidden.append(shown.pop(smallest))
    return {attempt: Count(cell.times, len(cell.people)) for attempt, cell in sorted(shown.items())}


def _tellable(cell: Cell) -> bool:
    return len(cell.people) >= LEAST and not 0 < len(cell.by_others) < LEAST


def _merged(cells: Iterable[Cell]) -> Cell:
    whole = Cell()
    for cell in cells:
        whole.times += cell.times
        whole.people |= cell.people
        whole.by_others |= cell.by_others
    return whole


def _bounds(month: str) -> tuple[datetime, datetime]:
    shape = _MONTH.fullmatch(month)
    if shape is None:
        raise invalid("month_invalid")
    year, number = int(shape[1]), int(shape[2])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


async def _counted(
    services: Services, tags: list[bytes], own: bytes | None, start: datetime, end: datetime
) -> dict[ActionKey, Cell]:
    """Opened page by page, and forgotten but for the tags of the people."""
    cells: dict[ActionKey, Cell] = {}
    after: UUID | None = None
    while True:
        async with services.database.transaction() as tx:
            rows = await actions_between(tx, tags, start, end, after=after, limit=_BATCH)
            lines = await services.audit_log.open_entries(tx, rows)
        for row, line in zip(rows, lines, strict=True):
            if line.values is not None:
                attempt = (line.values["action"], line.values["outcome"])
                cell = cells.setdefault(attempt, Cell())
                cell.times += 1
                cell.people.add(row.person_tag)
                if row.actor_tag != own:
                    cell.by_others.add(row.person_tag)
        if len(rows) < _BATCH:
            return cells
        after = rows[-1].id
