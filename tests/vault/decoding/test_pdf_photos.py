"""Photos inside PDFs that are written in odd ways still say only what they show."""

import base64
import io
import struct
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from tests.vault.decoding import corpus
from vault.decoding import pdfs
from vault.decoding.media import Carries, Limits, Note

PHOTO = corpus.plain_jpeg(exif=corpus.exif())
SECRET = b"48.85 N 2.35 E"
INLINE = b"q 99 0 0 99 9 9 cm BI /W 320 /H 200 /BPC 8 /CS /RGB "


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    pdfs.prepare()


def image(pdf: pikepdf.Pdf, data: bytes = PHOTO, **entries: object) -> pikepdf.Object:
    stream = pikepdf.Stream(pdf, data)
    stream.stream_dict.update(
        Dictionary(
            Subtype=Name.Image, Width=320, Height=200, BitsPerComponent=8, ColorSpace=Name.DeviceRGB
        )
    )
    stream.stream_dict.Filter = Name.DCTDecode
    for key, value in entries.items():
        stream.stream_dict["/" + key] = value
    return pdf.make_indirect(stream)


def showing(data: bytes = PHOTO, **entries: object) -> pikepdf.Pdf:
    pdf = corpus.blank_pdf()
    pdf.pages[0].obj.Resources.XObject = Dictionary(I=image(pdf, data, **entries))
    pdf.pages[0].obj.Contents = pdf.make_stream(b"/I Do")
    return pdf


def writing(content: bytes) -> pikepdf.Pdf:
    pdf = corpus.blank_pdf()
    pdf.pages[0].obj.Contents = pdf.make_stream(content)
    return pdf


def _a_profile_too() -> pikepdf.Pdf:
    pdf = showing()
    held = pdf.pages[0].obj.Resources
    held.ColorSpace = Dictionary(C=Array([Name.ICCBased, held.XObject.I]))
    return pdf


def _content_that_is_a_profile_too() -> pikepdf.Pdf:
    pdf = writing(INLINE + b"/F /DCT ID " + PHOTO + b" EI Q")
    page = pdf.pages[0].obj
    page.Resources.ColorSpace = Dictionary(C=Array([Name.ICCBased, page.Contents]))
    return pdf


def _content_that_says_it_is_an_image() -> pikepdf.Pdf:
    pdf = writing(INLINE + b"/F /DCT ID " + PHOTO + b" EI Q")
    pdf.pages[0].obj.Contents.stream_dict.update(
        Dictionary(Subtype=Name.Image, Width=4000, Height=4)
    )
    return pdf


def _inline(filters: bytes, coded: bytes) -> pikepdf.Pdf:
    return writing(INLINE + b"/F " + filters + b" ID " + coded + b" EI Q")


LOCATED: dict[str, Callable[[], pikepdf.Pdf]] = {
    "an image that a colour space names as its profile": _a_profile_too,
    "content that a colour space names as its profile": _content_that_is_a_profile_too,
    "content that says it is an image": _content_that_says_it_is_an_image,
    "inline in digits": lambda: _inline(b"[/AHx /DCT]", PHOTO.hex().encode() + b">"),
    "inline in letters": lambda: _inline(b"[/A85 /DCT]", base64.a85encode(PHOTO) + b"~>"),
    "inline and deflated": lambda: _inline(b"[/Fl /DCT]", zlib.compress(PHOTO, 9)),
    "inline, the filter's name in codes": lambda: _inline(
        b"[/#41Hx /D#43T]", PHOTO.hex().encode() + b">"
    ),
    "inline, after a stray byte": lambda: _inline(b"/DCT", PHOTO[:2] + b" " + PHOTO[2:]),
}


@pytest.mark.parametrize("make", LOCATED.values(), ids=LOCATED.keys())
def test_where_a_photo_was_taken_does_not_leave(make: Callable[[], pikepdf.Pdf]) -> None:
    found = pdfs.examine(corpus.pdf_bytes(make(), compress_streams=False), Limits())
    assert Note.PHOTO_LOCATION_REMOVED in found.notes
    for told in _all_data(found.cleaned):
        assert b"Exif" not in told


def _all_data(data: bytes) -> list[bytes]:
    """Of every stream as it stands, undone, and with digits and letters undone."""
    found = []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                found.append(thing.read_raw_bytes())
                if thing.get("/Filter") != Name.DCTDecode:
                    found.append(thing.read_bytes())
    for each in list(found):
        digits = each.partition(b" ID ")[2].partition(b">")[0]
        if digits and not digits.strip(b"0123456789abcdef"):
            found.append(bytes.fromhex(digits.decode()))
    return found


def _jbig2(*more: bytes) -> bytes:
    page = struct.pack(">IBBBI", 0, 48, 0, 1, 19) + struct.pack(">IIIIBH", 8, 8, 0, 0, 0, 0)
    return page + b"".join(more)


def _comment() -> bytes:
    content = struct.pack(">I", 0x20000000) + b"Place\0" + SECRET + b"\0\0"
    return struct.pack(">IBBBI", 1, 62, 0, 1, len(content)) + content


def _shared_comment() -> pikepdf.Pdf:
    pdf = showing(_jbig2(), Filter=Name.JBIG2Decode, Width=8, Height=8, BitsPerComponent=1)
    held = pdf.pages[0].obj.Resources.XObject.I.stream_dict
    held.DecodeParms = Dictionary(JBIG2Globals=pdf.make_stream(_comment()))
    return pdf


_ONE_BIT = {"Width": 8, "Height": 8, "BitsPerComponent": 1, "ColorSpace": Name.DeviceGray}
_INK = Array([Name.Separation, Name.Red, Name.DeviceGray, Dictionary(FunctionType=2, N=1)])
_INK[3].Domain = Array([0, 1])
_DEFLATED: dict[str, object] = {"Width": 8, "Height": 8, "Filter": Name.FlateDecode}
HIDING: dict[str, Callable[[], pikepdf.Pdf]] = {
    "a comment of JBIG2": lambda: showing(_jbig2(_comment()), Filter=Name.JBIG2Decode, **_ONE_BIT),
    "a comment that JBIG2 images share": _shared_comment,
    "after a fax": lambda: showing(
        b"\x00\x10\x01\x00\x10\x01" + SECRET,
        Filter=Name.CCITTFaxDecode,
        DecodeParms=Dictionary(K=-1, Columns=8, Rows=8),
        **_ONE_BIT,
    ),
    "after the samples of an ink": lambda: showing(
        zlib.compress(bytes(64) + SECRET), ColorSpace=_INK, **_DEFLATED
    ),
    "after samples with a list of parameters": lambda: showing(
        zlib.compress(bytes(192) + SECRET), DecodeParms=Array([Dictionary()]), **_DEFLATED
    ),
}


@pytest.mark.parametrize("make", HIDING.values(), ids=HIDING.keys())
def test_what_an_image_holds_besides_does_not_leave(make: Callable[[], pikepdf.Pdf]) -> None:
    found = pdfs.examine(corpus.pdf_bytes(make(), compress_streams=False), Limits())
    assert Carries.DETAILS in found.carries
    assert not any(SECRET in told for told in _all_images(found.cleaned))


def _all_images(data: bytes) -> list[bytes]:
    found = []
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                raw = thing.read_raw_bytes()
                found += [raw, zlib.decompress(raw) if raw[:1] == b"\x78" else b""]
    return found
