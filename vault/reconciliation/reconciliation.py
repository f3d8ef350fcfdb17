"""Reconciling rows and log: what `unefois audit reconcile` does beyond the tree.

Reads everything and writes nothing. It needs the keyring: what it opens is compared and dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

from storage.providers import KeyProviderError
from vault.reconciliation.archive_pieces import check_archives
from vault.reconciliation.faults import Faults
from vault.reconciliation.key_checks import check_keys
from vault.reconciliation.replay import Replay, ReplayCounts
from vault.reconciliation.row_checks import check_macs
from vault.reconciliation.sealed_rows import check_sealed
from vault.reconciliation.snapshot import open_snapshot
from vault.reconciliation.upload_pieces import check_pieces
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
    rows, counts = 0, ReplayCounts()
    async with open_snapshot(services) as snapshot:
        await check_keys(services, snapshot, faults)
        try:
            rows = await check_macs(services, snapshot, faults)
            await check_sealed(services, snapshot, faults)
            await check_files(services, snapshot, faults)
            await check_pieces(services, snapshot, faults)
            await check_archives(services, snapshot, faults)
            counts = await Replay(services, snapshot, faults).run(progress)
        except KeyProviderError:
            # A secret of the service: named already. Nothing more can be read without it.
            if not faults.count:
                raise
    return Reconciled(rows, counts.opened, counts.destroyed, faults)
