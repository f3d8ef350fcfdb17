"""Parsing a compact JWS strictly, before any library does; nothing is verified here. Pure."""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NoReturn, TypeGuard

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NAME = re.compile(r"[\x21-\x7e]{1,256}")


class Reason(StrEnum):
    """Why a token or an assertion was refused: for the operator's log. A caller is told only what
    is wrong with the claims of an assertion that it signed itself."""

    SIZE = "size"
    FORM = "form"
    ENCODING = "encoding"
    JSON = "json"
    CRITICAL = "critical"
    HEADER = "header"
    ALGORITHM = "algorithm"
    TYPE = "type"
    KEY = "key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    SUBJECT = "subject"
    LIFETIME = "lifetime"
    EARLY = "early"
    EXPIRED = "expired"
    CLIENT = "client"
    REPLAYED = "replayed"


class InvalidJws(Exception):
    """Only inside the JOSE files: carries the reason to the function that raises a public error."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class CompactJws:
    """A JWS compact serialisation in its only valid spelling (RFC 7515 §7.1). Nothing verified."""

    header: dict[str, object]
    payload: bytes
    signature: bytes


def read_compact(text: str, limit: int) -> CompactJws:
    """Split and decode `text` of at most `limit` characters. Raises `InvalidJws`.

    The caller MUST still check the header and verify the signature before trusting anything.
    """
    if len(text) > limit:
        raise InvalidJws(Reason.SIZE)
    if not _COMPACT.fullmatch(text):
        raise InvalidJws(Reason.FORM)
    header, payload, signature = (decode_base64url(part) for part in text.split("."))
    members = read_object(header)
    # A critical extension is one we must understand; we understand none (RFC 7515 §4.1.11).
    if "crit" in members:
        raise InvalidJws(Reason.CRITICAL)
    return CompactJws(members, payload, signature)


def decode_base64url(text: str) -> bytes:
    """Base64url in its only valid spelling: no padding, no other character, no trailing bits."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidJws(Reason.ENCODING) from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise InvalidJws(Reason.ENCODING)
    return raw


def read_object(raw: bytes) -> dict[str, object]:
    """A JSON object in UTF-8: no member twice, no NaN or Infinity. Raises `InvalidJws`."""
    try:
        value: object = json.loads(
            raw.decode(), object_pairs_hook=_members_once, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise InvalidJws(Reason.JSON) from None
    if not isinstance(value, dict):
        raise InvalidJws(Reason.JSON)
    return value


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJws(Reason.JSON)
    return members


def _no_constant(_: str) -> NoReturn:
    raise InvalidJws(Reason.JSON)


def is_name(value: object) -> TypeGuard[str]:
    """An identifier fit for a row and a log line: 1 to 256 visible ASCII characters."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def is_seconds(value: object) -> TypeGuard[int]:
    """A NumericDate in whole seconds: an int, so no float, no string, no bool."""
    return type(value) is int


def seconds_of(now: datetime) -> float:
    """Unix seconds of an aware datetime. `ValueError` for a naive one, which is a caller's bug."""
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    return now.timestamp()
