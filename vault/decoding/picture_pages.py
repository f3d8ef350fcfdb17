"""Pictures as the pages of a PDF, looking as they do alone. Runs only inside a child."""

import io

import img2pdf
from PIL import Image

from vault.decoding import image_colours, images

_A4 = (img2pdf.mm_to_pt(210), img2pdf.mm_to_pt(297))
_MIRRORED = frozenset({2, 4, 5, 7})
_ORIENTATION = 0x0112
_INTERLACE = 28
"""Where a PNG says that its rows are interlaced: its first chunk is always the same."""


def to_pdf(pages: tuple[bytes, ...]) -> bytes:
    """A PDF of A4 pages, upright. `pages`: JPEG and PNG of `images.Picture`; those that PDF can
    embed are not encoded again."""
    pdf: bytes = img2pdf.convert(
        [_embeddable(page) for page in pages],
        layout_fun=img2pdf.get_layout_fun(_A4, fit=img2pdf.FitMode.into, auto_orient=True),
        rotation=img2pdf.Rotation.ifvalid,
        nodate=True,
        producer="",
    )
    return pdf


def _embeddable(page: bytes) -> bytes:
    """The page, encoded again if PDF cannot hold it as it is: mirrored, transparent, interlaced,
    with a palette, of 16 bits."""
    with Image.open(io.BytesIO(page), formats=("JPEG", "PNG")) as image:
        turned = image.getexif().get(_ORIENTATION, 1)
        plain = image.mode in {"1", "L", "RGB"} and not image.has_transparency_data
        if image.format == "PNG":
            plain = plain and page[_INTERLACE] == 0 and turned == 1
        if plain and turned not in _MIRRORED:
            return page
        shown = images.upright(image_colours.as_browsers_show(image), turned)
        return images.encode(shown, lossless_bilevel=True)
