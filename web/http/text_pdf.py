"""A text as PDF, written page by page in constant memory: A4, Helvetica, WinAnsi letters. Pure.

PDF 1.4 (ISO 32000-1): the fonts are among the fourteen that every reader has, so nothing is
embedded. Letters beyond Windows-1252 lose their accents, or become `?`.
"""

import unicodedata
from collections.abc import Iterator
from io import BytesIO

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 56
_LEADING = 1.35
_CATALOG, _PAGES, _PLAIN, _BOLD, _INFO = 1, 2, 3, 4, 5
# Widths of Helvetica, in thousandths of its size, from U+0020 to U+007E (Adobe's font metrics).
_ASCII_LIST = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556"
    " 556 556 556 278 278 584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833"
    " 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 333 556 556 500 556"
    " 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334"
    " 260 334 584"
)
_ASCII_WIDTHS = dict(zip(map(chr, range(0x20, 0x7F)), map(int, _ASCII_LIST.split()), strict=True))
_OTHER_WIDTHS = {"’": 222, "‘": 222, "«": 556, "»": 556, "\u00a0": 278, "·": 278, "°": 400}
# Letters with a stroke, which Unicode does not decompose.
_STROKED = str.maketrans("ŁłĐđĦħŦŧƵƶ", "LlDdHhTtZz")
_UNKNOWN_WIDTH = 1000
_BOLD_FACTOR = 1.1


class TextPdf:
    """Takes paragraphs, returns bytes to send: `start`, `add` for each paragraph, then `end`."""

    def __init__(self, title: str, language: str) -> None:
        self._title = title
        self._language = language
        self._sent = 0
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._next = _INFO + 1
        self._content = BytesIO()
        self._top: float = _HEIGHT - _MARGIN

    def start(self) -> bytes:
        """What comes before the first page: header, fonts, title."""
        head = self._count(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        for number, name in ((_PLAIN, b"Helvetica"), (_BOLD, b"Helvetica-Bold")):
            head += self._object(
                number,
                b"<< /Type /Font /Subtype /Type1 /BaseFont /%b /Encoding /WinAnsiEncoding >>"
                % name,
            )
        return head + self._object(_INFO, b"<< /Title %b >>" % _text_string(self._title))

    def add(self, text: str, *, size: float = 10, bold: bool = False, space: float = 0) -> bytes:
        """Add a paragraph, `space` points below the last; returns the pages that it completes."""
        completed = b""
        lines = list(_wrapped(text, (_WIDTH - 2 * _MARGIN) / size, bold))
        self._top -= space
        for line in lines:
            if self._top - size < _MARGIN:
                completed += self._page()
            self._top -= size * _LEADING
            font = b"/B" if bold else b"/P"
            self._content.write(
                b"BT %b %.1f Tf %d %.1f Td <%b> Tj ET\n"
                % (font, size, _MARGIN, self._top, _cp1252(line).hex().encode())
            )
        return completed

    def end(self) -> bytes:
        """The last page, the page tree and the cross-reference table."""
        out = self._page()
        kids = b" ".join(b"%d 0 R" % number for number in self._pages)
        out += self._object(
            _PAGES, b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(self._pages))
        )
        out += self._object(
            _CATALOG,
            b"<< /Type /Catalog /Pages %d 0 R /Lang (%b)"
            b" /ViewerPreferences << /DisplayDocTitle true >> >>"
            % (_PAGES, self._language.encode("ascii")),
        )
        table = self._sent
        rows = b"".join(b"%010d 00000 n \n" % self._offsets[n] for n in range(1, self._next))
        return out + (
            b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root %d 0 R /Info %d 0 R"
            b" >>\nstartxref\n%d\n%%%%EOF\n"
            % (self._next, rows, self._next, _CATALOG, _INFO, table)
        )

    def _page(self) -> bytes:
        """Ends the current page, with its number at its foot."""
        foot = str(len(self._pages) + 1).encode()
        self._content.write(b"BT /P 8 Tf %d 30 Td (%b) Tj ET\n" % (_WIDTH // 2, foot))
        stream = self._content.getvalue()
        content, page = self._next, self._next + 1
        self._next += 2
        self._pages.append(page)
        self._content = BytesIO()
        self._top = _HEIGHT - _MARGIN
        return self._object(
            content, b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream)
        ) + self._object(
            page,
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R"
            b" /Resources << /Font << /P %d 0 R /B %d 0 R >> >> >>"
            % (_PAGES, _WIDTH, _HEIGHT, content, _PLAIN, _BOLD),
        )

    def _object(self, number: int, body: bytes) -> bytes:
        self._offsets[number] = self._sent
        return self._count(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _count(self, data: bytes) -> bytes:
        self._sent += len(data)
        return data


def _wrapped(text: str, max_width: float, bold: bool) -> Iterator[str]:
    """The text in lines of at most `max_width` ems; a longer word is cut."""
    line, width = "", 0.0
    for word in text.split():
        while (length := _width(word, bold)) > max_width:
            fits = max(1, int(len(word) * max_width / length * 0.9))
            if line:
                yield line
                line, width = "", 0.0
            yield word[:fits]
            word = word[fits:]  # noqa: PLW2901  (the rest of it)
        added = length + (_width(" ", bold) if line else 0)
        if line and width + added > max_width:
            yield line
            line, width, added = "", 0.0, length
        line, width = f"{line} {word}" if line else word, width + added
    yield line


def _width(text: str, bold: bool) -> float:
    """In ems; never underestimated."""
    thousandths = sum(_width_of(letter) for letter in text)
    return thousandths / 1000 * (_BOLD_FACTOR if bold else 1)


def _width_of(letter: str) -> int:
    width = _ASCII_WIDTHS.get(letter) or _OTHER_WIDTHS.get(letter)
    if width is None:
        base = unicodedata.normalize("NFKD", letter)[0]
        width = _ASCII_WIDTHS.get(base, _UNKNOWN_WIDTH)
    return width


def _cp1252(text: str) -> bytes:
    """In Windows-1252; other letters without their accents, or as `?`."""
    out = b""
    for letter in unicodedata.normalize("NFC", text).translate(_STROKED):
        try:
            out += letter.encode("cp1252")
        except UnicodeEncodeError:
            base = unicodedata.normalize("NFKD", letter)[0]
            out += base.encode("cp1252", "replace")
    return out


def _text_string(text: str) -> bytes:
    """A string of the file's properties: UTF-16 with a byte order mark, in hexadecimal."""
    return b"<%b>" % (b"\xfe\xff" + text.encode("utf-16-be")).hex().encode()
