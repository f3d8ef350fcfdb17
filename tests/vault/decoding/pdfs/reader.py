"""A reader of PDFs that shares nothing with the code under test: it looks at bytes, inflates what
is deflated, and searches."""

import re
import zlib
from collections.abc import Iterator

_STREAM = re.compile(rb"stream\r?\n")
_HEXADECIMAL = re.compile(rb"<([0-9A-Fa-f\s]{8,})>")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_OCTAL = re.compile(rb"\\([0-7]{3})")


def _inflated(data: bytes) -> bytes:
    """As much of a zlib stream as can be read; nothing if it is none."""
    if data[:1] != b"\x78":
        return b""
    try:
        return zlib.decompressobj().decompress(data, 32 << 20)
    except zlib.error:
        return b""


def _hexadecimal(data: bytes) -> bytes:
    digits = b"".join(data.split())
    return bytes.fromhex(digits[: len(digits) & ~1].decode())


def texts(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """The bytes, and all that stands in them in other codings: deflated, hexadecimal, escaped."""
    yield data
    yield _ESCAPE.sub(lambda found: _hexadecimal(found[1]), data)
    yield _OCTAL.sub(lambda found: bytes([int(found[1], 8) & 255]), data)
    yield b"\n".join(_hexadecimal(found[1]) for found in _HEXADECIMAL.finditer(data))
    if depth == 0:
        return
    starts = [0, *(found.end() for found in _STREAM.finditer(data))]
    for start in starts:
        inner = _inflated(data[start:])
        if inner:
            yield from texts(inner, depth - 1)


def contains(data: bytes, words: str) -> bool:
    """Whether the words stand anywhere, in capitals or not, in UTF-8 or UTF-16."""
    folded = words.lower()
    forms = [folded.encode(), folded.encode("utf-16-be"), folded.encode("utf-16-le")]
    forms.append(folded.encode().hex().encode())
    return any(form in text.lower() for text in texts(data) for form in forms)
