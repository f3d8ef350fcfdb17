"""What the use cases of the domain are given, beyond the desk: storage, decoder, live streams."""

from dataclasses import dataclass

from audit.log import Log
from auth.desk import Desk
from storage.storage import Storage
from vault.completions import Completions
from vault.decoding.decoder import Decoder
from vault.revocations import Revocations


@dataclass(frozen=True, slots=True, kw_only=True)
class House(Desk):
    """One process's means. Made once in `web/house.py`, passed to every use case."""

    storage: Storage
    log: Log
    decoder: Decoder
    completions: Completions
    revocations: Revocations
