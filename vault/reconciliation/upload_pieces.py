"""The pieces of each upload: every envelope opens under the owner's key, bound to its row, and
together they are as long as the upload's row says."""

from collections.abc import Sequence
from typing import Any

from storage.envelopes import EnvelopeReader, InvalidEnvelope
from storage.errors import KeyDestroyed
from storage.providers import KeyProviderError
from vault.documents.uploads.records import address_of, pieces_of
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


async def check_pieces(services: Services, snapshot: Snapshot, faults: Faults) -> None:
    """Name each upload whose pieces are missing or altered, and each piece that does not open."""
    async for uploads in snapshot.pages(table_named("upload")):
        for upload in uploads:
            try:
                secret = await services.storage.keys.owner(upload.person_id, snapshot.connection)
            except (KeyDestroyed, KeyProviderError):
                continue  # named by `check_sealed` or `check_keys`
            pieces = await pieces_of(snapshot.connection, upload.person_id, upload.id)
            length = _length(pieces, EnvelopeReader(secret), faults)
            if length is not None and (length, len(pieces)) != (upload.received, upload.pieces):
                faults.add("files", "upload", upload.id)


def _length(pieces: Sequence[Any], envelopes: EnvelopeReader, faults: Faults) -> int | None:
    """None when a piece does not open, which is named."""
    length = 0
    for row in pieces:
        try:
            length += envelopes.open(address_of(row)).length
        except InvalidEnvelope:
            faults.add("sealed", "upload_piece", row.id)
            return None
    return length
