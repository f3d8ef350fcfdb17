"""Which characters are printed, and what stands for the others."""

import random
import sys
import unicodedata

import pytest

from web.printouts import typesetter
from web.printouts.fonts import FAMILIES, character_sets
from web.printouts.letters import MAX_TEXT, SIGN, Letters
from web.printouts.sheet import Sheet

EVERY_SCRIPT_OF_OURS = [
    "L’œuvre coûte 5 €, « Ÿ » … —",
    "Nguyễn Thị Ái, Łukasz Đặng Ţepeş",
    "رخصة الإقامة، ٣ مارس؟",
    "سند: گچ پژ، ړ ږ ښ ې ۍ ۳",
    "Посвідка: її ґанок є. Ёж, ђ, џ",
    "Γειά σου Κόσμε",
    "می‌دهید",
]


@pytest.mark.parametrize("text", EVERY_SCRIPT_OF_OURS)
def test_these_scripts_are_printed_as_they_are(text: str) -> None:
    letters = Letters(character_sets())
    assert letters.printable(text) == text
    assert not letters.replaced


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("王小明 Li", f"{SIGN * 3} Li"),
        ("👩‍👩‍👧 🙂", f"{SIGN} {SIGN}"),
        ("ትግርኛ", SIGN * 4),
        ("\u0301a", f"{SIGN}a"),
        ("и\u064b", f"и{SIGN}"),
        ("e" + "\u0316" * 50, "e" + "\u0316" * 3 + SIGN),
    ],
    ids=["chinese", "emoji", "tigrinya", "a mark alone", "of two fonts", "fifty marks"],
)
def test_what_no_font_draws_is_seen_to_be_missing(text: str, printed: str) -> None:
    letters = Letters(character_sets())
    assert letters.printable(text) == printed
    assert letters.replaced


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("exe.\u202ecod", "exe.cod"),
        ("a\x00b\x07c\x1b[31m", "abc[31m"),
        ("a\u2066b\u2069\u200bc\ufeff", "abc"),
        ("a\tb\u3000c\u2003d", "a b c d"),
        ("a\r\nb\u2028c", "a\n\nb\nc"),
        ("soft\u00adhyphen", "softhyphen"),
        ("e\u0301", "é"),
    ],
)
def test_what_is_never_seen_is_left_out(text: str, printed: str) -> None:
    letters = Letters(character_sets())
    assert letters.printable(text) == printed
    assert not letters.replaced


def test_a_text_has_an_end() -> None:
    printed = Letters(character_sets()).printable("a" * (MAX_TEXT + 1))
    assert printed == "a" * MAX_TEXT + " […]"


def test_no_character_of_unicode_stops_a_page() -> None:
    """Every letter that a font has, and others at random in twos and threes: PDF/UA-1 refuses a
    page for one that is not drawn."""
    rng = random.Random(11)
    known = [chr(code) for family in character_sets() for code in sorted(family)]
    everything = known + [chr(code) for code in range(0x20, sys.maxunicode, 97)]
    everything = [one for one in everything if unicodedata.category(one) != "Cs"]
    mixed = ["".join(rng.choices(everything, k=rng.choice((2, 3)))) for _ in range(2000)]
    sheet = Sheet("".join(known[:200]), (" ".join(known), " ".join(mixed)), ())
    assert typesetter.lay_out("sheet", sheet.data("fr")).startswith(b"%PDF-1.7")


def test_a_page_says_that_something_was_replaced() -> None:
    told = Sheet("Titre", ("王",), ()).data("fr")["closing"]
    assert told == [f"Certains signes ne peuvent pas être imprimés. À leur place : {SIGN}"]
    assert Sheet("Titre", ("Camille",), ()).data("fr")["closing"] == []
    assert len(FAMILIES) == len(character_sets())
