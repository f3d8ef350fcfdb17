"""Photos inside the content of a page are cleaned as others are, and look as they did."""

import base64
import io
import time
import zlib
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
from pikepdf import Name
from PIL import Image

from tests.vault.decoding import corpus
from vault.decoding import pdf_inline_images, pdfs
from vault.decoding.media import Carries, Limits, Note

PHOTO = corpus.phone_jpeg(1)
CODED: dict[bytes, Callable[[bytes], bytes]] = {
    b"/F /DCT": bytes,
    b"/Filter [/DCTDecode]": bytes,
    b"/F [/A85 /DCT]": lambda data: base64.a85encode(data) + b"~>",
    b"/Filter[/ASCIIHexDecode/DCTDecode]/DecodeParms[null null]": lambda data: (
        data.hex().encode() + b">"
    ),
    b"/F [/Fl /D#43T]": zlib.compress,
    b"/F [/AHx /Fl /DCT] /DP [null null <</ColorTransform 1>>]": lambda data: (
        zlib.compress(data).hex().encode() + b">"
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def _paper(entries: bytes, data: bytes, **said: object) -> bytes:
    """Its only page's content holds a photo. `said`: what the content's stream says of itself."""
    made = corpus.blank_pdf(1)
    head = b"q 320 0 0 200 100 100 cm BI /W 320 /H 200 /BPC 8 /CS /RGB " + entries + b" ID "
    made.pages[0].obj.Contents = made.make_stream(head + data + b"\nEI Q", **said)
    return corpus.pdf_bytes(
        made, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none
    )


def _content(data: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return pdf.pages[0].obj.Contents.read_bytes()


def _drawn(data: bytes) -> Image.Image:
    document = pypdfium2.PdfDocument(data)
    shown: Image.Image = document[0].render(scale=1).to_pil().convert("RGB")
    document.close()
    return shown


@pytest.mark.parametrize("entries", CODED)
def test_it_is_cleaned_inside_whatever_filters(entries: bytes) -> None:
    found = pdfs.examine(_paper(entries, CODED[entries](PHOTO)), Limits())
    assert Note.PHOTO_LOCATION_REMOVED in found.notes
    assert Carries.DETAILS in found.carries
    content = _content(found.cleaned)
    if b"/AHx" in content:  # a photo that was coded stays without bytes that look like its end
        content = bytes.fromhex(content.split(b" ID ")[1].split(b">")[0].decode())
    assert content.count(b"\xff\xd8\xff") == 1
    for word in (corpus.MAKER, corpus.COMMENT, b"GPS", b"iptc", b"moov"):
        assert word not in content
    bare = pdfs.examine(_paper(b"/F /DCT", PHOTO), Limits()).cleaned
    assert _drawn(found.cleaned).tobytes() == _drawn(bare).tobytes()
    assert len(set(_drawn(bare).crop((100, 550, 420, 740)).tobytes())) > 50


def test_content_that_says_it_is_an_image_is_content() -> None:
    made = _paper(b"/F /DCT", PHOTO, Subtype=Name.Image)
    found = pdfs.examine(made, Limits())
    assert Note.PHOTO_LOCATION_REMOVED in found.notes
    assert corpus.MAKER not in _content(found.cleaned)


@pytest.mark.parametrize("data", [b"nonsense", b"", base64.a85encode(b"no photo") + b"~>"])
def test_what_is_no_photo_stays_as_it_is(data: bytes) -> None:
    made = _paper(b"/F [/A85 /DCT]", data)
    assert _content(pdfs.examine(made, Limits()).cleaned) == _content(made)


def test_many_beginnings_without_an_image_cost_little() -> None:
    content = b"/DCT " + b"BI " * 400_000
    started = time.process_time()
    assert pdf_inline_images.cleaned(content, lambda *_: None).data == content
    assert time.process_time() - started < 2
