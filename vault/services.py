"""What use cases of the domain are given beyond `CoreServices`: storage, decoder, streams."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from audit.tlog.transparency_log import TransparencyLog
from auth.services import CoreServices
from storage.backends import Storage
from vault.decoding.decoder import Decoder
from vault.delivery_status import DeliveryStatusWriter
from vault.revocations import Revocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(CoreServices):
    """One object per process, made in `web/process/services.py` and passed to every use case.

    `export_page`: makes the page of an export, of its `ExportSummary` (`vault/exports`), in slices.
    `receipts_paper`: prints the receipts of an import, `ForeignReceipts` in a language, as a
    `PrintedPaper` (`vault/exports`).
    """

    storage: Storage
    transparency_log: TransparencyLog
    decoder: Decoder
    delivery_status: DeliveryStatusWriter
    revocations: Revocations
    export_page: Callable[[Any], AsyncIterator[str]]
    receipts_paper: Callable[[Any, str], Awaitable[Any]]
