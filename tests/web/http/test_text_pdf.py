"""A text as PDF, read by other PDF readers."""

import io

import pikepdf
import pypdfium2
import pytest

from web.http.text_pdf import TextPdf


def printed(*paragraphs: str, bold: bool = False, title: str = "Qui a regardé") -> bytes:
    pdf = TextPdf(title, "fr")
    pieces = [pdf.start(), *(pdf.add(paragraph, bold=bold) for paragraph in paragraphs), pdf.end()]
    return b"".join(pieces)


def pages_of(raw: bytes) -> list[str]:
    """Each page's text, as PDFium reads it."""
    document = pypdfium2.PdfDocument(raw)
    texts = []
    for page in document:
        text = page.get_textpage()
        texts.append(text.get_text_range())
        text.close()
        page.close()
    document.close()
    return texts


def test_it_is_whole_for_a_strict_reader() -> None:
    raw = printed(*(f"Ligne {number}" for number in range(200)))
    with pikepdf.open(io.BytesIO(raw)) as document:
        assert document.check_pdf_syntax() == []
        assert str(document.docinfo.Title) == "Qui a regardé"
        assert str(document.Root.Lang) == "fr"
        assert len(document.pages) == 4


def test_every_line_is_there_in_order_and_pages_are_numbered() -> None:
    pages = pages_of(printed(*(f"Ligne {number}." for number in range(200))))
    text = "\n".join(pages)
    positions = [text.index(f"Ligne {number}.") for number in range(200)]
    assert positions == sorted(positions)
    assert [page.split()[-1] for page in pages] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("bold", [False, True])
def test_no_line_leaves_the_page(bold: bool) -> None:
    text = "MWŒ—@%" * 120 + " " + "Une phrase ordinaire, avec des accents éèàç. " * 40
    document = pypdfium2.PdfDocument(printed(text, bold=bold))
    page = document[0]
    drawn = page.get_textpage()
    rights = [drawn.get_charbox(at)[2] for at in range(drawn.count_chars())]
    assert max(rights) <= page.get_width() - 50
    drawn.close()
    page.close()
    document.close()


def test_what_is_special_to_pdf_is_only_text() -> None:
    hostile = r"(fin) \) Tj ET >> stream endstream endobj %%EOF <hex> /Name"
    (page,) = pages_of(printed(hostile))
    assert " ".join(page.split()[:-1]) == hostile


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("L’œuvre coûte 5 €", "L’œuvre coûte 5 €"),
        ("Nguyễn Thị Ái", "Nguyen Thi Ái"),
        ("Łukasz Đặng Ţepeş", "Lukasz Dang Tepes"),
        ("محمد", "????"),
        ("é décomposé", "é décomposé"),
    ],
)
def test_letters_it_has_not_lose_their_accents(text: str, read: str) -> None:
    (page,) = pages_of(printed(text))
    assert " ".join(page.split()[:-1]) == read


def test_nothing_to_say_is_still_a_page() -> None:
    assert len(pages_of(printed())) == 1
