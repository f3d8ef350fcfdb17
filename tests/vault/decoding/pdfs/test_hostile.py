"""What acts, attaches, fetches or hides in a PDF reaches no recipient, however it is written: so
judge qpdf, exiftool, mutool and a reader of our own."""

import os
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest

from tests.vault.decoding.inputs import inspected
from tests.vault.decoding.pdfs import judges, reader
from tests.vault.decoding.pdfs.combinations import CANARY, Hostile, combinations
from tests.vault.decoding.pdfs.pictures import BETWEEN
from tests.vault.decoding.pdfs.rich import PLACES, photo, rich
from tests.vault.decoding.pdfs.writing import FORMS
from vault.decoding import pdfs
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits, Undecodable

REFUSED = frozenset({"an object after the end", "bytes before the head"})
"""A file may be refused instead of cleaned where it could be read as two different documents."""


ALL = os.environ.get("PDF_COMBINATIONS") == "all"
"""Seven thousand combinations instead of five hundred: minutes instead of seconds."""


@dataclass(frozen=True)
class Copies:
    """What recipients get, in a folder: a file for each combination, by its number."""

    made: dict[str, Hostile]
    refused: tuple[Hostile, ...]
    findings: dict[str, dict[str, list[str]]]
    folder: Path
    unseen: tuple[str, ...] = ()
    """Whose original our own reader found nothing in; encrypted ones are not tried."""

    def told(self, judge: str) -> list[str]:
        """What one judge found, as lines for a person."""
        return [
            f"{self.made[file].name}: {'; '.join(by[judge][:3])}"
            for file, by in self.findings.items()
            if by[judge]
        ]


_TELLING = (
    "JPEG",
    "metadata",
    "information",
    "trailer",
    "pieces",
    "prepress",
    "profile",
    "private",
)


def _tells(one: Hostile) -> bool:
    return one.name.startswith(_TELLING)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    folder = tmp_path_factory.mktemp("copies")
    made, refused, unseen = dict[str, Hostile](), list[Hostile](), list[str]()
    pdfs.prepare()
    for number, one in enumerate(combinations(full=ALL)):
        data = one.data()
        if "encrypted" not in one.form and not reader.contains(data, CANARY):
            unseen.append(one.name)
        try:
            cleaned = pdfs.examine(data, Limits()).cleaned
        except Undecodable:
            refused.append(one)
            continue
        file = folder / f"{number:05}.pdf"
        file.write_bytes(cleaned)
        made[file.name] = one
    found = judges.judged(folder, lambda file: _tells(made[file.name]))
    return Copies(made, tuple(refused), found, folder, tuple(unseen))


def test_the_combinations_are_many_and_each_is_one_of_its_kind() -> None:
    assert len(combinations()) >= 400
    assert {one.form for one in combinations()} == set(FORMS)
    assert len({one.name for one in combinations(full=True)}) >= 4000


def test_nothing_is_refused_that_has_one_meaning(copies: Copies) -> None:
    names = {one.name.rpartition(",")[0] for one in copies.refused}
    assert names <= REFUSED
    assert names <= set(BETWEEN)


@pytest.mark.parametrize("judge", ["qpdf", "exiftool", "mutool"])
def test_a_judge_of_others_finds_nothing(copies: Copies, judge: str) -> None:
    told = copies.told(judge)
    assert told == [], f"{len(told)} of {len(copies.made)}"


def test_our_own_reader_finds_nothing(copies: Copies) -> None:
    told = [
        one.name
        for file, one in copies.made.items()
        if reader.contains((copies.folder / file).read_bytes(), CANARY)
    ]
    assert told == [], f"{len(told)} of {len(copies.made)}"


def test_what_was_planted_in_stays(copies: Copies) -> None:
    """Removing everything would please every judge."""
    for file, one in copies.made.items():
        with pikepdf.open(copies.folder / file) as pdf:
            assert len(pdf.pages) == 2, one.name
            if one.form == "hybrid table of free entries":
                continue  # the library sees no more of it
            assert "/Contents" in pdf.pages[0].obj, one.name
            assert "/XObject" in pdf.pages[0].obj.Resources, one.name
            assert "/StructTreeRoot" in pdf.Root, one.name


async def test_nothing_comes_in_by_a_joined_paper(decoder: Decoder, tmp_path: Path) -> None:
    """Every thirtieth, with a photo, through the real decoder."""
    for number, one in enumerate(combinations()[::30]):
        inspection, copy = await inspected(decoder, one.data(), photo())
        assert inspection.pages == 3, one.name
        assert not reader.contains(copy, CANARY), one.name
        file = tmp_path / f"{number}.pdf"
        file.write_bytes(copy)
        assert judges.qpdf(file) == [], one.name


# --- the judges themselves ---


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Copies:
    """Every sixth hostile file as it came; those that exiftool deciphers cost seconds each."""
    folder = tmp_path_factory.mktemp("originals")
    plain = [one for one in combinations() if "encrypted" not in one.form][::6]
    made = {f"{number:05}.pdf": one for number, one in enumerate(plain)}
    for file, one in made.items():
        (folder / file).write_bytes(one.data())
    found = judges.judged(folder, lambda file: _tells(made[file.name]))
    return Copies(made, (), found, folder)


@pytest.mark.parametrize(("judge", "least"), [("qpdf", 0.8), ("exiftool", 0.03), ("mutool", 0.5)])
def test_a_judge_finds_the_hostile_files(originals: Copies, judge: str, least: float) -> None:
    assert len(originals.told(judge)) >= least * len(originals.made)


def test_each_hostile_file_is_found_by_some_judge(originals: Copies) -> None:
    for file, one in originals.made.items():
        own = reader.contains((originals.folder / file).read_bytes(), CANARY)
        assert own or any(originals.findings[file].values()), one.name


def test_our_own_reader_finds_all_that_is_not_encrypted(copies: Copies) -> None:
    assert copies.unseen == ()


def test_the_file_without_anything_planted_is_found_by_none(tmp_path: Path) -> None:
    (tmp_path / "harmless.pdf").write_bytes(pdfs.examine(rich(), Limits()).cleaned)
    assert judges.judged(tmp_path, lambda _: True)["harmless.pdf"] == {
        "qpdf": [],
        "exiftool": [],
        "mutool": [],
    }
    assert not reader.contains(rich(), CANARY)
    assert len(PLACES) >= 55
