"""Closings of the service as the log tells them: one taken away, put back, or from nowhere."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedClosings:
    """By one that was taken away, nobody would be told; by one that was put back, nothing could be
    added after its day."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._announced: set[UUID] = set()
        self._cancelled: set[UUID] = set()

    async def load(self, snapshot: Snapshot) -> None:
        """Read them all: a few in the life of a service."""
        found = await snapshot.connection.execute(select(table_named("closing")))
        self._rows = {row.id: row for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        closing = act.named("closing")
        if closing is None or not act.allowed:
            return
        if act.action == Action.CLOSING_ANNOUNCED:
            self._announced.add(closing)
        elif act.action == Action.CLOSING_CANCELLED:
            self._cancelled.add(closing)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each that is not as the log tells it."""
        for closing in (self._announced | self._cancelled) - self._rows.keys():
            faults.add("missing", "closing", closing)
        for closing, row in self._rows.items():
            if closing in self._cancelled and row.cancelled_at is None:
                faults.add("back", "closing", closing)
            elif closing not in self._announced and not snapshot.is_forgotten(row.announced_at):
                faults.add("not_in_log", "closing", closing)
