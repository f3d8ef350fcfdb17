"""Colour profiles of images (ICC.1:2022), rebuilt with only what shows the colours: no name of a
device, no maker, no date, no text, no private tag. Pure."""

import struct
from dataclasses import dataclass
from math import prod

_MAX_BYTES = 8 * 1024 * 1024
_MAX_TAGS = 100
_HEADER_BYTES = 128
_CHANNELS = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}
_CLASSES = frozenset({b"scnr", b"mntr", b"prtr", b"spac"})
_CONNECTION_SPACES = frozenset({b"XYZ ", b"Lab "})
_MAJOR_VERSIONS = frozenset({2, 4})
_D50 = bytes.fromhex("0000f6d6 00010000 0000d32d")

_CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
_POINTS = (b"wtpt", b"bkpt", b"rXYZ", b"gXYZ", b"bXYZ")
_TABLES = (b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt")
_KEPT = (*_POINTS, b"chad", *_CURVES, *_TABLES, b"cicp")
_SHAPER = frozenset({b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"})
_PARAMETERS = (1, 3, 4, 5, 7)
"""Numbers of a parametric curve, by its function (§10.18)."""


class _InvalidProfileError(Exception):
    pass


@dataclass(frozen=True)
class _Header:
    version: bytes
    device_class: bytes
    space: bytes
    connection: bytes
    intent: int

    @property
    def channels(self) -> int:
        return _CHANNELS[self.space]


def cleaned(profile: bytes) -> bytes | None:
    """The same colours, rebuilt; `None` if the profile is damaged or is not one of an image.

    Cleaning a cleaned profile returns it unchanged.
    """
    try:
        header = _read_header(profile)
        tags = _read_tags(profile, header)
    except (_InvalidProfileError, struct.error):
        return None
    return _written(header, tags) if _suffices(header, tags) else None


def space(profile: bytes) -> bytes:
    """The colour space that a profile is for: b"RGB ", b"GRAY", b"CMYK"…; of a cleaned profile."""
    return profile[16:20]


# --- reading ---


def _read_header(profile: bytes) -> _Header:
    """§7.2. What names a device, a maker, a platform or a moment is not read."""
    if not _HEADER_BYTES + 4 <= len(profile) <= _MAX_BYTES or profile[36:40] != b"acsp":
        raise _InvalidProfileError
    size, intent = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, 64)[0]
    header = _Header(profile[8:10], profile[12:16], profile[16:20], profile[20:24], intent & 3)
    if (
        size > len(profile)
        or header.version[0] not in _MAJOR_VERSIONS
        or header.device_class not in _CLASSES
        or header.space not in _CHANNELS
        or header.connection not in _CONNECTION_SPACES
    ):
        raise _InvalidProfileError
    return header


def _read_tags(profile: bytes, header: _Header) -> dict[bytes, bytes]:
    """The kept tags, each rebuilt from its parsed values."""
    (number,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    if number > _MAX_TAGS:
        raise _InvalidProfileError
    found: dict[bytes, bytes] = {}
    for at in range(_HEADER_BYTES + 4, _HEADER_BYTES + 4 + 12 * number, 12):
        name, offset, length = struct.unpack_from(">4sII", profile, at)
        if name in found or offset + length > len(profile):
            raise _InvalidProfileError
        if name in _KEPT:
            found[name] = _rebuilt(name, profile[offset : offset + length], header)
    return found


def _rebuilt(name: bytes, data: bytes, header: _Header) -> bytes:
    if name in _POINTS:
        return _numbers(b"XYZ ", data, 12)
    if name == b"chad":
        return _numbers(b"sf32", data, 36)
    if name == b"cicp":
        return _numbers(b"cicp", data, 4)
    if name in _CURVES:
        return _curve(data, 0)
    inputs, outputs = (header.channels, 3) if name.startswith(b"A2B") else (3, header.channels)
    return _table(data, inputs, 1 if name == b"gamt" else outputs)


def _numbers(kind: bytes, data: bytes, length: int) -> bytes:
    """A tag of a fixed number of bytes after its type and four reserved bytes."""
    if data[:4] != kind:
        raise _InvalidProfileError
    return kind + bytes(4) + _slice(data, 8, length)


def _slice(data: bytes, at: int, length: int) -> bytes:
    piece = data[at : at + length]
    if len(piece) != length:
        raise _InvalidProfileError
    return piece


def _curve(data: bytes, at: int) -> bytes:
    """A `curv` (§10.6) or `para` (§10.18) element that starts at `at`."""
    kind = data[at : at + 4]
    if kind == b"curv":
        (entries,) = struct.unpack_from(">I", data, at + 8)
        return kind + bytes(4) + _slice(data, at + 8, 4 + 2 * entries)
    if kind == b"para":
        (function,) = struct.unpack_from(">H", data, at + 8)
        if function >= len(_PARAMETERS):
            raise _InvalidProfileError
        numbers = _slice(data, at + 12, 4 * _PARAMETERS[function])
        return kind + bytes(4) + struct.pack(">HH", function, 0) + numbers
    raise _InvalidProfileError


def _table(data: bytes, inputs: int, outputs: int) -> bytes:
    """A transform: `mft1`, `mft2` (§10.10, §10.11), `mAB ` or `mBA ` (§10.12, §10.13)."""
    kind = data[:4]
    if len(data) < 32 or (data[8], data[9]) != (inputs, outputs):
        raise _InvalidProfileError
    if kind in {b"mAB ", b"mBA "}:
        return _elements(kind, data, inputs, outputs)
    lattice = data[10] ** inputs * outputs
    head = kind + bytes(4) + data[8:11] + b"\x00"
    if kind == b"mft1":
        return head + _slice(data, 12, 36 + 256 * inputs + lattice + 256 * outputs)
    if kind == b"mft2":
        entries, results = struct.unpack_from(">HH", data, 48)
        values = entries * inputs + lattice + results * outputs
        return head + _slice(data, 12, 40 + 2 * values)
    raise _InvalidProfileError


def _elements(kind: bytes, data: bytes, inputs: int, outputs: int) -> bytes:
    """Curves, matrix, curves, lattice, curves; each absent where its offset is 0."""
    near, far = (outputs, inputs) if kind == b"mAB " else (inputs, outputs)
    starts = struct.unpack_from(">5I", data, 12)
    pieces = (
        _curves(data, starts[0], near) if starts[0] else b"",
        _slice(data, starts[1], 48) if starts[1] else b"",
        _curves(data, starts[2], near) if starts[2] else b"",
        _lattice(data, starts[3], inputs, outputs) if starts[3] else b"",
        _curves(data, starts[4], far) if starts[4] else b"",
    )
    offsets, body = [], b""
    for piece in pieces:
        offsets.append(32 + len(body) if piece else 0)
        body += piece
    return kind + bytes(4) + bytes((inputs, outputs, 0, 0)) + struct.pack(">5I", *offsets) + body


def _curves(data: bytes, at: int, number: int) -> bytes:
    made = b""
    for _ in range(number):
        made += _padded(_curve(data, at + len(made)))
    return made


def _lattice(data: bytes, at: int, inputs: int, outputs: int) -> bytes:
    grid = _slice(data, at, inputs)
    precision = _slice(data, at + 16, 1)
    if precision[0] not in {1, 2}:
        raise _InvalidProfileError
    values = _slice(data, at + 20, prod(grid) * outputs * precision[0])
    return _padded(grid + bytes(16 - inputs) + precision + bytes(3) + values)


def _suffices(header: _Header, tags: dict[bytes, bytes]) -> bool:
    """Whether the colours of an image can be computed from the kept tags (§8)."""
    if b"A2B0" in tags:
        return True
    return (header.space == b"GRAY" and b"kTRC" in tags) or (
        header.space == b"RGB " and tags.keys() >= _SHAPER
    )


# --- writing ---


def _written(header: _Header, tags: dict[bytes, bytes]) -> bytes:
    contents = {b"desc": _text(header, b"desc"), b"cprt": _text(header, b"cprt")}
    contents |= {name: tags[name] for name in _KEPT if name in tags}
    start = _HEADER_BYTES + 4 + 12 * len(contents)
    body, places = b"", dict[bytes, int]()
    for data in contents.values():
        if data not in places:
            places[data] = start + len(body)
            body += _padded(data)
    index = b"".join(
        struct.pack(">4sII", name, places[data], len(data)) for name, data in contents.items()
    )
    head = struct.pack(
        ">II2s2x4s4s4s12x4s24xI12s48x",
        *(start + len(body), 0, header.version, header.device_class, header.space),
        *(header.connection, b"acsp", header.intent, _D50),
    )
    return head + struct.pack(">I", len(contents)) + index + body


def _text(header: _Header, name: bytes) -> bytes:
    """The two texts that every profile must have, the same in all."""
    words = b"Colours" if name == b"desc" else b"None"
    if header.version[0] >= 4:
        wide = words.decode().encode("utf-16-be")
        return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(wide), 28) + wide
    if name == b"desc":
        return b"desc" + bytes(4) + struct.pack(">I", len(words) + 1) + words + bytes(79)
    return b"text" + bytes(4) + words + b"\x00"


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
