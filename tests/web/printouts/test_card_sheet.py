"""A printed card, as it is scanned: drawn as a grey scan with noise and a stain, read by ZXing."""

import asyncio
import random
from itertools import pairwise
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw

from auth import card_codes
from base.errors import ErrorKind, ServiceError
from tests.web.printouts.reading import elements, faults_of, opened, places_of, text_of
from web.i18n.translations import LANGUAGES
from web.printouts import typesetter
from web.printouts.card_sheet import CardSheet, address_of
from web.printouts.typesetter import lay_out, reserved_thread

CODE, SECRET = "7QK0-0000-1111-2222-333Z", "7QK" + "0123456789ABCDEFGHJKMNPQRS" + "Z"
PLACE = "https://unefois.ccas-de-lille.example"
ADDRESS = f"{PLACE}/#{SECRET}"
POINTS_IN_MM = 72 / 25.4
DPI = 200
SEVERE = "http" + "s://" + "x" * 60 + ".example"


def sheet(address: str = ADDRESS, name: str | None = None, phone: str | None = None) -> CardSheet:
    return CardSheet(CODE, address, name, phone)


def pdf_of(card: CardSheet, language: str = "fr") -> bytes:
    return lay_out("card", card.data(language))


def scanned(pdf: bytes, dpi: int = DPI) -> Image.Image:
    """The page in grey, as a scanner of those dots an inch gives it."""
    (page,) = pypdfium2.PdfDocument(pdf)
    image: Image.Image = page.render(scale=dpi / 72).to_pil()
    return image.convert("L")


def worn(image: Image.Image, seed: int, stain_mm: float = 5) -> Image.Image:
    """With noise all over, and a dark stain on each QR, in another place for each seed."""
    chance = random.Random(seed)
    spots = Image.frombytes("L", image.size, chance.randbytes(image.width * image.height))
    worn = Image.blend(image, spots, 0.3)
    grey = ImageChops.add(worn, Image.new("L", image.size, 10))
    draw = ImageDraw.Draw(grey)
    radius = stain_mm / 2 / 25.4 * DPI
    for found in zxingcpp.read_barcodes(image):
        x, y = _within(found.position, chance)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=90)
    return grey


def _within(position: zxingcpp.Position, chance: random.Random) -> tuple[float, float]:
    """Somewhere in the drawing, off its three finders, which no code does without."""
    left, top = position.top_left.x, position.top_left.y
    wide = position.bottom_right.x - left
    return left + wide * chance.uniform(0.45, 0.75), top + wide * chance.uniform(0.45, 0.75)


def read(image: Image.Image) -> list[str]:
    return [one.text for one in zxingcpp.read_barcodes(image)]


def test_both_drawings_are_read_from_a_scan() -> None:
    assert read(scanned(pdf_of(sheet()))) == [ADDRESS] * 2


@pytest.mark.parametrize("seed", range(5))
def test_both_are_read_back_with_noise_and_a_stain(seed: int) -> None:
    clean = scanned(pdf_of(sheet()))
    dirty = worn(clean, seed)
    changed = ImageChops.difference(clean, dirty).point(lambda value: 255 if value > 60 else 0)
    assert changed.getbbox() is not None
    assert read(dirty) == [ADDRESS] * 2


def test_a_stain_as_large_as_the_drawing_is_not_read() -> None:
    """The stain does stand on the drawing."""
    assert read(worn(scanned(pdf_of(sheet())), 1, stain_mm=40)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_page_with_two_cards_in_ones_language_and_french(language: str) -> None:
    pdf = pdf_of(sheet(name="Malika B.", phone="+33320000001"), language)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    text = text_of(pdf).replace("\u00a0", " ")
    assert text.count(CODE) == 2
    assert text.count("Ne dites votre code secret à personne.") == 2
    assert text.count("Malika B.") == 2
    assert text.count("03 20 00 00 01") == (2 if language in {"fr", "falc"} else 4)
    assert SECRET not in text
    with opened(pdf) as file:
        assert "/StructTreeRoot" in file.Root
        alts = [str(one.Alt) for one in elements(file) if "/Alt" in one]
    assert len(alts) == 2
    assert SECRET not in "".join(alts)


@pytest.mark.parametrize(
    ("language", "words"),
    [("uk", "Нікому не кажіть свій секретний код."), ("ar", "لا تقولوا رمزكم السري لأحد.")],
)
def test_the_warning_is_in_ones_own_language(language: str, words: str) -> None:
    said = sheet().data(language)["secret"]
    assert said[0]["text"] == words
    assert (said[1]["lang"], said[1]["rtl"], said[0]["rtl"]) == ("fr", False, language == "ar")
    assert text_of(pdf_of(sheet(), "uk")).count("Нікому не кажіть свій секретний код.") == 2


def test_the_page_is_sound_and_named_without_the_card(tmp_path: Path) -> None:
    pdf = pdf_of(sheet(name="Malika B."))
    assert faults_of(pdf, tmp_path) == ""
    with opened(pdf) as file:
        told = str(file.docinfo) + str(file.Root.Metadata.read_bytes())
    for hidden in (CODE, SECRET, "Malika"):
        assert hidden not in told


def test_a_folded_card_has_the_size_of_a_credit_card() -> None:
    """Its lines, found in the picture: 85.6 mm from the edge to the fold, 54 mm high."""
    shown = scanned(pdf_of(sheet()), dpi=254)  # ten dots a millimetre
    dark = shown.point(lambda value: 255 if value < 200 else 0)
    rows = [y for y in range(dark.height) if _share(dark.crop((210, y, 1900, y + 1))) > 0.95]
    top, bottom = rows[0], next(y for y in rows if y > rows[0] + 100)
    assert abs(bottom - top - 540) <= 4
    inside = dark.crop((0, top + 4, dark.width, bottom - 4))
    columns = [x for x in range(dark.width) if _share(inside.crop((x, 0, x + 1, 532))) > 0.4]
    edges = [x for at, x in enumerate(columns) if at == 0 or x - columns[at - 1] > 100]
    gaps = [after - before for before, after in pairwise(edges)]
    assert len(gaps) == 2
    assert all(abs(gap - 856) <= 4 for gap in gaps)


def _share(strip: Image.Image) -> float:
    return strip.histogram()[255] / (strip.width * strip.height)


@pytest.mark.parametrize("language", ["fr", "ar", "uk"])
def test_long_words_stand_inside_their_card(language: str) -> None:
    """The longest address, name and number: smaller letters, one page, and the QR is read."""
    long = sheet(address_of(SEVERE, SECRET), "W" * 60, "0" * 39)
    pdf = pdf_of(long, language)
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert read(scanned(pdf)) == [f"{SEVERE}/#{SECRET}"] * 2
    words = places_of(pdf)
    codes = [place for place, word in words if word == CODE]
    assert len(codes) == 2
    assert {word for place, word in words if any(_over(place, code) for code in codes)} == {CODE}


def _over(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes share more than a hair."""
    left, top, right, bottom = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        *map(min, one[2:], other[2:]),
    )
    return right - left > 1 and bottom - top > 3


def test_what_cannot_be_printed_is_said() -> None:
    text = text_of(pdf_of(sheet(name="王")))
    assert text.count("�") == 3
    assert "ne peuvent pas être imprimés" in text


def test_the_address_keeps_the_secret_from_servers() -> None:
    for url in (PLACE, PLACE + "/"):
        assert address_of(url, SECRET) == ADDRESS
    typed = card_codes.new_secret("7QK")
    assert card_codes.read(address_of(PLACE, typed)).text == typed


async def test_a_thread_is_had_before_what_it_prints_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both threads are kept by others: a third is refused, and made nothing."""
    async with reserved_thread() as first, reserved_thread():
        with monkeypatch.context() as patch:
            patch.setattr(typesetter.pool(), "_queue_seconds", -1.0)  # whoever waits at all
            third = asyncio.ensure_future(_reserved())
            await asyncio.sleep(0)
            assert not third.done()
            assert await first(lambda: b"one") == b"one"
            with pytest.raises(ServiceError) as refused:
                await third
        assert refused.value.kind is ErrorKind.UNAVAILABLE
    # Whoever kept one and printed nothing gave it back.
    assert await asyncio.gather(*(_reserved() for _ in range(4))) == [b"made"] * 4


async def _reserved() -> bytes:
    async with reserved_thread() as lay_out_page:
        return await lay_out_page(lambda: b"made")


async def test_a_thread_whose_page_does_not_come_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typesetter, "_RESERVED_SECONDS", 0.01)
    async with reserved_thread() as late:
        await asyncio.sleep(0.1)
        with pytest.raises(ServiceError) as refused:
            await late(lambda: b"too late")
    assert refused.value.kind is ErrorKind.UNAVAILABLE
    assert refused.value.code == "unavailable"
