"""Files that every reader opens are taken and mended; what is cut short or is two files is not."""

import re
from collections.abc import Callable

import pytest

from tests.vault.decoding import corpus, pdf_inputs
from vault.decoding import pdfs, sniff
from vault.decoding.media import Limits, MediaType, Note, Undecodable


def _examined(data: bytes) -> pdfs.PdfPages:
    return pdfs.examine(data, Limits())


@pytest.mark.parametrize(
    "before",
    [
        b"\n",
        b"\xef\xbb\xbf",
        b"TEXTmdos \x00\x01",
        b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n",
        b"Content-Type: application/pdf\r\n\r\n",
        b"x" * 1000,
    ],
)
def test_bytes_before_the_header_are_cut(before: bytes) -> None:
    data = before + pdf_inputs.classic_pdf()
    assert sniff.media_type(data) is MediaType.PDF
    found = _examined(data)
    assert Note.PDF_TRAILING_DATA_REMOVED in found.notes
    assert found.cleaned.startswith(b"%PDF-")
    assert found.body.data == pdf_inputs.classic_pdf()


@pytest.mark.parametrize(
    "before",
    [
        corpus.plain_jpeg()[:600],
        corpus.zip_file()[:300],
        b"x" + corpus.zip_file()[:300],
        b"<html><body>\n",
        b"\n\n<svg xmlns='http://www.w3.org/2000/svg'>",
        b"hello <script>alert(1)</script>",
        b"MZ\x90\x00This program cannot be run in DOS mode",
        b"#!/bin/sh\nexit\n",
        b"\x7fELF\x02\x01\x01",
        b"GIF89a",
        b"%!PS-Adobe-3.0\n",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"x" * 1100,
    ],
)
def test_another_file_before_the_header_is_refused(before: bytes) -> None:
    assert sniff.media_type(before + pdf_inputs.classic_pdf()) is not MediaType.PDF
    with pytest.raises(Undecodable):
        _examined(before + pdf_inputs.classic_pdf())


def test_a_zip_around_a_pdf_is_refused() -> None:
    with pytest.raises(Undecodable):
        _examined(b"some text\n" + pdf_inputs.classic_pdf() + corpus.zip_file())


@pytest.mark.parametrize("make", [pdf_inputs.classic_pdf, corpus.pdf, pdf_inputs.revised_pdf])
@pytest.mark.parametrize("end", [b"%%E", b"%", b"", b"\r\n"])
def test_a_missing_end_is_mended(make: Callable[[], bytes], end: bytes) -> None:
    whole = make()
    pages = _examined(whole).part.pages
    cut = whole[: whole.rindex(b"%%EOF")] + end
    assert _examined(cut).part.pages == pages
    assert _examined(cut).cleaned == _examined(whole).cleaned


def test_a_trailer_without_a_size_is_mended() -> None:
    without = re.sub(rb"/Size \d+", b"", pdf_inputs.classic_pdf())
    copy = _examined(without).cleaned
    assert _examined(copy).cleaned == copy


def test_a_table_that_leads_nowhere_is_mended() -> None:
    whole = pdf_inputs.classic_pdf()
    wrong = re.sub(rb"startxref\n\d+", b"startxref\n7", whole)
    assert _examined(wrong).part.pages == 2
    without = whole[: whole.rindex(b"startxref")]
    assert _examined(without).part.pages == 2


@pytest.mark.parametrize("make", [pdf_inputs.classic_pdf, corpus.pdf, pdf_inputs.photo_pdf])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.9, 0.98])
def test_a_file_cut_short_is_refused(make: Callable[[], bytes], share: float) -> None:
    whole = make()
    objects_end = whole.rindex(b"endobj")
    with pytest.raises(Undecodable):
        _examined(whole[: int(objects_end * share)])


def test_a_revision_cut_short_is_refused() -> None:
    whole = pdf_inputs.revised_pdf()
    first, objects_end = whole.index(b"%%EOF") + 6, whole.rindex(b"endobj")
    for cut in range(first + 8, objects_end, 7):
        with pytest.raises(Undecodable):
            _examined(whole[:cut])
