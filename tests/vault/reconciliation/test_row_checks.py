"""Every table whose rows carry a MAC, and every sealed column, is among those that are checked."""

import re
from pathlib import Path

from sqlalchemy import LargeBinary, Table

from audit.records import EVENT_ROW
from migrations.tables import metadata
from vault.reconciliation.faults import WORDS
from vault.reconciliation.row_checks import MACS
from vault.reconciliation.sealed_rows import SEALED

# Opened by its own check: there is one row, with its public half.
OPENED_ELSEWHERE = {("log_key", "sealed"), ("access_event", "sealed")}
OPENED_BY_THE_CARD = {("card", "code_sealed"), ("card", "pin_sealed")}


def tables() -> list[Table]:
    return list(metadata.tables.values())


def test_every_mac_is_checked() -> None:
    carrying = {table.name for table in tables() if "mac" in table.c}
    checked = [one.row_format.table for one in MACS]
    assert carrying - {EVENT_ROW.table} == set(checked)
    assert len(checked) == len(set(checked))


def test_every_sealed_column_is_opened() -> None:
    sealed = {
        (table.name, column.name)
        for table in tables()
        for column in table.c
        if "sealed" in column.name and isinstance(column.type, LargeBinary)
    }
    sealed -= OPENED_ELSEWHERE | OPENED_BY_THE_CARD
    assert sealed == {(one.table, one.column) for one in SEALED}


def test_the_operator_reads_what_to_do_about_each_fault() -> None:
    page = Path(__file__).parents[3] / "docs" / "runbooks" / "reconcile.md"
    rows = [line.split("|")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
    assert {word for row in rows for word in re.findall("`([a-z_]+)`", row)} == set(WORDS)
