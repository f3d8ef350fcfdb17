"""The allowed type of a file, from its first bytes only; names and headers are never trusted."""

from vault.decoding.media import MediaType

PREFIX_BYTES = 4096
"""How much of the file `media_type` needs; the whole file when it is shorter."""

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_STILL_BRANDS = _HEIC_BRANDS | {b"mif1", b"mif2"}
_FOREIGN_BRANDS = frozenset({b"avif", b"avis"})


def media_type(first_bytes: bytes) -> MediaType | None:
    """The allowed type that starts at offset 0, or `None`.

    Pure. A signature later in the file is ignored, so a polyglot gets the type of its first bytes;
    the decoder checks the rest.
    """
    head = first_bytes
    if head.startswith(b"%PDF-") and head[5:8] in _PDF_VERSIONS:
        return MediaType.PDF
    if head.startswith(b"\xff\xd8\xff") and len(head) > 3 and _opens_jpeg(head[3]):
        return MediaType.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"):
        return MediaType.PNG
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and head[12:16] in _WEBP_CHUNKS:
        return MediaType.WEBP
    if head[4:8] == b"ftyp":
        return _heif(head)
    if head.startswith(_TIFF_HEADS):
        return MediaType.TIFF
    return None


_PDF_VERSIONS = frozenset({b"1.%d" % minor for minor in range(8)} | {b"2.0"})
_TIFF_HEADS = (b"II*\x00", b"MM\x00*", b"II+\x00\x08\x00\x00\x00", b"MM\x00+\x00\x08\x00\x00")
"""TIFF 6.0, and BigTIFF with its offsets of 8 bytes."""
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X"})


def _opens_jpeg(marker: int) -> bool:
    """A marker segment that may follow SOI: tables, frames, APPn, COM, or fill (T.81 §B.1.1)."""
    return 0xC0 <= marker <= 0xCF or 0xDB <= marker <= 0xFF


def _heif(head: bytes) -> MediaType | None:
    """ISO/IEC 23008-12 §10: still-image brands only; videos and AVIF use the same box."""
    size = int.from_bytes(head[:4], "big")
    major = head[8:12]
    if size < 16 or size > PREFIX_BYTES or size % 4 or major not in _STILL_BRANDS:
        return None
    brands = {head[at : at + 4] for at in range(16, size, 4)} | {major}
    if brands & _FOREIGN_BRANDS and not brands & _HEIC_BRANDS:
        return None
    return MediaType.HEIC if major in _HEIC_BRANDS else MediaType.HEIF
