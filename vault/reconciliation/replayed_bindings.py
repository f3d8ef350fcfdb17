"""Rows bound again: whoever deletes the secret of the MACs, and has the operator bind the rows once
more, would have whatever they wrote vouched for.

Rows are bound once, when an installation comes from release 0.1, whose sign-ins named no session.
What came first is read from the ids of events, which only grow: a database whose clock was set back
gives no false alarm.
"""

from uuid import UUID

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services


class ReplayedBindings:
    """When rows were bound, and since when the service has written MACs."""

    def __init__(self) -> None:
        self._bindings: list[UUID] = []
        self._maced_since: UUID | None = None

    async def load(self, snapshot: Snapshot) -> None:
        """Nothing is there to be read."""

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if act.action == Action.ROWS_BOUND:
            self._bindings.append(act.id)
        elif act.action == Action.SIGN_IN and act.named("session") is not None:
            self._maced_since = min(act.id, self._maced_since or act.id)

    async def compare(self, _services: Services, _snapshot: Snapshot, faults: Faults) -> None:
        """Name each binding but the one that came before all rows with MACs."""
        for binding in sorted(self._bindings):
            if self._maced_since is not None and binding > self._maced_since:
                faults.add("bound_again", "access_event", binding)
            self._maced_since = min(binding, self._maced_since or binding)
