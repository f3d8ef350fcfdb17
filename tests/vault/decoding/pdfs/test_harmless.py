"""Harmless PDFs of all makes look the same to recipients, pixel by pixel, and stay tagged."""

import contextlib
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import pikepdf
import pytest

from tests.vault.decoding.pdfs import comparison
from tests.vault.decoding.pdfs.comparison import DPI, differing, drawn
from tests.vault.decoding.pdfs.harmless import forms
from tests.vault.decoding.pdfs.harmless.corpus import harmless
from tests.vault.decoding.pdfs.harmless.programs import CHROMIUM, PAGES
from vault.decoding import pdfs
from vault.decoding.media import Limits, Undecodable

needs_chromium = pytest.mark.skipif(
    shutil.which(CHROMIUM) is None, reason="no Chromium here: apt install chromium"
)
pytestmark = [pytest.mark.browser, needs_chromium]
described = cache(comparison.described)

Copies = dict[str, tuple[bytes, bytes]]
"""What came in, and what recipients get, by the file's name."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return harmless(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def copies(originals: dict[str, bytes]) -> Copies:
    pdfs.prepare()
    made = {}
    for name, data in originals.items():
        with contextlib.suppress(Undecodable):
            made[name] = (data, pdfs.examine(data, Limits()).cleaned)
    return made


def test_none_is_refused(originals: dict[str, bytes], copies: Copies) -> None:
    assert originals.keys() - copies.keys() == set()


def test_the_files_are_many(copies: Copies) -> None:
    assert len(copies) >= 200
    assert len({cleaned for _, cleaned in copies.values()}) >= 80


def test_each_looks_the_same_pixel_by_pixel(copies: Copies) -> None:
    changed = {name: differing(*pair) for name, pair in copies.items()}
    assert {name: how for name, how in changed.items() if how} == {}


def test_a_field_that_leaves_its_look_to_the_reader_shows_its_value() -> None:
    """Each reader draws it in its own way, so that pixels would prove nothing."""
    before = forms.without_looks()
    after = pdfs.examine(before, Limits()).cleaned
    for one in (before, after):
        ((width, height), pixels) = drawn(one)[0]
        row = len(pixels) // height
        lowest = pixels[row * (height * 3 // 5) :]
        assert sum(value < 100 for value in lowest) > 300, (width, height)


def test_two_files_that_differ_are_seen_to(copies: Copies) -> None:
    """The comparison itself can fail."""
    assert differing(copies["texts"][0], copies["boxes"][0])
    assert differing(copies["layer off"][0], copies["layers all off"][0])
    assert described(copies["tagged"][0]) != described(copies["texts"][0])


def _differing(before: bytes, after: bytes) -> dict[str, object]:
    try:
        first, second = asdict(described(before)), asdict(described(after))
    except pikepdf.PdfError as error:
        return {"cannot be read": error}
    return {key: (value, second[key]) for key, value in first.items() if value != second[key]}


def test_each_keeps_its_tags_text_links_outline_and_layers(copies: Copies) -> None:
    changed = {name: _differing(before, after) for name, (before, after) in copies.items()}
    assert {name: how for name, how in changed.items() if how} == {}


def test_the_files_have_what_could_be_lost(copies: Copies) -> None:
    """Else keeping it would prove nothing."""
    found = [described(before) for before, _ in copies.values()]
    assert sum(bool(one.tags) for one in found) > 20
    assert sum(any(tag[1] or tag[2] for tag in one.tags) for one in found) >= 4
    assert sum(one.tagged_places > 0 for one in found) > 20
    assert sum(bool(one.links) for one in found) >= 4
    assert sum(bool(one.outline) for one in found) >= 4
    assert sum(bool(one.layers) for one in found) > 10
    assert sum(bool(one.places) for one in found) > 4
    assert sum(one.language != "" for one in found) > 10
    assert len(PAGES) > 10


# --- other readers than PDFium ---


def _sampled(
    copies: Copies, folder: Path, read: Callable[[Path], bytes]
) -> dict[str, tuple[bytes, bytes]]:
    """What another program reads in every fifth file, before and after. MuPDF draws a mark of its
    own where a signature is still to come."""
    chosen = [(name, pair) for name, pair in copies.items() if "unsigned" not in name][::5]
    files = []
    for number, (_, pair) in enumerate(chosen):
        for which, data in zip(("before", "after"), pair, strict=True):
            files.append(folder / f"{number}-{which}.pdf")
            files[-1].write_bytes(data)
    with ThreadPoolExecutor(2) as pool:
        read_by = list(pool.map(read, files))
    names = [name for name, _ in chosen]
    return dict(zip(names, zip(read_by[::2], read_by[1::2], strict=True), strict=True))


def _by_mupdf(file: Path) -> bytes:
    command = ["mutool", "draw", "-q", "-r", str(DPI), "-F", "pnm", "-o", "-", str(file), "1-3"]
    return subprocess.run(command, capture_output=True, check=False).stdout


def _by_poppler(file: Path) -> bytes:
    done = subprocess.run(["pdftotext", str(file), "-"], capture_output=True, check=False)
    return done.stdout


@pytest.mark.parametrize("read", [_by_mupdf, _by_poppler], ids=["MuPDF draws", "poppler reads"])
def test_other_readers_see_no_difference(
    copies: Copies, tmp_path: Path, read: Callable[[Path], bytes]
) -> None:
    seen = _sampled(copies, tmp_path, read)
    assert sum(bool(before) for before, _ in seen.values()) > len(seen) // 2
    assert [name for name, (before, after) in seen.items() if before != after] == []
