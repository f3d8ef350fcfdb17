"""The structure of a WebP file (RFC 9649 §2): keeps the image's chunks, with the sizes that they
have. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from vault.decoding.media import Undecodable

_IMAGE = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_KEPT = _IMAGE | {b"VP8X", b"ANIM", b"ALPH", b"ICCP"}
_METADATA_FLAGS = 0x08 | 0x04


@dataclass(frozen=True)
class WebP:
    """`data`: the image alone. `exif` and `xmp`: what was taken out, empty when absent."""

    data: bytes
    exif: bytes
    xmp: bytes


def read(data: bytes) -> WebP:
    """Raises `Undecodable` when the file ends before its image does.

    What follows the image, a wrong total size and a missing byte of padding are mended.
    """
    kept = b""
    removed = {b"EXIF": b"", b"XMP ": b""}
    for kind, payload in _chunks(data):
        if kind in removed:
            removed[kind] = removed[kind] or payload
        elif kind in _KEPT:
            kept += kind + len(payload).to_bytes(4, "little") + _without_metadata(kind, payload)
            kept += bytes(len(payload) % 2)
    head = b"RIFF" + (len(kept) + 4).to_bytes(4, "little") + b"WEBP"
    return WebP(head + kept, removed[b"EXIF"], removed[b"XMP "])


def _without_metadata(kind: bytes, payload: bytes) -> bytes:
    if kind != b"VP8X" or not payload:
        return payload
    return bytes((payload[0] & ~_METADATA_FLAGS,)) + payload[1:]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, shown = 12, False
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        payload = data[at + 8 : at + 8 + length]
        if len(payload) < length:
            break
        yield kind, payload
        shown, at = shown or kind in _IMAGE, at + 8 + length + length % 2
    if not shown:
        raise Undecodable
