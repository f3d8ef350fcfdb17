"""JBIG2 as PDFs hold it (ITU-T T.88 §7.2; ISO 32000-2 §7.4.7) and fax (T.6), without comments and
without what stands behind their end. Pure."""

from vault.decoding.media import Undecodable

_REGION_OF_UNKNOWN_LENGTH = 38
_SAYING = frozenset({52, 62})
"""Types of segments that show nothing: profiles, and extensions, which hold comments."""
_UNKNOWN = 0xFFFFFFFF
_END_OF_FAX = b"\x00\x10\x01"


def stripped(data: bytes) -> bytes:
    """The segments that show something, up to the last one; of a damaged file those before it."""
    kept, at = [], 0
    while at + 11 <= len(data):
        try:
            kind, end = _segment(data, at)
        except Undecodable:
            kept.append(data[at:])
            break
        if kind not in _SAYING:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _segment(data: bytes, start: int) -> tuple[int, int]:
    """The type of the segment that begins there, and where it ends."""
    number, flags = int.from_bytes(data[start : start + 4], "big"), data[start + 4]
    kind, at = flags & 0x3F, start + 5
    count = data[at] >> 5
    if count == 7:
        count = int.from_bytes(data[at : at + 4], "big") & 0x1FFFFFFF
        at += 4 + (count + 8) // 8
    else:
        at += 1
    at += count * (1 if number <= 256 else 2 if number <= 65536 else 4)
    at += 4 if flags & 0x40 else 1
    if at + 4 > len(data):
        raise Undecodable
    length = int.from_bytes(data[at : at + 4], "big")
    at += 4
    if length == _UNKNOWN:
        if kind != _REGION_OF_UNKNOWN_LENGTH or at + 18 > len(data):
            raise Undecodable
        mark = b"\x00\x00" if data[at + 17] & 1 else b"\xff\xac"
        found = data.find(mark, at + 18)
        if found < 0:
            raise Undecodable
        return kind, found + 6
    return kind, min(len(data), at + length)


def fax_without_rest(data: bytes) -> bytes:
    """Two-dimensional fax up to its end-of-block, which no row can hold, at whichever bit it is."""
    whole = int.from_bytes(data, "big")
    found = []
    for shift in range(8):
        moved = (whole >> shift).to_bytes(len(data), "big")
        at = moved.find(_END_OF_FAX)
        if at >= 0:
            found.append((at + 3) * 8 - shift)
    # Bits from the front: shifting right by n moves the block n bits towards the end.
    return data[: (min(found) + 7) // 8] if found else data
