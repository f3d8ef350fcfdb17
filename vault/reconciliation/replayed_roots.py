"""Root versions as the log tells them: which one is active, when the former ones end, which ended.

A rotation whose event a crash lost left a root version that no event names: it may be active.
"""

from datetime import datetime
from typing import Any

from audit.events import Action
from base.clock import rfc3339
from storage import key_checks
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services


class ReplayedRoots:
    """Rotations, and the ends of root versions."""

    def __init__(self) -> None:
        self._rows: dict[str, Any] = {}
        self._rotations: dict[str, datetime] = {}
        self._ends: dict[str, str] = {}
        self._destroyed: set[str] = set()

    async def load(self, snapshot: Snapshot) -> None:
        """Read every version."""
        self._rows = {row.id: row for row in await key_checks.roots(snapshot.connection)}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        root = act.word("root")
        if not act.allowed or root is None:
            return
        if act.action == Action.KEYS_ROTATED:
            self._rotations[root] = max(act.at, self._rotations.get(root, act.at))
            self._ends |= dict(zip(act.words("former"), act.words("retires_at"), strict=False))
        elif act.action == Action.KEY_DESTROYED:
            self._destroyed.add(root)

    async def compare(self, _services: Services, _snapshot: Snapshot, faults: Faults) -> None:
        """Name each version that is not as the log tells it."""
        newest = max(self._rotations, key=lambda root: self._rotations[root], default=None)
        former = (self._rotations.keys() | self._ends.keys()) - {newest}
        for root in (self._rotations.keys() | former | self._destroyed) - self._rows.keys():
            faults.add("missing", "root_version", root)
        for root, row in self._rows.items():
            if row.active and (root in former or root in self._destroyed):
                faults.add("former_active", "root_version", root)
            elif root in former and not _ends_as_told(row, self._ends.get(root)):
                faults.add("end_date", "root_version", root)
            if root in self._destroyed and row.destroyed_at is None:
                faults.add("not_destroyed", "root_version", root)


def _ends_as_told(row: Any, told: str | None) -> bool:
    """Rotations of release 0.1 told no date: then any will do."""
    if row.retire_at is None:
        return False
    return told is None or rfc3339(row.retire_at) == told
