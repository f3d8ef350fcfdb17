"""The MACs of stored rows, byte for byte: a failure here means that they hold no more.

A format with other columns gets another version, and the rows written before keep theirs.
"""

import hmac
import struct
import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest

import web.app
from base.database import Base
from storage.keys import Secret
from storage.row_macs import RowFormat, RowMacs
from tests.row_formats import ROW_COLUMNS

assert web.app  # all modules of the service are there
FORMATS = {
    value.key: value
    for name, module in sorted(sys.modules.items())
    if name.split(".")[0] in {"audit", "auth", "vault", "web"}
    for value in vars(module).values()
    if isinstance(value, RowFormat)
}
TABLES = {name.removeprefix("unefois."): table for name, table in Base.metadata.tables.items()}

# Columns that may change without the key, and why.
UNBOUND = {
    "access_outcome": {"at"},  # shown to nobody
    "audit_key": {"sealed_private_key", "created_at"},  # sealed for its row; shown to nobody
    "document": {"notice_at"},  # a reminder too many, or none
    "document_version": {"size_kib"},  # a quota reached too late, or too early; reconcile names it
    "grant": {"revoked_at"},  # also in the history, which only grows
    "erasure_code": {"attempts", "used_at"},  # tries, each in the log; a code serves a session
    # The end of a session also takes its MAC away; the other one is in its token, and in
    # what is sealed, and compared.
    "session": {"revoked_at", "worker_session_id"},
    "idempotency": {"created_at"},  # how long an answer is kept
}


def test_the_columns_that_a_mac_covers() -> None:
    assert {one.table: list(one.columns) for one in FORMATS.values()} == ROW_COLUMNS
    assert set(FORMATS) == {f"row/{table}/1" for table in ROW_COLUMNS}
    assert set(ROW_COLUMNS) == {name for name, table in TABLES.items() if "mac" in table.c}


@pytest.mark.parametrize("row_format", FORMATS.values(), ids=FORMATS)
def test_what_a_mac_leaves_out_is_told(row_format: RowFormat) -> None:
    """A new column of such a table is bound, or has its reason here."""
    columns = {column.name for column in TABLES[row_format.table].c}
    left_out = columns - {*row_format.columns, "mac"}
    assert left_out == UNBOUND.get(row_format.table, set())


def test_the_bytes_of_a_mac() -> None:
    """Computed here without the code that makes them."""
    values: dict[str, Any] = {
        "nothing": None,
        "id": UUID(int=7),
        "text": "é",
        "bytes": b"\x00\x01",
        "yes": True,
        "number": 12,
        "at": datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC),
        "items": [b"a", UUID(int=8)],
        "object": {"b": "é", "a": [1]},
    }
    encoded = b"".join(
        [
            b"n",
            b"u" + struct.pack(">QQ", 0, 7),
            b"b2:" + "é".encode(),
            b"b2:\x00\x01",
            b"i1;",
            b"i12;",
            b"t1000005;",
            b"l2:b1:a" + b"u" + struct.pack(">QQ", 0, 8),
            b'jb18:{"a":[1],"b":"\xc3\xa9"}',
        ]
    )
    secret = Secret("row-macs", 1, bytes(range(32)))
    expected = hmac.digest(secret.derive("row/thing/1"), encoded, sha256)
    mac = RowMacs(secret).of(RowFormat("thing", tuple(values)), values)
    assert mac == b"\x01" + expected
