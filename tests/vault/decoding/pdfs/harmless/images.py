"""Harmless PDFs of scans and photos."""

import io
import struct
from collections.abc import Callable

import img2pdf
import pikepdf
from pikepdf import Array, Dictionary, Name, Object
from PIL import Image

from tests.vault.decoding.corpus import pdf_bytes, picture
from tests.vault.decoding.pdfs.harmless.drawings import add_page

_SIZE = (120, 80)


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def _scan(mode: str = "RGB") -> Image.Image:
    return picture(*_SIZE, mode=mode)


def _placed(data: bytes) -> bytes:
    layout = img2pdf.get_layout_fun((img2pdf.mm_to_pt(74), img2pdf.mm_to_pt(105)))
    made: bytes = img2pdf.convert(data, layout_fun=layout)
    return made


def _of(mode: str, form: str, **options: object) -> Callable[[], bytes]:
    return lambda: _placed(_saved(_scan(mode), form, **options))


def _by_pillow(*modes: str) -> Callable[[], bytes]:
    def make() -> bytes:
        first, *rest = (_scan(mode) for mode in modes)
        return _saved(first, "PDF", save_all=True, append_images=rest, resolution=100)

    return make


def _image(pdf: pikepdf.Pdf, data: bytes, space: object, **entries: object) -> Object:
    image = pikepdf.Stream(pdf, data)
    image.stream_dict.update(
        Dictionary(
            Type=Name.XObject,
            Subtype=Name.Image,
            Width=_SIZE[0],
            Height=_SIZE[1],
            BitsPerComponent=8,
            ColorSpace=space,
            **entries,
        )
    )
    return pdf.make_indirect(image)


_SHOWN = b"0.9 0.9 0.4 rg 0 0 298 420 re f 0 0 0.6 rg q 240 0 0 160 20 200 cm /I Do Q"


def _shown(make: Callable[[pikepdf.Pdf], Object]) -> Callable[[], bytes]:
    def draw() -> bytes:
        pdf = pikepdf.new()
        add_page(pdf, _SHOWN, XObject=Dictionary(I=make(pdf)))
        return pdf_bytes(pdf)

    return draw


def _soft_mask(pdf: pikepdf.Pdf) -> Object:
    mask = _image(pdf, _scan("L").tobytes(), Name.DeviceGray)
    return _image(pdf, _scan().tobytes(), Name.DeviceRGB, SMask=mask)


def _colour_mask(pdf: pikepdf.Pdf) -> Object:
    return _image(pdf, _scan("L").tobytes(), Name.DeviceGray, Mask=Array([0, 90]))


def _stencil(pdf: pikepdf.Pdf) -> Object:
    image = _image(pdf, _scan("1").tobytes(), Name.DeviceGray, ImageMask=True)
    image.stream_dict.BitsPerComponent = 1
    del image.stream_dict["/ColorSpace"]
    return image


def _explicit_mask(pdf: pikepdf.Pdf) -> Object:
    return _image(pdf, _scan().tobytes(), Name.DeviceRGB, Mask=_stencil(pdf))


def _indexed(pdf: pikepdf.Pdf) -> Object:
    image = _scan().quantize(16)
    palette = bytes(image.getpalette()[:48])
    space = Array([Name.Indexed, Name.DeviceRGB, 15, pdf.make_stream(palette)])
    return _image(pdf, image.tobytes(), space)


def _inverted(pdf: pikepdf.Pdf) -> Object:
    return _image(pdf, _scan("L").tobytes(), Name.DeviceGray, Decode=Array([1, 0]))


def _deep(pdf: pikepdf.Pdf) -> Object:
    data = b"".join(bytes([value, 0]) for value in _scan("L").tobytes())
    image = _image(pdf, data, Name.DeviceGray)
    image.stream_dict.BitsPerComponent = 16
    return image


def _jpeg_twice_coded(pdf: pikepdf.Pdf) -> Object:
    data = _saved(_scan(), "JPEG", quality=80).hex().encode() + b">"
    image = _image(pdf, data, Name.DeviceRGB)
    image.stream_dict.Filter = Array([Name.ASCIIHexDecode, Name.DCTDecode])
    return image


def _jpeg_of_inks(pdf: pikepdf.Pdf) -> Object:
    data = _saved(_scan("CMYK"), "JPEG", quality=80)
    image = _image(pdf, data, Name.DeviceCMYK, Decode=Array([1, 0] * 4))
    image.stream_dict.Filter = Name.DCTDecode
    return image


def _jpeg2000(pdf: pikepdf.Pdf) -> Object:
    image = _image(pdf, _saved(_scan(), "JPEG2000"), Name.DeviceRGB)
    image.stream_dict.Filter = Name.JPXDecode
    return image


def _facsimile() -> bytes:
    """The scan in ITU-T T.6, without the TIFF around it."""
    out = Image.open(io.BytesIO(_saved(_scan("1"), "TIFF", compression="group4")))
    offset, length = out.tag_v2[273][0], out.tag_v2[279][0]  # type: ignore[attr-defined]
    return out.fp.getvalue()[offset : offset + length]  # type: ignore[union-attr]


def _jbig2(pdf: pikepdf.Pdf) -> Object:
    """One page of one generic region (ITU-T T.88 §7.4.6) that is coded as a facsimile."""
    width, height = _SIZE
    page = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIB", width, height, 0, 0, 0) + b"\x01" + _facsimile()
    data = struct.pack(">IBBBI", 0, 48, 0, 1, len(page)) + page
    data += struct.pack(">IBBBI", 1, 38, 0, 1, len(region)) + region
    image = _image(pdf, data, Name.DeviceGray)
    image.stream_dict.BitsPerComponent, image.stream_dict.Filter = 1, Name.JBIG2Decode
    return image


def _inline() -> bytes:
    pdf = pikepdf.new()
    data = _scan("L").tobytes().hex().encode() + b">"
    head = b"q 240 0 0 160 20 200 cm BI /W %d /H %d /BPC 8 /CS /G /F /AHx ID " % _SIZE
    add_page(pdf, head + data + b" EI Q")
    return pdf_bytes(pdf)


def _profiled() -> bytes:
    from tests.vault.decoding.corpus import profile

    return _placed(_saved(_scan(), "JPEG", quality=90, icc_profile=profile()))


MAKERS: dict[str, Callable[[], bytes]] = {
    "colour scan": _of("RGB", "JPEG", quality=85),
    "progressive scan": _of("RGB", "JPEG", quality=85, progressive=True),
    "grey scan": _of("L", "JPEG"),
    "scan of inks": _of("CMYK", "JPEG"),
    "facsimile": _of("1", "TIFF", compression="group4"),
    "lossless scan": _of("RGB", "PNG"),
    "palette": _of("P", "PNG"),
    "black and white": _of("1", "PNG"),
    "JPEG 2000": _of("RGB", "JPEG2000"),
    "pages by Pillow": _by_pillow("RGB", "L", "1", "CMYK"),
    "soft mask": _shown(_soft_mask),
    "colour mask": _shown(_colour_mask),
    "stencil": _shown(_stencil),
    "explicit mask": _shown(_explicit_mask),
    "indexed": _shown(_indexed),
    "inverted": _shown(_inverted),
    "sixteen bits": _shown(_deep),
    "JPEG coded twice": _shown(_jpeg_twice_coded),
    "JPEG of inks": _shown(_jpeg_of_inks),
    "JPEG 2000 by hand": _shown(_jpeg2000),
    "JBIG2": _shown(_jbig2),
    "inline image": _inline,
    "scan with a profile": _profiled,
}
