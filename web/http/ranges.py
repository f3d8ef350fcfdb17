"""Byte ranges (RFC 9110 §14): one range at a time; anything else is told so. Pure."""

import re

from base.errors import ErrorKind, ServiceError

_ONE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def wanted(header: str | None, length: int) -> tuple[int, int] | None:
    """`(start, stop)` of the one range asked for, or None for the whole.

    Raises `ServiceError` RANGE when it is malformed, several, or outside.
    """
    if header is None:
        return None
    shape = _ONE.fullmatch(header.strip())
    if shape is None or shape[1] == shape[2] == "":
        raise ServiceError(ErrorKind.RANGE, "range_invalid", length=length)
    if shape[1] == "":
        size = min(int(shape[2]), length)
        start, stop = length - size, length
    else:
        start = int(shape[1])
        stop = length if shape[2] == "" else min(int(shape[2]) + 1, length)
    if start >= stop:
        raise ServiceError(ErrorKind.RANGE, "range_invalid", length=length)
    return start, stop
