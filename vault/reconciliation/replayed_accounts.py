"""Organisations, workers and clients as the log tells them: added, barred."""

from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, true

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


class ReplayedAccounts:
    """What the operator's commands did, in the service's own log."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._added: dict[UUID, str] = {}
        self._barred: set[UUID] = set()

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
                    literal(name).label("kind"),
                )
            )
            self._rows |= {row.id: row for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed:
            return
        for action, name in _ADDED.items():
            account = act.named(name) if act.action == action else None
            if account is not None:
                self._added[account] = name
        for action, name in _BARRED.items():
            account = act.named(name) if act.action == action else None
            if account is not None:
                self._barred.add(account)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each account that is not as the log tells it."""
        for account in self._added.keys() - self._rows.keys():
            faults.add("missing", self._added[account], account)
        for account, row in self._rows.items():
            forgotten = snapshot.is_forgotten(row.created_at)
            if account not in self._added and not forgotten:
                faults.add("not_in_log", row.kind, account)
            if row.active and account in self._barred:
                faults.add("barred", row.kind, account)
            if not row.active and account not in self._barred and not forgotten:
                faults.add("not_barred", row.kind, account)
