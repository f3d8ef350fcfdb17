"""QR codes on the pages of a paper, of those that this service prints. Runs only inside a child."""

import zxingcpp

from vault.decoding import images, pdfs, picture_pages
from vault.decoding.media import MAX_CODE_LENGTH, MAX_CODES, Limits, MediaType

_WIDTH = 1700
"""A page of A4 at 205 dots an inch."""
_PAGES = 12
_OURS = "UNEFOIS "
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def codes_on(data: bytes, kind: MediaType, limits: Limits) -> list[str]:
    """The texts of the codes on the first pages, each once, in order. Raises as a preview does."""
    pdf = data
    if kind is not MediaType.PDF:
        pdf = picture_pages.to_pdf(images.examine(data, kind, limits).pages)
    found: dict[str, None] = {}
    for number in range(1, min(_PAGES, pdfs.count(pdf)) + 1):
        grey = pdfs.page(pdf, number, _WIDTH).convert("L")
        # Width and height are ours: nothing of the file says how its bytes are read.
        seen = memoryview(grey.tobytes()).cast("B", (grey.height, grey.width))
        for code in zxingcpp.read_barcodes(seen, formats=_QR):
            if code.text.startswith(_OURS) and len(code.text) <= MAX_CODE_LENGTH:
                found[code.text] = None
    return list(found)[:MAX_CODES]
