"""Recoveries as the log tells them: one that was stopped and lives again, one that is gone, or says
less than was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.recovery.recovery_rules import REMEMBERED
from vault.recovery.stop_lines import STOPPED
from vault.services import Services

_BEGUN, _SECOND = Action.RECOVERY_BEGUN.value, Action.RECOVERY_SECOND.value


class ReplayedRecoveries:
    """By a row that was put back, somebody would open a vault whose person said no. Of a vault that
    is gone, nothing is compared: the row of one that waited goes with it."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._people: set[UUID] = set()
        self._done: dict[UUID, dict[str, datetime]] = {}
        self._of: dict[UUID, set[UUID]] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read them, and who is there."""
        found = await snapshot.connection.execute(select(table_named("recovery")))
        self._rows = {row.id: row for row in found}
        people = await snapshot.connection.execute(select(table_named("person").c.id))
        self._people = {row.id for row in people}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        named = act.named("recovery")
        if named is None or not act.allowed:
            return
        done = self._done.setdefault(named, {})
        done[act.action] = max(act.at, done.get(act.action, act.at))
        if act.person is not None:
            self._of.setdefault(named, set()).add(act.person)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each that is not as the log tells it."""
        for named, done in self._done.items():
            row = self._rows.get(named)
            if row is None:
                if self._is_missed(named, done, snapshot.at):
                    faults.add("missing", "recovery", named)
            elif STOPPED in done and row.ended_at is None:
                faults.add("back", "recovery", named)
            elif _is_older(row, done):
                faults.add("older", "recovery", named)
        for named, row in self._rows.items():
            done = self._done.get(named, {})
            opened = row.opened_at is not None and Action.RECOVERY_OPENED.value not in done
            if (_BEGUN not in done or opened) and not snapshot.is_forgotten(row.began_at):
                faults.add("not_in_log", "recovery", named)

    def _is_missed(self, named: UUID, done: dict[str, datetime], at: datetime) -> bool:
        """Whether one that is gone would still count: it opens a vault, a stop weighs on the next
        one, an opening keeps a vault from being taken away."""
        counts = at - min(done.values()) < REMEMBERED
        return counts and self._of.get(named, set()) <= self._people


def _is_older(row: Any, done: dict[str, datetime]) -> bool:
    opened = Action.RECOVERY_OPENED.value in done and row.opened_at is None
    return opened or (_SECOND in done and row.complete_at is None)
