"""Whether content that was allowed was also sent completely: written in batches afterwards.

A crash loses at most the last 200 ms of these rows; a missing one is shown as "not confirmed".
"""

import asyncio
from itertools import chain, islice
from uuid import UUID

import structlog

from audit.records import outcomes
from base.database import Database
from base.outages import is_reported
from base.tasks import end
from storage.field_encryption import FieldEncryption

FLUSH_SECONDS = 0.2
_MAX_BATCH = 500

_log = structlog.get_logger()


class DeliveryStatusWriter:
    """A queue of outcomes and the one task that writes them."""

    def __init__(self, database: Database, field_encryption: FieldEncryption) -> None:
        self._database = database
        self._field_encryption = field_encryption
        self._waiting: dict[UUID, str] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def note(self, event_id: UUID, *, completed: bool) -> None:
        """Queue how a download ended. For each event only the first call counts."""
        self._waiting.setdefault(event_id, "completed" if completed else "interrupted")
        self._wake.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="completions")

    async def stop(self) -> None:
        """Write what is queued, then stop."""
        if self._task is not None:
            await end(self._task)
        try:
            await self._flush()
        except Exception as error:  # noqa: BLE001  (the process ends all the same, in order)
            # Their entries read "not confirmed": it is the truth.
            lost = len(self._waiting)
            _log.warning("completions_not_written", error=type(error).__name__, lost=lost)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(FLUSH_SECONDS / 2)
            self._wake.clear()
            try:
                await self._flush()
            except Exception as error:  # noqa: BLE001  (the database may be unreachable for a while)
                if not is_reported(error):
                    _log.warning("completions_not_written", error=type(error).__name__)
                await asyncio.sleep(FLUSH_SECONDS)
                self._wake.set()

    async def _flush(self) -> None:
        while self._waiting:
            batch: dict[str, list[UUID]] = {}
            for event_id, state in islice(self._waiting.items(), _MAX_BATCH):
                batch.setdefault(state, []).append(event_id)
            macs = await self._field_encryption.row_macs()
            async with self._database.pipeline.transaction() as tx:
                tx.defer(*(outcomes(macs, events, state) for state, events in batch.items()))
            for event_id in chain(*batch.values()):
                self._waiting.pop(event_id, None)
