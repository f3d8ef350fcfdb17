"""Erasures as the log tells them: none waits that was cancelled, or for another date; and each that
was done left a mark."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from audit.events import Action
from base.clock import rfc3339
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedErasures:
    """Erasures asked for and cancelled, in the logs of those who asked."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._last: dict[UUID, tuple[tuple[datetime, UUID], str | None]] = {}
        """The last event about it, and the date that it told; None when it was cancelled."""
        self._marks = 0
        self._marked = 0

    async def load(self, snapshot: Snapshot) -> None:
        """Read those that wait, and count the marks of those that were done."""
        table = table_named("pending_erasure").c
        query = select(table.person_id, table.erases_at)
        self._rows = {row.person_id: row for row in await snapshot.connection.execute(query)}
        count = select(func.count()).select_from(table_named("erased_vault"))
        self._marks = (await snapshot.connection.execute(count)).scalar_one()

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if act.allowed and act.action == Action.VAULT_ERASED:
            self._marked += act.word("marked") is not None
        if not act.allowed or act.person is None:
            return
        if act.action in {Action.ERASE_ASKED, Action.ERASE_CANCELLED}:
            when = act.word("erases_at") if act.action == Action.ERASE_ASKED else None
            last = self._last.get(act.person)
            if last is None or act.place > last[0]:
                self._last[act.person] = act.place, when

    async def compare(self, _services: Services, _snapshot: Snapshot, faults: Faults) -> None:
        """Name each erasure that waits and must not, or does not and must."""
        for person, row in self._rows.items():
            _, when = self._last.get(person, (None, None))
            if when is None:
                faults.add("back", "pending_erasure", person)
            elif when != rfc3339(row.erases_at):
                faults.add("older", "pending_erasure", person)
        for person, (_, when) in self._last.items():
            if when is not None and person not in self._rows:
                faults.add("missing", "pending_erasure", person)
        # There may be more: of a note that was applied, and of years that the log forgot.
        if self._marked > self._marks:
            faults.add("missing", "erased_vault", f"{self._marks} marks, {self._marked} erased")
