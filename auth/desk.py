"""What the use cases of this floor are given: settings, database, sealed fields, the log."""

from dataclasses import dataclass

from audit.record import Ledger
from base.database import Database
from base.settings import Settings
from storage.fields import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One process's means. Made once in `web/house.py`, passed to every use case."""

    settings: Settings
    database: Database
    fields: Fields
    ledger: Ledger
