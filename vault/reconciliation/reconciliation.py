"""Reconciling rows and log: what `unefois audit reconcile` does beyond the tree.

Reads everything and writes nothing. It needs the keyring: what it opens is compared and dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vault.reconciliation.faults import Faults
from vault.reconciliation.key_checks import check_keys
from vault.reconciliation.replay import Replay
from vault.reconciliation.row_checks import check_macs
from vault.reconciliation.sealed_rows import check_sealed
from vault.reconciliation.snapshot import open_snapshot
from vault.reconciliation.version_files import check_files
from vault.services import Services


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How much was read, and what is wrong."""

    rows: int
    opened: int
    destroyed: int
    faults: Faults


async def reconcile(services: Services, progress: Callable[[int, int], None]) -> Reconciled:
    """Check every row, and replay the log; calls `progress(events read, total)` on the way.

    Raises `storage.errors.KeyMissing` while no row has its MAC (`unefois bind-rows`).
    """
    faults = Faults()
    services.storage.keys.forget_all()  # what the rows hold, not what was read before
    async with open_snapshot(services) as snapshot:
        rows = await check_macs(services, snapshot, faults)
        await check_sealed(services, snapshot, faults)
        await check_files(services, snapshot, faults)
        await check_keys(services, snapshot, faults)
        counts = await Replay(services, snapshot, faults).run(progress)
    return Reconciled(rows, counts.opened, counts.destroyed, faults)
