"""JPEG 2000 (ISO/IEC 15444-1) without metadata: only what shows the picture."""

from collections.abc import Iterator

from vault.decoding import colour_profiles
from vault.decoding.media import Undecodable

_CODESTREAM = b"\xff\x4f\xff\x51"
_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_BRANDS = frozenset({b"jp2 ", b"jpx ", b"jpxb", b"jpm "})
_HEADER = frozenset({b"ihdr", b"bpcc", b"pclr", b"cmap", b"cdef", b"res "})
_COM, _SOT, _SOD = 0x64, 0x90, 0x93
_WITH_PROFILE = 2


def stripped(data: bytes) -> bytes:
    """The same picture; empty when its boxes cannot be followed."""
    try:
        if data.startswith(_CODESTREAM):
            return _codestream(data)
        if data.startswith(_SIGNATURE):
            return b"".join(_kept_boxes(data))
    except (Undecodable, IndexError):
        pass
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the content of each box (annex I.4)."""
    at = 0
    while at + 8 <= len(data):
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if length == 0:
            length = len(data) - at
        if length < head or at + length > len(data):
            raise Undecodable
        yield kind, data[at + head : at + length]
        at += length


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _kept_boxes(data: bytes) -> Iterator[bytes]:
    for kind, content in _boxes(data):
        if kind == b"jp2h":
            yield _box(kind, b"".join(_kept_header(content)))
        elif kind == b"jp2c":
            yield _box(kind, _codestream(content))
        elif kind == b"ftyp":
            yield _box(kind, content[:4] + bytes(4) + b"".join(_brands(content)))
        elif kind == b"jP  ":
            yield _box(kind, content[:4])


def _brands(content: bytes) -> Iterator[bytes]:
    """The editions of the format that a file says it follows (annex I.5.2)."""
    for at in range(8, len(content), 4):
        if content[at : at + 4] in _BRANDS:
            yield content[at : at + 4]


def _kept_header(data: bytes) -> Iterator[bytes]:
    for kind, content in _boxes(data):
        if kind in _HEADER:
            yield _box(kind, content)
        elif kind == b"colr":
            yield _box(kind, _colour(content))


def _colour(content: bytes) -> bytes:
    """A specification of colour (annex I.5.3.3): a number, or a profile that is cleaned."""
    if content[:1] != bytes([_WITH_PROFILE]):
        return content[:7]
    profile = colour_profiles.cleaned(content[3:])
    if profile is None:
        raise Undecodable
    return content[:3] + profile


def _codestream(data: bytes) -> bytes:
    """Without comments: those of the main header, and of each tile-part's header (annex A)."""
    kept, at = _header(data, 2, _SOT)
    parts = [data[:2], kept]
    while data[at : at + 2] == bytes((0xFF, _SOT)):
        length = int.from_bytes(data[at + 6 : at + 10], "big")
        end = at + length if length else len(data)
        header, body = _header(data, at + 12, _SOD)
        if not length:
            # No coded byte pair is above FF 8F (annex B.10), so the first end is the end.
            end = data.find(b"\xff\xd9", body)
        if end > len(data) or body > end:
            end = len(data)
        size = 12 + len(header) + end - body if length else 0
        parts += [data[at : at + 6], size.to_bytes(4, "big"), data[at + 10 : at + 12]]
        parts += [header, data[body:end]]
        at = end
    parts.append(b"\xff\xd9" if data[at : at + 2] == b"\xff\xd9" else b"")
    return b"".join(parts)


def _header(data: bytes, at: int, until: int) -> tuple[bytes, int]:
    """The marker segments from `at` up to the marker `until` but for comments, and where it is."""
    kept = []
    while data[at] == 0xFF and data[at + 1] != until:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end <= at + 2 or end > len(data):
            raise Undecodable
        if data[at + 1] != _COM:
            kept.append(data[at:end])
        at = end
    if data[at] != 0xFF:
        raise Undecodable
    return b"".join(kept), at
