"""What the use cases of this layer are given: settings, database, sealed fields, the log."""

from collections.abc import Callable
from dataclasses import dataclass

from audit.audit_log import AuditLog
from base.database import Database
from base.part_state import PartStates
from base.settings import Settings
from storage.field_encryption import FieldEncryption


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreServices:
    """One object per process, made in `web/process/services.py` and passed to every use case.

    `translate(language, text)` gives a French text of ours in a language (`fr`, `en`).
    """

    settings: Settings
    parts: PartStates
    database: Database
    field_encryption: FieldEncryption
    audit_log: AuditLog
    translate: Callable[[str, str], str]
