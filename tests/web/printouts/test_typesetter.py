"""Typst: tagged pages, from data that is never markup; what it may reach, and what is kept."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import segno

from base.errors import ServiceError
from base.user_text import clean_title
from tests.web.printouts.examples import ADDRESS, CHECK, FRENCH, NOW, WORKER, grant, paper, terms
from tests.web.printouts.reading import (
    MARGIN,
    PAGE_WIDTH,
    edges_of,
    elements,
    ends_of,
    faults_of,
    opened,
    starts_of,
    text_of,
)
from web.printouts import typesetter
from web.printouts.grant_receipt import receipt
from web.printouts.sheet import Section, Sheet
from web.printouts.typesetter import FOLDER, NotTypeset, in_thread, typeset

MARKUP = '#eval("1") $x^2$ *gras* _ital_ @ref <l> \\ // c /* d */ `r` [x] #read("/etc/passwd")'


def printed(sheet: Sheet, language: str = "fr") -> bytes:
    return typesetter.lay_out("sheet", sheet.data(language))


@pytest.fixture(scope="module")
def receipt_pdf() -> bytes:
    papers = {paper(7).id: paper(7, title="Carte de محمد")}
    return printed(receipt(grant(), papers, FRENCH, NOW, ADDRESS, CHECK))


def test_a_page_is_tagged_for_screen_readers(receipt_pdf: bytes, tmp_path: Path) -> None:
    with opened(receipt_pdf) as pdf:
        root = pdf.Root
        assert root.MarkInfo.Marked
        assert str(root.Lang) == "fr"
        assert root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo.Title) == "Reçu d’un accord"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
        tags = [str(element.S) for element in elements(pdf)]
        assert tags[0] == "/Document"
        assert tags.count("/Title") == 1
        assert tags.count("/H1") == 6
        assert {"/P", "/L", "/LI"} <= set(tags)
        assert all("/Alt" in one for one in elements(pdf) if pikepdf.Name.Figure == one.S)
    assert faults_of(receipt_pdf, tmp_path) == ""


def test_everything_is_read_in_its_order(receipt_pdf: bytes) -> None:
    text = text_of(receipt_pdf)
    expected = ["Reçu d’un accord", "En cours", "Qui", "Camille Moreau", "Assistante sociale",
                "CCAS de Lille", "03 20 00 00 01", "Quoi", "quittance de loyer", "Carte de محمد",
                "Pour faire quoi", "voir ces papiers", "Pourquoi", "« Demande de logement social »",
                "Jusqu’à quand", "2 mars 2027 à 10 h 05", "2 avril 2027 à 11 h 05",
                "Oui, pendant 2 ans", "Arrêter", ADDRESS, CHECK, str(grant().id)]  # fmt: skip
    places = [text.find(words) for words in expected]
    assert -1 not in places, [words for words in expected if words not in text]
    assert places == sorted(places)


def test_the_address_to_scan_is_drawn_as_it_is_printed(receipt_pdf: bytes) -> None:
    """Each module of the QR code, looked at in the middle, on the page drawn at 300 dpi."""
    with opened(receipt_pdf) as pdf:
        (figure,) = [one for one in elements(pdf) if pikepdf.Name.Figure == one.S]
        left, low, right, high = (float(side) for side in figure.A[0].BBox)
        assert len(pdf.pages) == 1
        tall = float(pdf.pages[0].mediabox[3])
    scale = 300 / 72
    drawn = pypdfium2.PdfDocument(receipt_pdf)[0].render(scale=scale).to_pil().convert("L")
    expected = [list(row) for row in segno.make_qr(CHECK, error="m").matrix_iter(border=4)]
    module = (right - left) / len(expected)
    assert module > 0.7 / 25.4 * 72, "under 0.7 mm, an old telephone does not read it"
    found = [
        [
            int(
                drawn.getpixel(
                    (
                        int((left + (x + 0.5) * module) * scale),
                        int((tall - high + (y + 0.5) * module) * scale),
                    )
                )
                < 128
            )
            for x in range(len(expected))
        ]
        for y in range(len(expected))
    ]
    assert found == expected
    assert low < high


def test_nobody_s_words_are_markup() -> None:
    named = {**WORKER, "name": MARKUP, "organisation": MARKUP}
    changed = grant(recipient=named, terms=terms(purpose=MARKUP))
    text = text_of(printed(receipt(changed, {}, FRENCH, NOW, ADDRESS, CHECK)))
    assert text.count(MARKUP) == 2
    # Its quotation marks are not those that say whose words they are.
    own = MARKUP.translate(str.maketrans('"`', "’’"))
    assert f"« {own} »" in text


@pytest.mark.parametrize("name", ["W" * 200, "é" * 200, "محمد" * 50, "aé" * 1000, "a-b" * 70])
def test_no_word_leaves_the_page(name: str) -> None:
    named = grant(recipient={**WORKER, "name": name}, terms=terms(purpose=name))
    pdf = printed(receipt(named, {}, FRENCH, NOW, ADDRESS, CHECK))
    left, right = edges_of(pdf)
    assert left >= MARGIN - 1
    assert right <= PAGE_WIDTH - MARGIN + 1
    assert text_of(pdf).count(name[0]) >= 2 * name.count(name[0])


def test_words_in_arabic_begin_at_the_right() -> None:
    """Somebody's own words go their own way; our sentences keep ours, with a name inside."""
    first, *others = "طلب", "سكن", "اجتماعي"
    arabic = " ".join((first, *others))
    section = Section("Mot", (f"{arabic} : oui.",), words=(f"{arabic}.",))
    pdf = printed(Sheet("Titre", (), (section,)))
    assert text_of(pdf).count(arabic) == 2
    assert len(ends_of(pdf, f"{others[-1]}.")) == 1, "the full stop is at the left of the last word"
    inside, own = ends_of(pdf, first)
    assert inside < PAGE_WIDTH / 2
    assert own > PAGE_WIDTH - 60


def test_numbers_keep_their_order_on_a_page_from_right_to_left() -> None:
    number, phone = str(grant().id), "03 20 00 00 01"
    sheet = Sheet("إيصال الموافقة", (f"رقم {number}", f"هاتف {phone}"), ())
    pdf = printed(sheet, "ar")
    assert len(starts_of(pdf, number)) == 1
    groups = [starts_of(pdf, group)[0] for group in phone.split()[:2]]
    assert groups == sorted(groups)
    assert ends_of(pdf, "إيصال")[0] > PAGE_WIDTH - MARGIN - 3, "the title begins at the right"


def test_a_page_in_english_says_so() -> None:
    with opened(printed(Sheet("Receipt", (), ()), "en")) as pdf:
        assert str(pdf.Root.Lang) == "en"


@pytest.mark.parametrize("title", ["\ufe0f", "\u00ad", "\u034f\ufe0e"])
def test_a_name_that_is_not_drawn_does_not_stop_a_page(title: str) -> None:
    """No name is of signs that are not seen alone; one of before may be: it is kept as it was
    typed, and so is one with a letter before them."""
    assert (clean_title(title), clean_title(f"a{title}")) == (None, f"a{title}")
    with opened(printed(Sheet(title, ("Oui.",), (), foot="Fiche"))) as pdf:
        assert str(pdf.docinfo.Title) == "Unefois"


def test_a_template_uses_only_its_neighbours() -> None:
    """No package (Typst would fetch it), no file elsewhere, nothing that runs what it is given."""
    for file in FOLDER.glob("*.typ"):
        source = file.read_text(encoding="utf-8")
        for imported in re.findall(r'#?(?:import|include) "([^"]*)"', source):
            assert (FOLDER / imported).parent == FOLDER
            assert not (FOLDER / imported).is_symlink()
        assert not re.search(r"\b(?:eval|plugin|read)\(|\bimage\((?!bytes\()", source)


async def test_a_refused_page_repeats_nothing() -> None:
    """Typst's own message has the words of the page in it."""
    data: dict[str, Any] = {**Sheet("Titre", (), ()).data("fr"), "introduction": ["secret 王"]}
    with pytest.raises(NotTypeset) as caught:
        await in_thread(typeset, "sheet", data)
    shown = caught.getrepr(chain=True)
    assert "王" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert shown is not None


async def test_who_waits_too_long_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetter, "QUEUE_SECONDS", 0.0)
    typesetter.pool.cache_clear()
    data = Sheet("Titre", (), ()).data("fr")
    try:
        answers = await asyncio.gather(
            *(in_thread(typeset, "sheet", data) for _ in range(6)), return_exceptions=True
        )
    finally:
        typesetter.pool.cache_clear()
    late = [one for one in answers if isinstance(one, ServiceError)]
    assert late
    assert {(one.kind.value, one.code) for one in late} == {("unavailable", "unavailable")}


def test_nothing_of_a_page_is_kept_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typst drops what ten runs did not use."""
    ran: list[str] = []
    run = typesetter.lay_out

    def counted(template: str, data: dict[str, Any]) -> bytes:
        ran.append(template)
        return run(template, data)

    monkeypatch.setattr(typesetter, "lay_out", counted)
    typeset("sheet", Sheet("Titre", (), ()).data("fr"))
    assert ran == ["sheet", *["blank"] * 10]
