"""The pieces of each archive: every envelope opens under the owner's key, bound to its row, and
those that are safe are together as long as the archive's row says."""

from collections.abc import Sequence
from typing import Any

from storage.envelopes import EnvelopeReader, InvalidEnvelope
from storage.errors import KeyDestroyed
from storage.providers import KeyProviderError
from vault.exports.records import address_of, pieces_of
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


async def check_archives(services: Services, snapshot: Snapshot, faults: Faults) -> None:
    """Name each archive whose safe pieces are missing or altered, and each piece that does not
    open."""
    async for archives in snapshot.pages(table_named("archive")):
        for archive in archives:
            try:
                secret = await services.storage.keys.owner(archive.person_id, snapshot.connection)
            except (KeyDestroyed, KeyProviderError):
                continue  # named by `check_sealed` or `check_keys`
            pieces = await pieces_of(snapshot.connection, archive.person_id, archive.id)
            safe = pieces[: archive.pieces]
            length = _length(pieces, safe, EnvelopeReader(secret), faults)
            if length is not None and (length, len(safe)) != (archive.length, archive.pieces):
                faults.add("files", "archive", archive.id)


def _length(
    pieces: Sequence[Any], safe: Sequence[Any], envelopes: EnvelopeReader, faults: Faults
) -> int | None:
    """Of the safe ones; None when a piece does not open or is not as long as its row says, which
    is named."""
    for row in pieces:
        try:
            opened = envelopes.open(address_of(row)).length
        except InvalidEnvelope:
            opened = None
        if opened != row.length:
            faults.add("sealed", "archive_piece", row.id)
            return None
    total: int = sum(row.length for row in safe)
    return total
