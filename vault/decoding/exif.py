"""Reads from EXIF the orientation and whether there is a GPS position; writes an EXIF block that
holds only the orientation (TIFF 6.0 §2, CIPA DC-008 §4.6)."""

import struct
from dataclasses import dataclass

_ORIENTATION = 0x0112
_GPS = 0x8825
_SHORT = 3


@dataclass(frozen=True)
class Exif:
    """`orientation`: 1 to 8 (1 when absent or invalid). `located`: there is a GPS position."""

    orientation: int
    located: bool


NOTHING = Exif(orientation=1, located=False)


def read(tiff: bytes) -> Exif:
    """Reads the first directory of a TIFF block (without `Exif\\0\\0`). Never fails."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return NOTHING
    try:
        (offset,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, offset)
        return _directory(tiff, order, offset + 2, count)
    except struct.error:
        return NOTHING


def _directory(tiff: bytes, order: str, start: int, count: int) -> Exif:
    orientation, located = 1, False
    for at in range(start, min(start + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, at)
        if tag == _ORIENTATION and kind == _SHORT:
            (value,) = struct.unpack_from(order + "H", tiff, at + 8)
            orientation = value if 1 <= value <= 8 else 1
        located = located or tag == _GPS
    return Exif(orientation, located)


def only_orientation(orientation: int) -> bytes:
    """A 26-byte TIFF block: one directory, one entry."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
