"""Colour profiles of our own making, as devices write them: with names, dates and private tags."""

import struct
from collections.abc import Iterable
from functools import cache

from PIL import ImageCms

DEVICE = b"Ecran de Samira"


@cache
def srgb() -> bytes:
    """A profile of LittleCMS, made once per run: two made apart differ by their time."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def tags(profile: bytes) -> dict[bytes, bytes]:
    """The data of each tag, by its name."""
    (number,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * n) for n in range(number))
    return {name: profile[at : at + length] for name, at, length in entries}


def written(header: bytes, contents: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A profile of these tags; `header` is that of another profile, whose size is corrected."""
    index, body, listed = b"", b"", list(contents)
    start = 132 + 12 * len(listed)
    for name, data in listed:
        index += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    rest = struct.pack(">I", len(listed)) + index + body
    return struct.pack(">I", 128 + len(rest)) + header[4:128] + rest


def talkative(profile: bytes) -> bytes:
    """The same colours with a device's name, a serial number and a private tag of any content."""
    kept = tags(profile)
    kept[b"desc"] = b"text" + bytes(4) + DEVICE + b"\x00"
    kept[b"dmdd"] = b"text" + bytes(4) + DEVICE + b"\x00"
    kept[b"prVt"] = DEVICE * 40
    named = bytearray(profile[:128])
    named[4:8], named[48:52], named[52:56], named[80:84] = b"DEV1", b"SAMI", b"RA01", b"HOME"
    return written(bytes(named), kept.items())


def wide_rgb() -> bytes:
    """RGB whose red and blue are exchanged, so that ignoring it shows at once."""
    kept = tags(srgb())
    kept[b"rXYZ"], kept[b"bXYZ"] = kept[b"bXYZ"], kept[b"rXYZ"]
    return written(srgb(), kept.items())


def _header(device_class: bytes, space: bytes, connection: bytes, version: int = 2) -> bytes:
    head = bytearray(srgb()[:128])
    head[8:10] = bytes((version, 0x40 if version == 2 else 0))
    head[12:16], head[16:20], head[20:24] = device_class, space, connection
    return bytes(head)


def grey(gamma: float = 1.0) -> bytes:
    """Grey of a given gamma: 1.0 is far lighter than what a screen assumes."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = tags(srgb())[b"wtpt"]
    return written(_header(b"mntr", b"GRAY", b"XYZ "), [(b"wtpt", white), (b"kTRC", curve)])


def _lab(ink: tuple[int, ...]) -> tuple[int, int, int]:
    """Lab (as 8 bits) of full or no cyan, magenta, yellow, black: rough colours of print."""
    cyan, magenta, yellow, black = ink
    light = max(0, 255 - 70 * cyan - 90 * magenta - 20 * yellow - 255 * black)
    green_red = 128 + (75 * magenta - 50 * cyan) * (1 - black)
    blue_yellow = 128 + (90 * yellow - 50 * cyan - 5 * magenta) * (1 - black)
    return light, green_red, blue_yellow


@cache
def cmyk(kind: bytes = b"mft1") -> bytes:
    """A press of four inks as a table of 16 corners: `mft1`, `mft2` or `mAB `."""
    corners = [_lab((c, m, y, k)) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    lattice = bytes(value for corner in corners for value in corner)
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    version, ramp = 2, bytes(range(256))
    head = kind + bytes(4) + bytes((4, 3, 2, 0))
    if kind == b"mft1":
        table = head + matrix + ramp * 4 + lattice + ramp * 3
    elif kind == b"mft2":
        deep, ends = b"".join(bytes((v, 0)) for v in lattice), struct.pack(">HH", 0, 65535)
        table = head + matrix + struct.pack(">HH", 2, 2) + ends * 4 + deep + ends * 3
    else:
        version, straight = 4, b"para" + bytes(4) + struct.pack(">HHi", 0, 0, 65536)
        clut = bytes((2, 2, 2, 2)) + bytes(12) + b"\x01" + bytes(3) + lattice
        starts = struct.pack(">5I", 32, 0, 0, 32 + 48, 32 + 48 + len(clut))
        table = kind + bytes(4) + bytes((4, 3, 0, 0)) + starts
        table += straight * 3 + clut + straight * 4
    white = tags(srgb())[b"wtpt"]
    header = _header(b"prtr", b"CMYK", b"Lab ", version)
    return written(header, [(b"wtpt", white), (b"A2B0", table)])
