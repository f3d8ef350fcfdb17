"""What an organisation did in a month, in counts that single out nobody.

Only a month that is over: two results for a running month would reveal the acts between them. Acts
are sealed, so entries are opened to be counted, and only the counts leave. Acts on a vault erased
since then are not counted. Nor are requests, sent or withdrawn: only those that reached a vault
have its tag, and whoever chooses five known people and one more would learn whether that one has a
vault (invariant 7). Nor are cards that were freed or stopped at the desk, for the same reason.
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
from vault.access_log.entries import AT_THE_DESK, OF_SENT_REQUESTS
from vault.access_log.records import accounts_of, actions_between
from vault.services import Services

MIN_PEOPLE = 5
"""A count about fewer people than this is never shown alone."""
_UNCOUNTED = OF_SENT_REQUESTS | AT_THE_DESK
_BATCH = 500
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")

ActionKey = tuple[str, str]
"""An action and its outcome."""


@dataclass(slots=True)
class Cell:
    """How often an action was done, on whose vaults (keyed tags), on whose by other colleagues."""

    times: int = 0
    people: set[bytes] = field(default_factory=set, repr=False)
    by_others: set[bytes] = field(default_factory=set, repr=False)


@dataclass(frozen=True, slots=True)
class Count:
    """How often an action was done, on how many people's vaults."""

    times: int
    people: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What may be shown of a month: counts by action, whether some are kept back, the total."""

    month: str
    counts: Mapping[ActionKey, Count]
    kept_back: bool
    total: Count | None


async def organisation_statistics(services: Services, worker: Worker, month: str) -> Statistics:
    """The counts of a month (`YYYY-MM`, UTC) that is over.

    Raises `ServiceError` INVALID: `month_invalid`, `month_not_over`.
    """
    start, end = _bounds(month)
    async with services.database.transaction() as tx:
        if await instant(tx) < end:
            raise invalid("month_not_over", fields=[("month",)])
        accounts = await accounts_of(tx, worker.organisation_id)
    tags = [
        await services.audit_log.actor_tag(Actor(ActorKind(kind), account))
        for kind, account in accounts
    ]
    own = await services.audit_log.actor_tag(worker.actor())
    cells = await _count(services, [tag for tag in tags if tag is not None], own, start, end)
    counts = publishable(cells)
    total = _merge(cells.values())
    return Statistics(
        month,
        counts,
        kept_back=len(counts) < len(cells),
        total=Count(total.times, len(total.people)) if _may_show(total) else None,
    )


def publishable(cells: Mapping[ActionKey, Cell]) -> dict[ActionKey, Count]:
    """The cells that single out nobody, alone or by subtraction from the total.

    1. A cell of fewer than five people is kept back. So is one that leaves one to four people
       when the reader subtracts their own acts.
    2. While only one cell is kept back, or all of them have fewer than five people together, the
       smallest other cell is kept back too: otherwise the total would reveal them.
    """
    shown = {key: cell for key, cell in cells.items() if _may_show(cell)}
    hidden = [cell for key, cell in cells.items() if key not in shown]
    while hidden and shown and (len(hidden) == 1 or not _may_show(_merge(hidden))):
        smallest = min(shown, key=lambda key: (len(shown[key].people), key))
        hidden.append(shown.pop(smallest))
    return {key: Count(cell.times, len(cell.people)) for key, cell in sorted(shown.items())}


def _may_show(cell: Cell) -> bool:
    return len(cell.people) >= MIN_PEOPLE and not 0 < len(cell.by_others) < MIN_PEOPLE


def _merge(cells: Iterable[Cell]) -> Cell:
    total = Cell()
    for cell in cells:
        total.times += cell.times
        total.people |= cell.people
        total.by_others |= cell.by_others
    return total


def _bounds(month: str) -> tuple[datetime, datetime]:
    shape = _MONTH.fullmatch(month)
    if shape is None:
        raise invalid("month_invalid", fields=[("month",)])
    year, number = int(shape[1]), int(shape[2])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return datetime(year, number, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


async def _count(
    services: Services, tags: list[bytes], own: bytes | None, start: datetime, end: datetime
) -> dict[ActionKey, Cell]:
    """Open the entries page by page and keep only counts and the tags of the people."""
    cells: dict[ActionKey, Cell] = {}
    after: tuple[datetime, UUID] | None = None
    while True:
        async with services.database.transaction() as tx:
            rows = await actions_between(tx, tags, start, end, after=after, limit=_BATCH)
            entries = await services.audit_log.open_entries(tx, rows)
        for row, entry in zip(rows, entries, strict=True):
            if entry.values is not None and entry.values["action"] not in _UNCOUNTED:
                key = (entry.values["action"], entry.values["outcome"])
                cell = cells.setdefault(key, Cell())
                cell.times += 1
                cell.people.add(row.person_tag)
                if row.actor_tag != own:
                    cell.by_others.add(row.person_tag)
        if len(rows) < _BATCH:
            return cells
        after = rows[-1].at, rows[-1].id
