"""Pictures that viewers open are taken, mended, and look the same in every copy; not cut ones."""

import io
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from PIL import Image

from tests.vault.decoding import corpus, odd_jpegs, odd_photos, odd_pngs, profiles
from tests.vault.decoding.odd_jpegs import BLUE, PAPER, RED
from vault.decoding import images, picture_pages, sniff
from vault.decoding.images import Picture
from vault.decoding.media import Limits, MediaType, Note, Undecodable

Maker = Callable[[], bytes]
TAKEN: dict[str, Maker] = {
    f"{form}: {name}": make
    for form, made in {
        "JPEG": odd_jpegs.TAKEN,
        "PNG": odd_pngs.TAKEN,
        "WebP": odd_photos.WEBP,
        "HEIC": odd_photos.HEIC,
        "TIFF": odd_photos.TIFF,
    }.items()
    for name, make in made.items()
}
CUT: dict[str, Maker] = {
    f"{form}: {name}": make
    for form, made in {
        "JPEG": odd_jpegs.CUT,
        "PNG": odd_pngs.CUT,
        "photo": odd_photos.CUT,
    }.items()
    for name, make in made.items()
}
INKS = ((240, 75, 2), (107, 85, 161), (226, 208, 198))
"""What the press of `profiles.cmyk` makes of red, blue and paper."""
GREY = ((80,) * 3, (43,) * 3, PAPER)
LIGHT_GREY = ((152,) * 3, (114,) * 3, (229,) * 3)
FADED = ((238, 138, 138), (138, 138, 238), (227, 227, 227))
DARK = ((0,) * 3, (0,) * 3, (255,) * 3)
SWAPPED = (BLUE, RED, PAPER)
COLOURS = {
    **dict.fromkeys(("JPEG: no end, grey", "JPEG: lossless", "JPEG: grey", "PNG: grey"), GREY),
    **dict.fromkeys(("JPEG: grey with a colour profile", "PNG: grey with a colour profile"), GREY),
    **dict.fromkeys(
        ("JPEG: grey with a grey profile", "PNG: grey with a grey profile"), LIGHT_GREY
    ),
    **dict.fromkeys(("JPEG: other primaries", "PNG: other primaries"), SWAPPED),
    "PNG: palette with a profile": SWAPPED,
    "JPEG: inks with a profile": INKS,
    "JPEG: inks, unmarked, with a profile": INKS,
    "TIFF: inks with a profile": INKS,
    "PNG: 1 bit": DARK,
    "PNG: grey and see-through": ((167,) * 3, (149,) * 3, (227,) * 3),
    "PNG: see-through": FADED,
    "WebP: see-through": FADED,
    "WebP: see-through, lossless": FADED,
    "HEIC: see-through": FADED,
    "HEIC: grey": GREY,
    "PNG: palette with a hole": (RED, BLUE, (255,) * 3),
    "TIFF: fractions": ((60,) * 3, (0,) * 3, (255,) * 3),
    **{name: GREY for name in TAKEN if name.startswith(("TIFF: L,", "TIFF: LA,"))},
    **{name: DARK for name in TAKEN if name.startswith("TIFF: 1,")},
    "TIFF: pages of fax": DARK,
}
OTHER_SCENES = {name for name in TAKEN if "16 bits of grey" in name or "I;16" in name} | {
    *(
        "JPEG: several pictures",
        "PNG: texts",
        "HEIC: another brand",
        "TIFF: most significant first",
    ),
    *("TIFF: EXIF that leads nowhere", "TIFF: a place that leads nowhere"),
}
UNTOLD = {name for name in TAKEN if name.startswith("JPEG: no end")}
"""They have something else where the paper is."""


@pytest.fixture(scope="module", autouse=True)
def _ready() -> None:
    images.prepare()


def _examined(data: bytes) -> Picture:
    kind = sniff.media_type(data[: sniff.PREFIX_BYTES])
    assert kind is not None
    return images.examine(data, kind, Limits())


def _corners(image: Image.Image) -> tuple[Any, Any, Any]:
    """Inside the red, the blue and the paper of an upright scene."""
    shown = image.convert("RGB")
    width, height = shown.size
    left, top = width // 8, height // 8
    places = ((left, top), (width - left, top), (width // 2, height - top))
    red, blue, paper = (shown.getpixel(place) for place in places)
    return red, blue, paper


def _upright(image: Image.Image, name: str) -> Image.Image:
    return image.transpose(Image.Transpose.ROTATE_90) if "turned" in name else image


def _alike(seen: tuple[Any, Any, Any], name: str) -> bool:
    expected = COLOURS.get(name, (RED, BLUE, PAPER))
    shown = list(zip(seen, expected, strict=True))[: 2 if name in UNTOLD else 3]
    pairs = [pair for got, colour in shown for pair in zip(got, colour, strict=True)]
    return all(abs(int(a) - int(b)) <= 16 for a, b in pairs)


def _as_a_viewer_shows(copy: bytes) -> Image.Image:
    """The recipient's copy, by a reader that knows nothing of the original."""
    picture = images.preview(copy, sniff.media_type(copy[:4096]) or MediaType.JPEG, Limits(), 1000)
    return picture.convert("RGB")


def _drawn(pdf: bytes) -> Image.Image:
    """The first page's picture without the margins of the paper around it."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        page = document[0]
        image = next(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))
        left, bottom, right, top = image.get_bounds()
        drawn = page.render(scale=1).to_pil().convert("RGB")
        height = page.get_height()
        inside = (left + 1, height - top + 1, right - 1, height - bottom - 1)
        return drawn.crop(tuple(round(side) for side in inside))
    finally:
        document.close()


@pytest.mark.parametrize("name", TAKEN)
def test_a_picture_looks_as_it_did_in_the_copy_the_preview_and_the_pdf(name: str) -> None:
    picture = _examined(TAKEN[name]())
    hidden = (corpus.MAKER, profiles.DEVICE)
    assert not any(word in page for page in picture.pages for word in hidden)
    pdf = picture_pages.to_pdf(picture.pages)
    assert not any(word in pdf for word in hidden)
    if name in OTHER_SCENES:
        return
    assert _alike(_corners(_upright(picture.preview, name)), name), "preview"
    assert _alike(_corners(_upright(_as_a_viewer_shows(picture.pages[0]), name)), name), "copy"
    if name not in {"PNG: grey with a grey profile"}:
        assert _alike(_corners(_upright(_drawn(pdf), name)), name), "pdf"


@pytest.mark.parametrize("name", CUT)
def test_a_cut_picture_is_refused(name: str) -> None:
    with pytest.raises((Undecodable, OSError, ValueError)):
        _examined(CUT[name]())


@pytest.mark.parametrize("name", [*odd_jpegs.UNUSUAL, *odd_jpegs.ENDLESS])
def test_what_browsers_do_not_show_becomes_a_usual_jpeg(name: str) -> None:
    picture = _examined(odd_jpegs.TAKEN[name]())
    copy = picture.pages[0]
    assert copy.endswith(b"\xff\xd9")
    assert not picture.unchanged
    with Image.open(io.BytesIO(copy)) as shown:
        assert shown.mode in {"L", "RGB"}
    coding = next(kind for kind in (0xC0, 0xC1, 0xC2) if bytes((0xFF, kind, 0)) in copy)
    assert coding in {0xC0, 0xC2}
    again = _examined(copy)
    assert again.unchanged


@pytest.mark.parametrize("name", odd_jpegs.ENDLESS)
def test_a_mended_jpeg_keeps_its_rows_byte_for_byte(name: str) -> None:
    data = odd_jpegs.ENDLESS[name]()
    copy = _examined(data).pages[0]
    assert data.startswith(copy[:-2])
    dropped = data[len(copy) - 2 :]
    assert (Note.PHOTO_DETAILS_REMOVED in _examined(data).notes) == (len(dropped) > 2)


@pytest.mark.parametrize("name", [*odd_pngs.ENDLESS, *odd_pngs.BAD_SUMS])
def test_a_mended_png_is_whole(name: str) -> None:
    copy = _examined(odd_pngs.TAKEN[name]()).pages[0]
    kinds = [kind for kind, _ in odd_pngs.chunks(copy)]
    assert kinds[-1] == b"IEND"
    assert set(kinds) <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    assert odd_pngs.rebuilt(copy, corpus.chunk) == copy
    assert _examined(copy).unchanged


def test_a_coding_that_cannot_be_opened_is_named() -> None:
    with pytest.raises(Undecodable) as refused:
        _examined(odd_jpegs.twelve_bits())
    assert refused.value.code == "unusual_image"


def test_each_page_of_a_tiff_is_turned_as_it_says() -> None:
    picture = _examined(odd_photos.TIFF["two pages"]())
    sizes = []
    for page in picture.pages:
        with Image.open(io.BytesIO(page)) as shown:
            sizes.append(shown.size)
    assert sizes == [(96, 64), (64, 96)]


def test_sizes_are_bounded_by_memory_and_not_by_pixels() -> None:
    """A sheet of A4 at 1200 dpi in one bit is 139 million pixels, in 17 MiB."""
    fax = Image.new("1", (400, 400), 1)
    data = odd_jpegs.saved(fax, "TIFF", compression="group4")
    small = Limits(image_bytes=400 * 400)
    assert images.examine(data, MediaType.TIFF, small).part.width == 400
    for form in ("PNG", "JPEG", "TIFF", "WEBP"):
        colour = odd_jpegs.saved(Image.new("RGB", (400, 400)), form)
        with pytest.raises(Undecodable) as refused:
            images.examine(colour, MediaType[form], small)
        assert refused.value.code == "too_many_pixels"


def test_a_large_sheet_of_one_bit_is_taken() -> None:
    sheet = Image.new("1", (9921, 14031), 1)
    picture = _examined(odd_jpegs.saved(sheet, "TIFF", compression="group4"))
    assert (picture.part.width, picture.part.height) == (9921, 14031)
    assert picture.preview.width == 1000
