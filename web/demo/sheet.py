"""Drawing a page without any font of the machine: PDF's own Helvetica, rendered by pdfium."""

from collections.abc import Sequence
from io import BytesIO

import pikepdf
import pypdfium2
from PIL import Image

A4 = (595, 842)
INK = (0.12, 0.13, 0.16)
GREY = (0.47, 0.49, 0.52)
RULE = (0.80, 0.82, 0.84)
_STAMP = (0.96, 0.76, 0.76)

Colour = tuple[float, float, float]


class Sheet:
    """One page. Points, from the top left; text in Windows-1252, which French needs."""

    def __init__(self, size: tuple[int, int] = A4, background: Colour = (1, 1, 1)) -> None:
        self.width, self.height = size
        self._drawn: list[bytes] = []
        self.box(0, 0, self.width, self.height, background)
        self._stamp()

    def text(self, x: float, y: float, words: str, size: float, colour: Colour = INK) -> None:
        """One line, `y` being its top."""
        self._write(f"1 0 0 1 {x} {self.height - y - size}", words, size, colour)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""
        corner = f"{x} {self.height - y - height} {width} {height}"
        self._drawn.append(f"{_rgb(colour)} rg {corner} re f\n".encode())

    def rule(self, x: float, y: float, width: float) -> None:
        """A thin horizontal line."""
        self.box(x, y, width, 0.7, RULE)

    def content(self) -> bytes:
        """The page's content stream."""
        return b"".join(self._drawn)

    def _stamp(self) -> None:
        """SPECIMEN across the page, under the text."""
        size = self.width / 6
        x, y = self.width * 0.13, self.height * 0.5 - self.width * 0.18
        self._write(f"0.914 0.407 -0.407 0.914 {x:.1f} {y:.1f}", "SPECIMEN", size, _STAMP)

    def _write(self, matrix: str, words: str, size: float, colour: Colour) -> None:
        encoded = words.encode("cp1252")
        for special in (b"\\", b"(", b")"):
            encoded = encoded.replace(special, b"\\" + special)
        begin = f"BT {_rgb(colour)} rg /F1 {size:.1f} Tf {matrix} Tm ("
        self._drawn.append(begin.encode() + encoded + b") Tj ET\n")


def pdf(sheets: Sequence[Sheet]) -> bytes:
    """The sheets as a PDF; the same bytes each time."""
    document = pikepdf.new()
    font = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
    )
    for sheet in sheets:
        page = document.add_blank_page(page_size=(sheet.width, sheet.height))
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.Contents = document.make_stream(sheet.content())
    out = BytesIO()
    document.save(out, deterministic_id=True)
    return out.getvalue()


def picture(sheet: Sheet, scale: float) -> Image.Image:
    """The sheet as an image, `scale` pixels per point."""
    document = pypdfium2.PdfDocument(pdf([sheet]))
    page = document[0]
    bitmap = page.render(scale=scale)
    image: Image.Image = bitmap.to_pil().convert("RGB")
    for part in (bitmap, page, document):
        part.close()
    return image


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part:.2f}" for part in colour)
