"""Byte ranges (RFC 9110 §14): one range at a time; anything else is refused. Pure."""

import re

from base.errors import ErrorKind, ServiceError

_SINGLE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def parse_range(header: str | None, length: int) -> tuple[int, int] | None:
    """`(start, stop)` of the one range requested, or None for the whole.

    Raises `ServiceError` RANGE when it is malformed, several, or outside.
    """
    if header is None:
        return None
    match = _SINGLE_RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        raise ServiceError(ErrorKind.RANGE, "range_invalid", length=length)
    if match[1] == "":
        size = min(int(match[2]), length)
        start, stop = length - size, length
    else:
        start = int(match[1])
        stop = length if match[2] == "" else min(int(match[2]) + 1, length)
    if start >= stop:
        raise ServiceError(ErrorKind.RANGE, "range_invalid", length=length)
    return start, stop
