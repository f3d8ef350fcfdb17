"""Trusted people as the log tells them: one that was put back, taken away, or brought from
nowhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedTrust:
    """By a row that was put back, somebody who was removed would say again at a desk that it is
    that person. Both sides have each line: of a vault that is gone, the other one's tells it."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._last: dict[UUID, tuple[tuple[datetime, UUID], bool]] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read those that are trusted."""
        found = await snapshot.connection.execute(select(table_named("trusted_person")))
        self._rows = {
            row.id: row for row in found if row.accepted_at is not None and row.ended_at is None
        }

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        naming = act.named("trusted")
        if naming is None or not act.allowed:
            return
        if act.action not in (Action.TRUSTED_ACCEPTED, Action.TRUSTED_ENDED):
            return
        former = self._last.get(naming)
        if former is None or act.place > former[0]:
            self._last[naming] = (act.place, act.action == Action.TRUSTED_ACCEPTED)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each that is not as the log tells it."""
        for naming, (_, trusted) in self._last.items():
            if trusted and naming not in self._rows:
                faults.add("missing", "trusted_person", naming)
            elif not trusted and naming in self._rows:
                faults.add("back", "trusted_person", naming)
        for naming, row in self._rows.items():
            if naming not in self._last and not snapshot.is_forgotten(row.accepted_at):
                faults.add("not_in_log", "trusted_person", naming)
