"""Where the coded data of a JPEG ends, and whether it is all there: only decoding it can tell.

Runs only inside a child.
"""

import io

import pikepdf
from PIL import Image

from vault.decoding.jpeg_structure import END
from vault.decoding.media import Undecodable

_ASSUMED = 32
_FILLS = (bytes(256), b"\x55" * 256)
"""Coded data of two kinds: where rows are missing, they decode to different pixels."""
_UNCODED = frozenset({127, 128})


def ended(data: bytes) -> bytes:
    """A stripped JPEG whose end marker was missing, without foreign bytes at the end of its scan.

    Raises `Undecodable` when a part of the image is missing.
    """
    if is_sound(data):
        return data
    body = data[: -len(END)]
    shown = _pixels(body)
    low, high = _start_of_scan(body), len(body) - 1
    if high <= low or _pixels(body[:high]) != shown:
        raise Undecodable  # its last byte is needed, and is not enough
    while low < high:
        middle = (low + high) // 2
        if _pixels(body[:middle]) == shown:
            high = middle
        else:
            low = middle + 1
    # The last bytes may code what a decoder assumes anyway when they are missing.
    for end in range(low, low + _ASSUMED):
        if is_sound(body[:end] + END):
            return body[:end] + END
    raise Undecodable


def may_lack_rows(decoded: Image.Image) -> bool:
    """Whether the last pixels have the value that a decoder gives to what is missing. Cheap."""
    width, height = decoded.size
    corner = decoded.crop((max(0, width - 2), max(0, height - 2), width, height))
    return _UNCODED.issuperset(corner.tobytes())


def lacks_rows(data: bytes) -> bool:
    """Whether a JPEG has an end marker but not all of its rows. Decodes it three times."""
    body = data[: -len(END)]
    shown = _pixels(body)
    return any(_pixels(body + fill) != shown for fill in _FILLS)


def _start_of_scan(body: bytes) -> int:
    at = body.rindex(b"\xff\xda") + 2
    return at + int.from_bytes(body[at : at + 2], "big")


def _pixels(body: bytes) -> bytes:
    with Image.open(io.BytesIO(body + END), formats=("JPEG",)) as image:
        return image.tobytes()


def is_sound(data: bytes) -> bool:
    """Whether libjpeg decodes it without a warning: nothing missing, nothing foreign."""
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(data, Filter=pikepdf.Name.DCTDecode)
        try:
            stream.read_bytes(pikepdf.StreamDecodeLevel.all)
        except (pikepdf.PdfError, pikepdf.DataDecodingError, RuntimeError):
            return False
    return True
