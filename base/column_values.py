"""Values as a prepared statement takes them: in binary where that is exact and shorter."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import pq

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT, _BINARY = pq.Format.TEXT, pq.Format.BINARY


def encoded(value: object) -> tuple[bytes | None, pq.Format]:
    """One value. Raises `TypeError` for a kind that no statement uses."""
    if value is None:
        return None, _BINARY
    if isinstance(value, UUID):
        return value.bytes, _BINARY
    if isinstance(value, bytes):
        return value, _BINARY
    if isinstance(value, datetime):
        since = (value - _EPOCH) // _MICROSECOND
        return since.to_bytes(8, "big", signed=True), _BINARY
    if isinstance(value, timedelta):
        return b"%d microseconds" % (value // _MICROSECOND), _TEXT
    if isinstance(value, list):  # of ids or bytes: nothing in them needs more quoting
        return b"{%s}" % b",".join(_item(item) for item in value), _TEXT
    if isinstance(value, str | int):  # a bool too: True, False
        return str(value).encode(), _TEXT
    raise TypeError(f"no way to send a {type(value).__name__}")


def _item(value: UUID | bytes) -> bytes:
    """An item of an array, as text."""
    if isinstance(value, bytes):
        return b'"\\\\x%b"' % value.hex().encode()
    return str(UUID(int=value.int)).encode()
