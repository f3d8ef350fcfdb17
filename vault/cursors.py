"""Pagination: an opaque cursor, and a page of items. Pure."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from base.errors import ErrorKind, ServiceError
from base.ids import parse_id

Item = TypeVar("Item")
Position = tuple[int, UUID]
"""A rank (0 where a list has only one) and the id of the last item shown."""
_FIELDS = (("cursor",),)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the cursor of the next page; None on the last page."""

    items: list[Item]
    next: str | None


def write(position: Position) -> str:
    """The cursor of a position, which the caller sends back for the next page."""
    rank, last = position
    return base64.urlsafe_b64encode(bytes([rank]) + last.bytes).decode().rstrip("=")


def read(cursor: str | None) -> Position | None:
    """The position in a cursor. Raises `ServiceError` INVALID `cursor_invalid`."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ServiceError(ErrorKind.INVALID, "cursor_invalid", fields=_FIELDS) from None
    last = parse_id(str(UUID(bytes=raw[1:]))) if len(raw) == 17 else None
    if last is None or write((raw[0], last)) != cursor:
        raise ServiceError(ErrorKind.INVALID, "cursor_invalid", fields=_FIELDS)
    return raw[0], last


def cut(rows: Sequence[Any], limit: int, position: Callable[[Any], Position]) -> str | None:
    """The cursor after `limit` rows; None unless there are more than `limit`."""
    return write(position(rows[limit - 1])) if len(rows) > limit else None
