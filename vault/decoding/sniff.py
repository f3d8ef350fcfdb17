"""The allowed type of a file, from its first bytes only; names and headers are never trusted."""

import re

from vault.decoding.media import MediaType

PREFIX_BYTES = 4096
"""How much of the file `media_type` needs; the whole file when it is shorter."""

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis"})
_STILL_BRANDS = _HEIC_BRANDS | {b"mif1", b"mif2"}
_FOREIGN_BRANDS = frozenset({b"avif", b"avis"})


def media_type(first_bytes: bytes) -> MediaType | None:
    """The allowed type that starts at offset 0, or `None`. A PDF may have other bytes before it.

    Pure. A signature later in the file is ignored, so a polyglot gets the type of its first bytes;
    the decoder checks the rest.
    """
    head = first_bytes
    if pdf_start(head) is not None:
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


def pdf_start(first_bytes: bytes) -> int | None:
    """Where a PDF's header is, at most 1024 bytes into the file as in readers; `None` without one.

    What is before it must not be the start of a file of another type, or the file is a polyglot.
    """
    header = _PDF_HEADER.search(first_bytes, 0, _PDF_HEADER_WITHIN)
    if header is None:
        return None
    before = first_bytes[: header.start()]
    if before.lstrip(_BLANK).startswith(_OTHER_TYPES) or before[4:8] == b"ftyp":
        return None
    return None if _OTHER_TYPES_ANYWHERE.search(before) else header.start()


_PDF_HEADER = re.compile(rb"%PDF-(?:1\.[0-7]|2\.0)")
_PDF_HEADER_WITHIN = 1024 + len(b"%PDF-1.7")
_BLANK = b"\x00\t\n\x0b\x0c\r \xef\xbb\xbf\xfe\xff"
_OTHER_TYPES = (
    # Programs and scripts.
    *(b"MZ", b"ZM", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa", b"\x00asm"),
    *(b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"L\x00\x00\x00\x01\x14\x02"),
    *(b"@echo", b"@ECHO", b"REM ", b"rem ", b"dex\n"),
    # Archives and packages.
    *(b"PK", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"MSCF", b"ITSF", b"xar!"),
    *(b"\x28\xb5\x2f\xfd", b"\x60\xea", b"!<arch>", b"\xd0\xcf\x11\xe0", b"SQLite"),
    # Pictures, sounds, films, texts.
    *(b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"II*", b"II+", b"MM\x00", b"BM", b"8BPS"),
    *(b"ID3", b"OggS", b"fLaC", b"FWS", b"CWS", b"\x1aE\xdf\xa3", b"%!", b"{\\rtf", b"<"),
)
_OTHER_TYPES_ANYWHERE = re.compile(
    rb"<[!?/a-z]|PK\x03\x04|\xff\xd8\xff|\x89PNG|GIF8[79]a|This program|\n#!", re.IGNORECASE
)
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
