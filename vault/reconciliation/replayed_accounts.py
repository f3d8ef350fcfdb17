"""Organisations, workers and clients as the log tells them: added, barred."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, true

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services

_ADDED = {
    Action.ORGANISATION_ADDED: "organisation",
    Action.WORKER_ADDED: "worker",
    Action.CLIENT_ADDED: "client",
}
_BARRED = {Action.WORKER_BARRED: "worker", Action.CLIENT_BARRED: "client"}

_Account = tuple[str, UUID]
"""Its table and its id."""


class ReplayedAccounts:
    """What the operator's commands did, in the service's own log."""

    def __init__(self) -> None:
        self._rows: dict[_Account, Any] = {}
        self._added: set[_Account] = set()
        self._barred: set[_Account] = set()

    async def load(self, snapshot: Snapshot) -> None:
        """Read them all, barred ones too."""
        for name in _ADDED.values():
            table = table_named(name)
            active = table.c.active if "active" in table.c else true()
            found = await snapshot.connection.execute(
                select(
                    table.c.id,
                    table.c.created_at,
                    active.label("active"),
                )
            )
            self._rows |= {(name, row.id): row for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed:
            return
        for actions, accounts in ((_ADDED, self._added), (_BARRED, self._barred)):
            name = actions.get(Action(act.action)) if act.action in actions else None
            account = None if name is None else act.named(name)
            if name is not None and account is not None:
                accounts.add((name, account))

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each account that is not as the log tells it."""
        for account in self._added - self._rows.keys():
            faults.add("missing", *account)
        for account, row in self._rows.items():
            forgotten = snapshot.is_forgotten(row.created_at)
            if account not in self._added and not forgotten:
                faults.add("not_in_log", *account)
            if row.active and account in self._barred:
                faults.add("barred", *account)
            if not row.active and account not in self._barred and not forgotten:
                faults.add("not_barred", *account)
