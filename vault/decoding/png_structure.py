"""The structure of a PNG file: its chunks and its compressed pixels (W3C PNG, third edition, §5 and
§11). Pure."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from vault.decoding.media import Undecodable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STEP = 64 * 1024
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel, by colour type."""
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""Of Adam7: first column, first row, step across, step down."""


@dataclass(frozen=True)
class Chunk:
    """`intact`: its checksum is right and none of its bytes is missing."""

    kind: bytes
    payload: bytes
    intact: bool = True

    def written(self) -> bytes:
        checksum = zlib.crc32(self.kind + self.payload).to_bytes(4, "big")
        return len(self.payload).to_bytes(4, "big") + self.kind + self.payload + checksum


NOTHING = Chunk(b"", b"", intact=False)


@dataclass(frozen=True)
class Header:
    """The content of IHDR."""

    width: int
    height: int
    depth: int
    colour_type: int
    interlaced: bool

    @property
    def bits_per_pixel(self) -> int:
        return self.depth * _SAMPLES[self.colour_type]

    @property
    def bytes_per_pixel(self) -> int:
        """As a decoder holds them: grey, palette and 1-bit in one byte, colour in four."""
        if self.colour_type in {0, 3}:
            return 2 if self.depth == 16 else 1
        return 4

    @property
    def grey(self) -> bool:
        return self.colour_type in {0, 4}

    @property
    def many_coloured(self) -> bool:
        """Each pixel says its colour itself: a palette only suggests some to poor screens."""
        return self.colour_type in {2, 6}

    def expanded_bytes(self) -> int:
        """Of all rows with their filter bytes, as the compressed stream holds them."""
        if not self.interlaced:
            return self.height * (1 + (self.width * self.bits_per_pixel + 7) // 8)
        total = 0
        for left, top, across, down in _PASSES:
            columns = max(0, (self.width - left + across - 1) // across)
            rows = max(0, (self.height - top + down - 1) // down)
            total += rows * (1 + (columns * self.bits_per_pixel + 7) // 8) if columns else 0
        return total


def chunks(data: bytes) -> Iterator[Chunk]:
    """Each chunk up to IEND, or up to what is not a chunk; the last one may be cut.

    Raises `Undecodable` when the signature is missing.
    """
    if not data.startswith(SIGNATURE):
        raise Undecodable
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(kind) < 4 or not kind.isalpha():
            return
        payload, end = data[at + 8 : at + 8 + length], at + 12 + length
        checksum = zlib.crc32(kind + payload).to_bytes(4, "big")
        yield Chunk(kind, payload, checksum == data[end - 4 : end])
        if end > len(data):
            return
        at = end


def header(chunk: Chunk) -> Header:
    """Raises `Undecodable` unless the chunk is an intact IHDR of a known kind."""
    payload = chunk.payload
    if chunk.kind != b"IHDR" or not chunk.intact or len(payload) != 13:
        raise Undecodable
    read = Header(
        int.from_bytes(payload[:4], "big"),
        int.from_bytes(payload[4:8], "big"),
        payload[8],
        payload[9],
        payload[12] == 1,
    )
    if read.colour_type not in _SAMPLES or read.depth not in {1, 2, 4, 8, 16}:
        raise Undecodable
    return read


def mended_pixels(compressed: bytes, expected: int) -> bytes:
    """The compressed rows without anything after or beside them; the same bytes when it is sound.

    Raises `Undecodable` when rows are missing or damaged.
    """
    length, used, whole = _measured(compressed, expected)
    if length < expected:
        raise Undecodable
    if length == expected and whole:
        return compressed[:used]
    # Rows that nobody sees, or a missing checksum at the end: written anew.
    return zlib.compress(zlib.decompressobj().decompress(compressed, expected), 6)


def _measured(compressed: bytes, expected: int) -> tuple[int, int, bool]:
    """Its expanded length (hardly above `expected`), its own length, and whether it is whole."""
    inflater, length = zlib.decompressobj(), 0
    try:
        for at in range(0, len(compressed), _STEP):
            piece = compressed[at : at + _STEP]
            length += len(inflater.decompress(piece))
            if inflater.eof:
                return length, at + len(piece) - len(inflater.unused_data), True
            if length > expected:
                break
    except zlib.error:
        raise Undecodable from None
    return length, len(compressed), False


def inflated(compressed: bytes, max_bytes: int) -> bytes | None:
    """A whole zlib stream of at most `max_bytes`; `None` if it is damaged or longer."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(compressed, max_bytes)
    except zlib.error:
        return None
    return content if inflater.eof else None
