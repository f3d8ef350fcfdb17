"""The sizes of versions that an earlier release stored, so that quotas count them too."""

from uuid import UUID

import structlog

from base.key_names import DOCUMENT_VERSION
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError
from vault import records
from vault.documents.quotas import kib
from vault.services import Services

_log = structlog.get_logger()
_BATCH = 200


async def measure_versions(services: Services) -> int:
    """Write beside each version the size that its row seals; returns how many were written.

    Safe to run again, and at once in several processes. A crash leaves versions that weigh nothing
    until the next run. A row that does not open is left, for `unefois audit reconcile` to name.
    """
    measured, after = 0, UUID(int=0)
    while True:
        async with services.database.transaction() as tx:
            rows = await records.unmeasured_versions(tx, after=after, limit=_BATCH)
            for row in rows:
                try:
                    reader = await services.field_encryption.reader(row.person_id, tx)
                    values = reader.open(DOCUMENT_VERSION, row.id, row.sealed)
                except (KeyDestroyed, DecryptionError) as error:
                    _log.warning("version_not_measured", error=type(error).__name__)
                    continue
                await records.set_version_size(tx, row.id, size_kib=kib(int(values["size"])))
                measured += 1
        if len(rows) < _BATCH:
            return measured
        after = rows[-1].id
