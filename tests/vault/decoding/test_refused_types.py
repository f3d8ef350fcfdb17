"""What a refused file is, so that its sender is told what to do."""

import io
import struct
import zipfile

import pytest

from tests.vault.decoding import corpus
from vault.decoding.refused_types import describe
from vault.decoding.sniff import media_type
from web.i18n import refused_types
from web.i18n.translations import translations


def _ftyp(brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand)


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name in names:
            bundle.writestr(name, "application/vnd.oasis.opendocument.text")
    return out.getvalue()


FILES = {
    "video": [
        _ftyp(b"qt  "), _ftyp(b"isom"), _ftyp(b"mp42"), _ftyp(b"3gp5"), _ftyp(b"M4V "),
        struct.pack(">I4s", 8, b"wide") + b"\0\0\1\0mdat", struct.pack(">I4s", 900, b"moov"),
        b"\x1aE\xdf\xa3\x01", b"RIFF\x24\x00\x00\x00AVI LIST", corpus.REFUSED["quicktime"],
    ],
    "sound": [_ftyp(b"M4A "), b"ID3\x04", b"OggS\0", corpus.REFUSED["wav"], b"#!AMR\n"],
    "office": [
        _zip("[Content_Types].xml", "word/document.xml"), _zip("mimetype", "content.xml"),
        corpus.REFUSED["ole"], b"{\\rtf1\\ansi Bonjour}", _zip("_rels/.rels"),
    ],
    "archive": [
        _zip("a.jpg", "b.jpg"), b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08",
    ],
    "web_page": [
        b"<!DOCTYPE html><html>", b"\xef\xbb\xbf\r\n<html lang=fr>", b"<?xml version='1.0'?><a/>",
    ],
    "email": [
        b"From: a@b.example\r\nSubject: papier\r\n\r\n", b"Received: from x (y)\r\n by z\r\n",
    ],
    "picture": [
        b"GIF89a", corpus.REFUSED["avif"], corpus.REFUSED["jpeg_xl"], corpus.REFUSED["svg"],
        b"BM\x36\x00",
    ],
    "text": [corpus.REFUSED["text"], "Né le 5 mars, à Lille.\n".encode(), "été".encode("latin-1")],
    "": [corpus.REFUSED["executable"], bytes(50), b"", b"\x00\x01\x02", b"RIFF\0\0\0\0QLCM"],
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_what_a_refused_file_is(what: str) -> None:
    for head in FILES[what]:
        assert media_type(head) is None
        assert describe(head) == what, head


def test_each_has_words_in_both_languages() -> None:
    assert set(refused_types.MESSAGES) == set(FILES) - {""}
    english = translations("en").gettext
    for message in refused_types.MESSAGES.values():
        for text in (message.title, message.detail, message.what_to_do):
            assert english(text) != text
