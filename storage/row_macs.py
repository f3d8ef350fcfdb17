"""MACs of rows: what the database says about a grant, a session or an account is believed only
under a key that the database does not hold.

A MAC is `version (1) ‖ HMAC-SHA-256 (32)` over the row's columns, each with its type and length, in
the order of its `RowFormat`. It is written with the row and checked at each use: a row that was
made, changed or moved by someone without the key is refused. An older row that is put back whole
still verifies: `unefois audit reconcile` names it. See docs/formats/sealed-file.md.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import UUID

from base.errors import ErrorKind, ServiceError
from storage.keys import Secret

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_REMEMBERED = 4_096
"""Rows, of about a kilobyte each."""


class RowAltered(ServiceError):
    """A row was written by someone without the key; `table` is for the operator."""

    def __init__(self, table: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "row_altered")
        self.table = table


class RowFormat:
    """What the MAC of a table's row covers: its columns, in this order, which never changes.

    With another list of columns, the table gets another `version`. `often`: its rows are read again
    and again, so that those that held are remembered for as long as the secret is.
    """

    __slots__ = ("columns", "key", "often", "read", "table", "version")

    def __init__(
        self, table: str, columns: tuple[str, ...], *, version: int = 1, often: bool = False
    ) -> None:
        self.table = table
        self.columns = columns
        self.version = version
        self.often = often
        self.key = f"row/{table}/{version}"
        self.read = attrgetter(*columns, "mac")

    def prefixed(self, prefix: str) -> "RowFormat":
        """The same, for the rows of a query that names these columns with a prefix."""
        named = RowFormat(self.table, self.columns, version=self.version, often=self.often)
        named.read = attrgetter(*(prefix + name for name in (*self.columns, "mac")))
        return named


class RowMacs:
    """Makes and checks the MACs of rows."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def of(self, row_format: RowFormat, values: Mapping[str, Any]) -> bytes:
        """The MAC of a row that is about to be written, from the values of its columns."""
        return self._mac(row_format, [values[name] for name in row_format.columns])

    def add(self, row_format: RowFormat, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, with their `mac`."""
        return {**values, "mac": self.of(row_format, values)}

    def holds(self, row_format: RowFormat, row: Any) -> bool:
        """Whether a row that was read is one that was written with the key."""
        values = row_format.read(row)
        *columns, mac = values
        if mac is None:
            return False
        remembered = self._secret.verified
        if row_format.often and remembered.get((row_format.key, mac)) == values:
            return True
        if not hmac.compare_digest(self._mac(row_format, columns), mac):
            return False
        if row_format.often:
            if len(remembered) >= _MAX_REMEMBERED:
                remembered.clear()
            remembered[row_format.key, mac] = values
        return True

    def equals(self, row_format: RowFormat, values: Mapping[str, Any], mac: bytes | None) -> bool:
        """`holds`, for a row whose columns have other names in a query."""
        return mac is not None and hmac.compare_digest(self.of(row_format, values), mac)

    def check(self, row_format: RowFormat, row: Any) -> None:
        """Raise `RowAltered` unless the row `holds`."""
        if not self.holds(row_format, row):
            raise RowAltered(row_format.table)

    def _mac(self, row_format: RowFormat, values: list[Any]) -> bytes:
        encoded = b"".join([_encoded(value) for value in values])
        mac = hmac.digest(self._secret.derive(row_format.key), encoded, sha256)
        return bytes([row_format.version]) + mac


def _encoded(value: Any) -> bytes:
    """A value with its type and its length, so that no two lists of values give the same bytes."""
    if value is None:
        return b"n"
    if isinstance(value, UUID):
        return b"u" + value.bytes
    if isinstance(value, bytes):
        return b"b%d:%b" % (len(value), value)
    if isinstance(value, str):
        return _encoded(value.encode())
    if isinstance(value, datetime):
        return b"t%d;" % ((value - _EPOCH) // _MICROSECOND)
    if isinstance(value, bool | int):
        return b"i%d;" % value
    if isinstance(value, list | tuple):
        return b"l%d:%b" % (len(value), b"".join(_encoded(item) for item in value))
    if isinstance(value, dict):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return b"j" + _encoded(text.encode())
    raise TypeError(f"no encoding for a {type(value).__name__}")
