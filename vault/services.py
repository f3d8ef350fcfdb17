"""What the use cases of the domain are given, beyond the desk: storage, decoder, live streams."""

from dataclasses import dataclass

from audit.tlog.log import TransparencyLog
from auth.services import CoreServices
from storage.backends import Storage
from vault.decoding.decoder import Decoder
from vault.delivery_status import DeliveryStatusWriter
from vault.revocations import Revocations


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(CoreServices):
    """One process's means. Made once in `web/process/services.py`, passed to every use case."""

    storage: Storage
    transparency_log: TransparencyLog
    decoder: Decoder
    delivery_status: DeliveryStatusWriter
    revocations: Revocations
