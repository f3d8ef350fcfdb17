"""JPEG and PNG without metadata about camera, author or place; the image's own bytes unchanged."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from vault.decoding import exif
from vault.decoding.media import Undecodable


@dataclass(frozen=True)
class Stripped:
    """An image that keeps only what is needed to show it.

    `orientation`: that of EXIF (1 to 8), still inside `data` when it is not 1. `located`: the
    original had a GPS position.
    """

    data: bytes
    orientation: int
    located: bool


# --- JPEG (ITU-T T.81 annex B; JFIF 1.02; ICC.1:2022 annex B.4) ---

_SOI, _EOI, _SOS, _APP0, _APP1, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
# Frames, tables, restart interval, number of lines; not comments or application data.
_PICTURE = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}) - {0xC8}
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_END_OF_SCAN = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_ICC = b"ICC_PROFILE\x00"
_XMP_GPS = b"GPSLatitude"


def jpeg(data: bytes) -> Stripped:
    """Keeps frames, tables, scans, JFIF without its thumbnail, the Adobe transform, a valid ICC
    profile, and the orientation as the only EXIF tag; ends at the end-of-image marker.

    Raises `Undecodable` when the markers do not make a complete image.
    """
    jfif, profile, orientation, located = b"", b"", 1, False
    body: list[bytes] = []
    for marker, payload, scan in _segments(data):
        if marker == _APP0 and payload.startswith(b"JFIF\x00") and len(payload) >= 14:
            jfif = jfif or _segment(_APP0, payload[:12] + b"\x00\x00")
        elif marker == _APP1 and payload.startswith(b"Exif\x00\x00"):
            tags = exif.read(payload[6:])
            orientation = tags.orientation if orientation == 1 else orientation
            located = located or tags.located
        elif marker == _APP1:
            located = located or _XMP_GPS in payload
        elif marker == _APP2 and payload.startswith(_ICC):
            profile += payload[14:]
        elif marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
            body.append(_segment(_APP14, payload[:12]))
        elif marker in _PICTURE or marker == _SOS:
            body += (_segment(marker, payload), scan)
    head = [b"\xff\xd8", jfif]
    if orientation != 1:
        tiff = exif.only_orientation(orientation)
        head.append(_segment(_APP1, b"Exif\x00\x00" + tiff))
    head += _icc_segments(profile)
    return Stripped(b"".join((*head, *body, b"\xff\xd9")), orientation, located)


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each marker segment up to the end of image: marker, payload, and the scan after a SOS."""
    if not data.startswith(b"\xff\xd8"):
        raise Undecodable
    at = 2
    while True:
        # Decoders skip fill bytes and stray bytes between segments, so they are dropped here.
        mark = _NEXT_MARKER.search(data, at)
        if mark is None:
            raise Undecodable
        marker, at = mark[1][0], mark.end()
        if marker == _EOI:
            return
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(data[at : at + 2], "big")
        if marker == _SOI or length < 2 or at + length > len(data):
            raise Undecodable
        payload, at = data[at + 2 : at + length], at + length
        scan = b""
        if marker == _SOS:
            end = _END_OF_SCAN.search(data, at)
            if end is None:
                raise Undecodable
            scan, at = data[at : end.start()], end.start()
        yield marker, payload, scan


def _icc_segments(profile: bytes) -> list[bytes]:
    """The profile split again, or nothing if it is invalid: other data could hide there."""
    if profile[36:40] != b"acsp" or int.from_bytes(profile[:4], "big") != len(profile):
        return []
    size = 65533 - len(_ICC) - 2
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)]
    if len(pieces) > 255:
        return []
    return [
        _segment(_APP2, _ICC + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, 1)
    ]


# --- PNG (W3C PNG, third edition, §5 and §11) ---

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS iCCP sRGB gAMA cHRM cICP mDCV cLLI sBIT pHYs bKGD".split()
)


def png(data: bytes) -> Stripped:
    """Keeps the chunks that define the pixels and their colours, and the orientation as the only
    EXIF tag; an animation keeps its still image; ends at IEND.

    Raises `Undecodable` when a kept chunk is damaged or IEND is missing.
    """
    orientation, located = 1, False
    kept: list[tuple[bytes, bytes]] = []
    for kind, payload, whole in _chunks(data):
        if kind == b"eXIf":
            tags = exif.read(payload)
            orientation, located = tags.orientation, located or tags.located
        elif kind == b"iTXt":
            located = located or _XMP_GPS in payload
        elif kind in _KEPT:
            kept.append((kind, whole))
    if orientation != 1:
        first_pixels = next((n for n, (kind, _) in enumerate(kept) if kind == b"IDAT"), len(kept))
        kept.insert(first_pixels, (b"eXIf", _orientation_chunk(orientation)))
    body = b"".join(whole for _, whole in kept)
    return Stripped(_SIGNATURE + body, orientation, located)


def _orientation_chunk(orientation: int) -> bytes:
    kind, payload = b"eXIf", exif.only_orientation(orientation)
    checksum = zlib.crc32(kind + payload).to_bytes(4, "big")
    return len(payload).to_bytes(4, "big") + kind + payload + checksum


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Each chunk up to and including IEND: kind, payload, and the whole chunk unchanged."""
    if not data.startswith(_SIGNATURE):
        raise Undecodable
    at, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            raise Undecodable
        payload, checksum = data[at + 8 : end - 4], data[end - 4 : end]
        if kind in _KEPT and zlib.crc32(data[at + 4 : end - 4]).to_bytes(4, "big") != checksum:
            raise Undecodable
        yield kind, payload, data[at:end]
        at = end
