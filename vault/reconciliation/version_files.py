"""The files of each version: every envelope opens under the owner's key, bound to its row, and
the files are those that the version was stored with, a rendition for recipients among them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from base.key_names import DOCUMENT_VERSION, ORIGINAL, RENDITION
from storage.envelopes import Address, EnvelopeReader, InvalidEnvelope
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError
from storage.providers import KeyProviderError
from vault.documents.quotas import kib
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services
from vault.tables import SealedFile

Lengths = dict[tuple[str, int], int]
"""By role and position: how long each file is in clear, in bytes."""


async def check_files(services: Services, snapshot: Snapshot, faults: Faults) -> None:
    """Name each version whose files are missing or altered, and each file that does not open."""
    async for versions in snapshot.pages(table_named("document_version")):
        files = await _files_of(snapshot, [version.id for version in versions])
        for version in versions:
            try:
                secret = await services.storage.keys.owner(version.person_id, snapshot.connection)
                fields = await services.field_encryption.reader(
                    version.person_id, snapshot.connection
                )
                values = fields.open(DOCUMENT_VERSION, version.id, version.sealed)
            except (KeyDestroyed, KeyProviderError, DecryptionError):
                continue  # named by `check_sealed` or `check_keys`
            envelopes = EnvelopeReader(secret)
            lengths = _lengths(version, files[version.id], envelopes, faults)
            whole = lengths is None or _is_whole(values, lengths)
            if not (whole and version.size_kib in (None, kib(values["size"]))):
                faults.add("files", "document_version", version.id)


async def _files_of(snapshot: Snapshot, versions: Sequence[UUID]) -> dict[UUID, list[Any]]:
    found = await snapshot.connection.execute(
        select(SealedFile.__table__).where(SealedFile.version_id.in_(versions))
    )
    files: dict[UUID, list[Any]] = defaultdict(list)
    for row in found:
        files[row.version_id].append(row)
    return files


def _lengths(
    version: Any, files: Sequence[Any], envelopes: EnvelopeReader, faults: Faults
) -> Lengths | None:
    """None when a file does not open, which is named."""
    lengths: Lengths = {}
    for row in files:
        address = Address(
            row.id, row.role, row.version_id, row.position, row.blob_key, row.envelope
        )
        try:
            lengths[row.role, row.position] = envelopes.open(address).length
        except InvalidEnvelope:
            faults.add("sealed", "sealed_file", row.id)
            return None
        if row.person_id != version.person_id:
            faults.add("files", "sealed_file", row.id)
            return None
    return lengths


def _is_whole(values: dict[str, Any], lengths: Lengths) -> bool:
    """Whether each part is there, and the rendition, unless recipients get the only original."""
    parts = values["parts"]
    originals = [lengths.get((ORIGINAL, position)) for position in range(len(parts))]
    if originals != [part["size"] for part in parts]:
        return False
    shown = (values["rendition_media_type"], values["rendition_size"])
    if len(parts) == 1 and shown == (parts[0]["media_type"], parts[0]["size"]):
        return True
    return bool(lengths.get((RENDITION, 0)) == values["rendition_size"])
