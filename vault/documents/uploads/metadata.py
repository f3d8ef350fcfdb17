"""What a sender says of an upload: the value of `Upload-Metadata` (tus 1.0), pure."""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping

from base.errors import ServiceError, invalid

NAMES = (
    "filename",
    "type",
    "title",
    "issued_on",
    "expires_on",
    "due_on",
    "income_year",
    "paper_location",
    "sensitive",
)
"""Those that a deposit reads; any other is kept for its sender, and ignored."""
MAX_LENGTH = 4096
_MAX_PAIRS = 20
_PAIR = re.compile(r"([!-+\--~]{1,64})(?: ([A-Za-z0-9+/]*={0,2}))?")


def read_metadata(text: str) -> dict[str, str]:
    """The values of the names that are known. Raises `upload_metadata_invalid`."""
    pairs = [_PAIR.fullmatch(pair.strip(" ")) for pair in text.split(",")] if text else []
    if len(text) > MAX_LENGTH or len(pairs) > _MAX_PAIRS:
        raise _invalid()
    found: dict[str, str] = {}
    for pair in pairs:
        if pair is None or pair[1] in found:
            raise _invalid()
        found[pair[1]] = pair[2] or ""
    return {name: _decoded(value) for name, value in found.items() if name in NAMES}


def write_metadata(said: Mapping[str, str]) -> str:
    """What `read_metadata` reads; without the names that have no value."""
    pairs = [
        f"{name} {b64encode(value.encode()).decode()}" for name, value in said.items() if value
    ]
    return ",".join(pairs)


def _decoded(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode()
    except (Error, UnicodeDecodeError):
        raise _invalid() from None


def _invalid() -> ServiceError:
    return invalid("upload_metadata_invalid", fields=[("upload_metadata",)])
