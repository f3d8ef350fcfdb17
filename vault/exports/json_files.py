"""Files of an export that are JSON: their bytes, as people may read them too."""

import json
from collections.abc import AsyncIterator
from typing import Any

File = tuple[str, AsyncIterator[bytes]]
"""A path in the zip, and what stands there: made only where somebody takes it."""


def json_bytes(values: Any) -> bytes:
    """One value, indented."""
    return json.dumps(values, ensure_ascii=False, indent=1).encode()


def json_line(values: Any) -> bytes:
    """One value of a file that has one in each line."""
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


async def once(data: bytes) -> AsyncIterator[bytes]:
    """A file that is small enough to be made at once."""
    yield data
