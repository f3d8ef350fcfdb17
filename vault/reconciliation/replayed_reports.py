"""Reports as the log tells them: made, answered."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.access_log.records import Report
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services


class ReplayedReports:
    """`log.report` and the operator's answers, in the logs of those who reported."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._made: set[UUID] = set()
        self._answered: set[UUID] = set()

    async def load(self, snapshot: Snapshot) -> None:
        """Read every report."""
        query = select(Report.id, Report.created_at, Report.answered_at)
        self._rows = {row.id: row for row in await snapshot.connection.execute(query)}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        report = act.named("report")
        if not act.allowed or report is None:
            return
        if act.action == Action.REPORT:
            self._made.add(report)
        elif act.action == Action.REPORT_ANSWERED:
            self._answered.add(report)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each report that is not as the log tells it."""
        for report in (self._made | self._answered) - self._rows.keys():
            faults.add("missing", "report", report)
        for report, row in self._rows.items():
            if report not in self._made and not snapshot.is_forgotten(row.created_at):
                faults.add("not_in_log", "report", report)
            if report in self._answered and row.answered_at is None:
                faults.add("unanswered", "report", report)
