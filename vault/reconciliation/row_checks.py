"""Every row that carries a MAC: was it written with the service's key?

Rows that decide carry one (`storage/row_macs.py`). `MACS` lists all of them but the events, which
`replay` reads: a table that gets a `mac` is added there, and a test compares the list with the
tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.records import AUDIT_KEY_ROW, OUTCOME_ROW
from auth.records.anchors import ANCHOR_ROW
from auth.records.browsers import BROWSER_ROW
from auth.records.cards import CARD_ROW
from auth.records.closings import CLOSING_ROW, CLOSING_STEP_ROW
from auth.records.joins import VAULT_JOIN_ROW
from auth.records.people import PERSON_ROW
from auth.records.pin_steps import PIN_STEP_ROW
from auth.records.pins import PIN_ROW
from auth.records.recipients import CLIENT_ROW, WORKER_ROW
from auth.records.representations import REPRESENTATION_ROW
from auth.records.sessions import SESSION_ROW
from auth.records.sign_ins import SIGN_IN_CODE_ROW, SIGN_IN_ROW, WRONG_CODES_ROW
from storage.row_macs import RowFormat
from vault.access_log.records import LOG_WARNING_ROW, REPORT_ROW
from vault.consent.records.consent_evidence import CONSENT_EVIDENCE_ROW
from vault.consent.records.labels import PERSON_LABEL_ROW
from vault.consent.records.mandates import MANDATE_ROW
from vault.consent.records.meetings import MEETING_ROW
from vault.documents.uploads.records import UPLOAD_ROW
from vault.exports.records import ARCHIVE_ROW
from vault.maintenance.records import (
    ERASED_VAULT_ROW,
    ERASURE_CODE_ROW,
    PENDING_ERASURE_ROW,
)
from vault.reconciliation.faults import Faults
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.recovery.records import RECOVERY_ROW
from vault.services import Services
from vault.tables import (
    DOCUMENT_ROW,
    GRANT_ROW,
    IDEMPOTENCY_ROW,
    REQUEST_ROW,
    VERSION_ROW,
)
from vault.trusted.records import TRUSTED_PERSON_ROW


def _has_ended(session: Any) -> bool:
    return bool(session.revoked_at is not None)


def _never(_row: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class MacTable:
    """A table and what its MACs cover. `may_lack`: whether a row is right without one."""

    row_format: RowFormat
    may_lack: Callable[[Any], bool] = _never


MACS = (
    MacTable(PERSON_ROW),
    MacTable(VAULT_JOIN_ROW),
    MacTable(RECOVERY_ROW),
    MacTable(ANCHOR_ROW),
    MacTable(TRUSTED_PERSON_ROW),
    MacTable(REPRESENTATION_ROW),
    MacTable(WORKER_ROW),
    MacTable(CLIENT_ROW),
    MacTable(DOCUMENT_ROW),
    MacTable(VERSION_ROW),
    MacTable(UPLOAD_ROW),
    MacTable(ARCHIVE_ROW),
    MacTable(REQUEST_ROW),
    MacTable(GRANT_ROW),
    MacTable(CONSENT_EVIDENCE_ROW),
    MacTable(MANDATE_ROW),
    MacTable(PERSON_LABEL_ROW),
    MacTable(MEETING_ROW),
    MacTable(REPORT_ROW),
    MacTable(LOG_WARNING_ROW),
    MacTable(IDEMPOTENCY_ROW),
    MacTable(SESSION_ROW, may_lack=_has_ended),
    MacTable(BROWSER_ROW),
    MacTable(CARD_ROW),
    MacTable(PIN_ROW),
    MacTable(PIN_STEP_ROW),
    MacTable(SIGN_IN_ROW),
    MacTable(SIGN_IN_CODE_ROW),
    MacTable(WRONG_CODES_ROW),
    MacTable(ERASURE_CODE_ROW),
    MacTable(PENDING_ERASURE_ROW),
    MacTable(ERASED_VAULT_ROW),
    MacTable(CLOSING_ROW),
    MacTable(CLOSING_STEP_ROW),
    MacTable(AUDIT_KEY_ROW),
    MacTable(OUTCOME_ROW),
)


async def check_macs(services: Services, snapshot: Snapshot, faults: Faults) -> int:
    """Name each row whose MAC does not hold; returns how many rows were read."""
    macs = await services.field_encryption.row_macs()
    read = 0
    for checked in MACS:
        table = table_named(checked.row_format.table)
        key = [column.name for column in table.primary_key.columns]
        async for rows in snapshot.pages(table):
            read += len(rows)
            for row in rows:
                if row.mac is None and checked.may_lack(row):
                    continue
                if not macs.holds(checked.row_format, row):
                    faults.add("mac", table.name, name_of(*(getattr(row, one) for one in key)))
    return read


def name_of(*key: object) -> str:
    """How a row is named: by its id, or by the beginning of its hash and what follows it."""
    return " ".join(one[:8].hex() if isinstance(one, bytes) else str(one) for one in key)
