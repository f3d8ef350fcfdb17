"""Mutated files of each format: nothing but a refusal in words, and nothing left behind.

A few in each run of the tests; `make fuzz MINUTES=10 FORMAT=pdf` for as long as one likes.
"""

import io
import os
import secrets

import pikepdf
import pytest

from tests.fuzz import loop, pdf_judge
from tests.fuzz.formats import CANARY, SEEDS
from tests.vault.decoding.pdfs import reader

MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "0")) or (secrets.randbelow(10**9) if MINUTES else 1)
FILES = 10**9 if MINUTES else 30


@pytest.mark.parametrize("kind", SEEDS)
async def test_mutated_files_are_taken_or_refused_in_words(kind: str) -> None:
    seconds = MINUTES * 60 if MINUTES else 60
    tally = await loop.run(kind, SEED, files=FILES, seconds=seconds)
    print(f"\n{kind}, FUZZ_SEED={SEED}: {tally}")
    assert tally.faults == [], f"FUZZ_SEED={SEED}"
    assert tally.files >= min(FILES, 20)
    assert tally.refused, "no mutation was ever refused"


def test_the_same_seed_gives_the_same_files() -> None:
    assert loop.file_of("png", 1, 5) == loop.file_of("png", 1, 5) != loop.file_of("png", 2, 5)


def test_the_files_that_pdfs_start_from_are_found_to_act() -> None:
    """Else the judge of their copies would prove nothing."""
    hostile = [data for data in SEEDS["pdf"]() if reader.contains(data, CANARY)]
    assert len(hostile) > 10
    assert sum(bool(pdf_judge.faults(data)) for data in hostile) > len(hostile) // 4


def test_an_earlier_revision_is_found_and_the_word_for_it_in_a_picture_is_not() -> None:
    out, revision = io.BytesIO(), b"startxref\n9\n%%EOF\n"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Picture = pdf.make_stream(revision)
        pdf.save(out)
    assert pdf_judge.faults(out.getvalue()) == []
    assert pdf_judge.faults(out.getvalue() + revision) == ["revisions"]
