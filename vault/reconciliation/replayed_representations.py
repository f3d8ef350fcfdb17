"""Representations as the log tells them: one that was put back or prolonged, taken away, or brought
from nowhere."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from base.time_zones import PARIS
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedRepresentations:
    """By a row that was put back, somebody whose representation was ended would enter the vault
    again; by an older one, until another day than the last judgement says. Both sides have each
    line: of a vault that is gone, the other one's tells it."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._last: dict[UUID, tuple[tuple[datetime, UUID], str | None]] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read those that began and were not ended, also once their last day is over."""
        found = await snapshot.connection.execute(select(table_named("representation")))
        self._rows = {
            row.id: row for row in found if row.began_at is not None and row.ended_at is None
        }

    def see(self, act: LoggedAct) -> None:
        """Fold one event in: until which day it lasts, or None once it ended."""
        named = act.named("representation")
        if named is None or not act.allowed:
            return
        if act.action not in (Action.REPRESENTATION_BEGAN, Action.REPRESENTATION_ENDED):
            return
        former = self._last.get(named)
        if former is None or act.place > former[0]:
            self._last[named] = (act.place, act.word("ends_on"))

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each that is not as the log tells it."""
        for named, (_, ends_on) in self._last.items():
            row = self._rows.get(named)
            if ends_on is not None and row is None:
                faults.add("missing", "representation", named)
            elif ends_on is None and row is not None:
                faults.add("back", "representation", named)
            elif row is not None and _last_day(row.ends_at) != ends_on:
                faults.add("older", "representation", named)
        for named, row in self._rows.items():
            if named not in self._last and not snapshot.is_forgotten(row.began_at):
                faults.add("not_in_log", "representation", named)


def _last_day(ends_at: datetime) -> str:
    """The day whose end it is, where courts tell the time."""
    return (ends_at - timedelta(seconds=1)).astimezone(PARIS).date().isoformat()
