"""Anchors as the log tells them: one that was put back, taken away, or brought from nowhere."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedAnchors:
    """By one that was put back, somebody would open a vault again by a paper of before."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._people: set[UUID] = set()
        self._last: dict[UUID, tuple[tuple[datetime, UUID], UUID | None]] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read the anchors, and who is there."""
        tx = snapshot.connection
        anchors = await tx.execute(select(table_named("anchor")))
        self._rows = {row.person_id: row for row in anchors}
        self._people = {row.id for row in await tx.execute(select(table_named("person").c.id))}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if act.person is None or not act.allowed:
            return
        if act.action not in (Action.ANCHOR_ENROLLED, Action.ANCHOR_REMOVED):
            return
        kept = act.named("anchor") if act.action == Action.ANCHOR_ENROLLED else None
        former = self._last.get(act.person)
        if former is None or act.place > former[0]:
            self._last[act.person] = (act.place, kept)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each anchor that is not as the log tells it. Of a vault that is gone, nothing."""
        for person, (_, expected) in self._last.items():
            row = self._rows.get(person)
            if row is None and expected is not None and person in self._people:
                faults.add("missing", "anchor", person)
            elif row is not None and row.id != expected:
                faults.add("back" if expected is None else "older", "anchor", person)
        for person, row in self._rows.items():
            if person not in self._last and not snapshot.is_forgotten(row.enrolled_at):
                faults.add("not_in_log", "anchor", person)
