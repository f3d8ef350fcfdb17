"""The answers to consent requests as the log tells them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services
from vault.tables import ConsentRequest

_ANSWERS = {
    Action.APPROVE: "approved",
    Action.REFUSE: "refused",
    Action.NOT_ME: "not_me",
}
_KEPT = timedelta(days=30)
"""A request that was not approved is there for longer than that."""


class ReplayedRequests:
    """Requests, answers and withdrawals, in the logs of those who were asked."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._answers: dict[UUID, str] = {}
        self._recent: set[UUID] = set()
        self._recent_from = datetime.max.replace(tzinfo=UTC)

    async def load(self, snapshot: Snapshot) -> None:
        """Read every request."""
        columns = ("id", "person_id", "answer", "answered_at")
        found = await snapshot.connection.execute(
            select(*(getattr(ConsentRequest, name) for name in columns))
        )
        self._rows = {row.id: row for row in found}
        self._recent_from = snapshot.at - _KEPT

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed or act.request is None or act.person is None:
            return
        answer = _ANSWERS.get(Action(act.action)) if act.action in _ANSWERS else None
        if answer is not None and (answer == "approved" or act.request in self._rows):
            self._answers[act.request] = answer
        elif act.action == Action.WITHDRAW and act.request in self._rows:
            # After an answer, a withdrawal leaves that answer in the row.
            self._answers.setdefault(act.request, "withdrawn")
        elif act.action == Action.REQUEST and act.at > self._recent_from:
            self._recent.add(act.request)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each request whose answer is another one, and those that are gone."""
        approved = {one for one, answer in self._answers.items() if answer == "approved"}
        for request in (approved | self._recent) - self._rows.keys():
            faults.add("missing", "consent_request", request)
        for request, row in self._rows.items():
            told = self._answers.get(request)
            unlogged = told is None and row.answer is not None and _is_judged(row, snapshot)
            if unlogged or told not in {None, row.answer}:
                faults.add("answer", "consent_request", request)


def _is_judged(row: Any, snapshot: Snapshot) -> bool:
    """Not one that was answered in a vault erased since, or in a year that is forgotten."""
    return row.person_id is not None and not snapshot.is_forgotten(row.answered_at)
