"""JPEG and PNG without metadata about camera, author or place; the image's own bytes unchanged."""

import zlib
from dataclasses import dataclass

from vault.decoding import colour_profiles, exif, jpeg_structure, png_structure
from vault.decoding.jpeg_structure import (
    APP0,
    APP1,
    APP2,
    APP14,
    FRAMES,
    SOS,
    TABLES,
    Frame,
    Segment,
)
from vault.decoding.media import Undecodable
from vault.decoding.png_structure import Chunk


@dataclass(frozen=True)
class Stripped:
    """An image that keeps only what is needed to show it.

    `orientation`: that of EXIF (1 to 8), still inside `data` when it is not 1. `located`: the
    original had a GPS position. `ended`: it had its end; `data` has one anyway, and a JPEG without
    MUST be checked for missing rows and foreign bytes (`jpeg_end`). `frame`: of a JPEG.
    """

    data: bytes
    orientation: int
    located: bool
    ended: bool = True
    frame: Frame | None = None


XMP_PLACE = b"GPSLatitude"
_SPACES = {1: b"GRAY", 3: b"RGB ", 4: b"CMYK"}
"""The space of a profile that fits, by the image's components."""


def _profile(profile: bytes, space: bytes | None) -> bytes | None:
    """Cleaned, if it is one for this kind of image: viewers ignore any other."""
    cleaned = colour_profiles.cleaned(profile)
    return cleaned if cleaned and colour_profiles.space(cleaned) == space else None


# --- JPEG (ITU-T T.81 annex B; JFIF 1.02; ICC.1:2022 annex B.4) ---

_ICC = b"ICC_PROFILE\x00"


def jpeg(data: bytes) -> Stripped:
    """Keeps frame, tables, scans, JFIF without its thumbnail, the Adobe transform, the cleaned
    colour profile, and the orientation as the only EXIF tag; ends at the end-of-image marker.

    Raises `Undecodable` when the markers do not make an image.
    """
    file = jpeg_structure.read(data)
    jfif, orientation, located = b"", 1, False
    profile: dict[int, bytes] = {}
    body: list[bytes] = []
    for segment in file.segments:
        marker, payload = segment.marker, segment.payload
        if marker == APP0 and payload.startswith(b"JFIF\x00") and len(payload) >= 14:
            jfif = jfif or Segment(APP0, payload[:12] + b"\x00\x00").written()
        elif marker == APP1 and payload.startswith(b"Exif\x00\x00"):
            tags = exif.read(payload[6:])
            orientation = tags.orientation if orientation == 1 else orientation
            located = located or tags.located
        elif marker == APP1:
            located = located or XMP_PLACE in payload
        elif marker == APP2 and payload.startswith(_ICC) and len(payload) > 14:
            profile.setdefault(payload[12], payload[14:])
        elif marker == APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
            body.append(Segment(APP14, payload[:12]).written())
        elif marker in FRAMES or marker in TABLES or marker == SOS:
            body.append(segment.written())
    head = [b"\xff\xd8", jfif]
    if orientation != 1:
        tiff = exif.only_orientation(orientation)
        head.append(Segment(APP1, b"Exif\x00\x00" + tiff).written())
    whole = b"".join(profile[number] for number in sorted(profile))
    head += _icc_segments(_profile(whole, _SPACES.get(file.frame.components)))
    written = b"".join((*head, *body, jpeg_structure.END))
    return Stripped(written, orientation, located, file.ended, file.frame)


def _icc_segments(profile: bytes | None) -> list[bytes]:
    size = 65533 - len(_ICC) - 2
    pieces = [profile[at : at + size] for at in range(0, len(profile), size)] if profile else []
    return [
        Segment(APP2, _ICC + bytes((number, len(pieces))) + piece).written()
        for number, piece in enumerate(pieces, 1)
    ]


# --- PNG (W3C PNG, third edition, §5 and §11) ---

_LENGTHS: dict[bytes, range | frozenset[int]] = {
    b"PLTE": range(3, 769, 3),
    b"tRNS": range(1, 257),
    b"sRGB": frozenset({1}),
    b"gAMA": frozenset({4}),
    b"cHRM": frozenset({32}),
    b"cICP": frozenset({4}),
    b"mDCV": frozenset({24}),
    b"cLLI": frozenset({8}),
    b"sBIT": range(1, 5),
    b"pHYs": frozenset({9}),
    b"bKGD": frozenset({1, 2, 6}),
}
"""The chunks that define the pixels' colours, and how long each may be."""
_MAX_PROFILE = 8 * 1024 * 1024


def png(data: bytes) -> Stripped:
    """Keeps the chunks that define the pixels and their colours, the cleaned colour profile, and
    the orientation as the only EXIF tag; an animation keeps its still image; ends at IEND.

    A damaged chunk that is not needed goes; a missing end or checksum is mended. Raises
    `Undecodable` when header, palette or rows are damaged or missing.
    """
    found = png_structure.chunks(data)
    first = next(found, png_structure.NOTHING)
    header = png_structure.header(first)
    orientation, located, ended = 1, False, False
    kept: dict[bytes, Chunk] = {}
    pixels: list[Chunk] = []
    for chunk in found:
        kind, payload = chunk.kind, chunk.payload
        if kind == b"IDAT":
            pixels.append(chunk)
        elif kind == b"eXIf":
            tags = exif.read(payload)
            located = located or tags.located
            orientation = tags.orientation if chunk.intact and orientation == 1 else orientation
        elif kind == b"iTXt":
            located = located or XMP_PLACE in payload
        elif not pixels and kind not in kept and not (kind == b"PLTE" and header.many_coloured):
            needed = _kept(chunk, b"GRAY" if header.grey else b"RGB ")
            kept |= {kind: needed} if needed else {}
        ended = ended or kind == b"IEND"
    if orientation != 1:
        kept[b"eXIf"] = Chunk(b"eXIf", exif.only_orientation(orientation))
    rows = _rows(pixels, header.expanded_bytes(), sound=ended)
    parts = (first, *kept.values(), *rows, Chunk(b"IEND", b""))
    body = b"".join(chunk.written() for chunk in parts)
    return Stripped(png_structure.SIGNATURE + body, orientation, located)


def _kept(chunk: Chunk, space: bytes) -> Chunk | None:
    """The chunk as it is handed on; `None` when it is not needed or is damaged."""
    if chunk.kind == b"PLTE" and not chunk.intact:
        raise Undecodable
    if not chunk.intact:
        return None
    if chunk.kind == b"iCCP":
        _, _, compressed = chunk.payload.partition(b"\x00")
        content = png_structure.inflated(compressed[1:], _MAX_PROFILE)
        profile = content and _profile(content, space)
        return Chunk(b"iCCP", b"icc\x00\x00" + zlib.compress(profile, 9)) if profile else None
    return chunk if len(chunk.payload) in _LENGTHS.get(chunk.kind, ()) else None


def _rows(pixels: list[Chunk], expected: int, *, sound: bool) -> list[Chunk]:
    """The compressed rows: in their own chunks if nothing had to be mended, else in one."""
    compressed = b"".join(chunk.payload for chunk in pixels)
    mended = png_structure.mended_pixels(compressed, expected)
    intact = sound and all(chunk.intact for chunk in pixels)
    return pixels if intact and mended == compressed else [Chunk(b"IDAT", mended)]
