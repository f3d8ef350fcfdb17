"""What a file is that is no paper we take, from its first bytes: a word, for what to do. Pure.

Nothing is allowed or refused by it (`sniff.media_type` does); a wrong guess costs a less useful
sentence.
"""

import re

_HEADERS = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:from|to|subject|date|received|return-path|delivered-to|mime-version|"
    rb"message-id|x-[a-z-]+|dkim-signature|arc-[a-z-]+)\s?:[ \t]",
    re.IGNORECASE,
)
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|\?xml|svg)\b", re.I)
_TEXT = re.compile(rb"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]*")
_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x1aE\xdf\xa3", "video"),  # Matroska, WebM
    (b"\x00\x00\x01\xba", "video"),  # MPEG
    (b"\x00\x00\x01\xb3", "video"),
    (b"FLV\x01", "video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),  # Windows Media
    (b"ID3", "sound"),
    (b"OggS", "sound"),
    (b"fLaC", "sound"),
    (b"#!AMR", "sound"),
    (b"\xff\xfb", "sound"),
    (b"\xff\xf1", "sound"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),  # Word and Excel of before, Outlook
    (b"{\\rtf", "office"),
    (b"Rar!\x1a\x07", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"8BPS", "picture"),
    (b"\x00\x00\x00\x0cJXL ", "picture"),
    (b"\x00\x00\x00\x0cjP  ", "picture"),
    (b"\xff\x0a", "picture"),
)
_IN_RIFF = {b"AVI ": "video", b"WAVE": "sound"}
# QuickTime of before begins with any of its boxes.
_QUICKTIME_BOXES = frozenset({b"moov", b"mdat", b"wide", b"skip", b"free", b"pnot"})
_PICTURE_BRANDS = frozenset({b"avif", b"avis", b"mif1", b"mif2", b"msf1", b"hevc", b"crx "})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
# A word processor's ZIP names one of these among its first entries.
_OFFICE_ENTRIES = (
    b"[Content_Types].xml",
    b"_rels/",
    b"word/",
    b"xl/",
    b"ppt/",
    b"mimetypeapplication/vnd.",
    b"Index/Document.iwa",
)


def describe(head: bytes) -> str:
    """`video`, `sound`, `office`, `archive`, `web_page`, `email`, `picture`, `text`; empty for
    anything else. `head`: the first bytes of a file, 4096 or all of them."""
    for start, word in _STARTS:
        if head.startswith(start):
            return word
    if head.startswith(b"RIFF"):
        return _IN_RIFF.get(head[8:12], "")
    if head.startswith(b"PK\x03\x04"):
        return "office" if any(entry in head for entry in _OFFICE_ENTRIES) else "archive"
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if head[4:8] in _QUICKTIME_BOXES:
        return "video"
    return _of_text(head)


def _of_brand(brand: bytes) -> str:
    if brand in _PICTURE_BRANDS:
        return "picture"
    return "sound" if brand in _SOUND_BRANDS else "video"


def _of_text(head: bytes) -> str:
    if not head.strip() or not _TEXT.fullmatch(head):
        return ""
    markup = _MARKUP.match(head)
    if markup:
        return "picture" if b"<svg" in head.lower() else "web_page"
    return "email" if _HEADERS.match(head) else "text"
