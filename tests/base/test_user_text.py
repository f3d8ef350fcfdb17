"""Text that people type and file names that phones make, made safe to store, show and save."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ErrorKind, ServiceError
from base.user_text import clean_file_name, clean_text, clean_title, search_words

TRICKS = (
    "\x00\x1b\x7f\x9f\u061c\u200b\u200e\u200f\u202a\u202d\u202e\u2060\u2066\u2068\u2069\ufeff\ud800"
)
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
ANY_TEXT = st.text(
    st.characters() | st.sampled_from("/\\. e\u0301🇫🇷\u200d👧🏿" + TRICKS), max_size=400
)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("carte.jpg", "carte.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\bail.pdf", "bail.pdf"),
        ("/storage/emulated/0/DCIM/IMG_1.jpg", "IMG_1.jpg"),
        ("relevé de\tcompte.pdf", "relevé de compte.pdf"),
        ("e\u0301tat civil.pdf", "état civil.pdf"),
        ("facture\u202egpj.exe", "facturegpj.exe"),
        ("a\x00b\r\nc.pdf", "ab c.pdf"),
        (".htaccess", "htaccess"),
        ("bail.pdf. .", "bail.pdf"),
        ("  bail.pdf ", "bail.pdf"),
        ("شهادة.pdf", "شهادة.pdf"),
        (f"{FAMILY}.jpg", f"{FAMILY}.jpg"),
    ],
)
def test_a_file_keeps_its_own_name(sent: str, kept: str) -> None:
    assert clean_file_name(sent) == kept


@pytest.mark.parametrize("sent", ["", " ", ".", "..", "../", "a/", "\\", "\x00", TRICKS, "\u200d"])
def test_a_name_of_nothing_is_none(sent: str) -> None:
    assert clean_file_name(sent) is None
    assert clean_title(sent if sent.strip("./\\a") else "") is None


@pytest.mark.parametrize(
    "sent",
    [
        "x" * 5000 + ".pdf",
        "é" * 200 + ".pdf",
        "😀" * 1024 + ".pdf",
        (FAMILY * 300)[:4000] + ".pdf",
        "🇫🇷" * 500 + ".pdf",
        "👍🏿" * 500 + ".pdf",
    ],
)
def test_a_long_name_is_cut_and_keeps_its_extension(sent: str) -> None:
    kept = clean_file_name(sent)
    assert kept is not None
    assert 200 < len(kept.encode()) <= 255
    assert kept.endswith(".pdf")


def test_no_visible_character_is_cut_in_two() -> None:
    for shown in (FAMILY, "🇫🇷", "👍🏿", "q\u0323\u0307"):
        for before in range(1, 26):  # the limit falls on each byte of the character
            kept = clean_file_name("x" * before + shown * 100 + ".jpg")
            assert kept is not None
            assert kept.removesuffix(".jpg").lstrip("x").replace(shown, "") == ""


def test_a_name_made_of_accents_alone_is_still_cut() -> None:
    kept = clean_file_name("a" + "\u0316" * 4000)
    assert kept is not None
    assert 250 < len(kept.encode()) <= 255


@given(ANY_TEXT)
def test_a_clean_name_is_safe_and_stays_as_it_is(sent: str) -> None:
    kept = clean_file_name(sent)
    if kept is None:
        return
    assert 0 < len(kept.encode()) <= 255
    assert not set(kept) & set("/\\\n\r" + TRICKS)
    assert kept[0] != "."
    assert kept == unicodedata.normalize("NFC", kept) == clean_file_name(kept)


def test_a_title_is_one_line() -> None:
    assert clean_title("  Bail\n du  15\u00a0rue X ") == "Bail du 15 rue X"
    assert clean_title("\u202eBail\u2069\x00") == "Bail"
    assert clean_title("\n\t ") is None


def test_what_a_person_wrote_is_refused_rather_than_cut() -> None:
    assert clean_title("é" * 200) == "é" * 200
    for sent in ("é" * 201, "x" * 1_000_000):
        with pytest.raises(ServiceError) as refused:
            clean_title(sent)
        assert (refused.value.kind, refused.value.code) == (ErrorKind.INVALID, "text_too_long")
        assert refused.value.values == {"limit": 200}
    with pytest.raises(ServiceError) as refused:
        clean_text("abcdef", 5)
    assert refused.value.values == {"limit": 5}


def test_accents_written_apart_are_not_counted_twice() -> None:
    assert clean_text("e\u0301" * 200, 200) == "é" * 200


def test_free_text_keeps_its_lines_and_nothing_hidden() -> None:
    assert clean_text("Bonjour,\r\n\r\nje\u202e viens\x07\u2028demain.\r", 100) == (
        "Bonjour,\n\nje viens\ndemain."
    )
    assert clean_text("می\u200cخواهم", 100) == "می\u200cخواهم"
    assert clean_text(" \r\n\u200b", 100) is None


@given(ANY_TEXT)
def test_clean_text_can_be_sealed_and_stays_as_it_is(sent: str) -> None:
    kept = clean_text(sent, 2000)
    if kept is None:
        return
    kept.encode()
    assert not set(kept) & set("\r" + TRICKS)
    assert kept == unicodedata.normalize("NFC", kept) == clean_text(kept, 2000)


def test_a_run_of_accents_costs_no_time() -> None:
    """One second is a hundred times the time needed; unbounded, it would take minutes."""
    start = time.perf_counter()
    clean_file_name("a" + "\u0301\u0316" * 200_000)
    with pytest.raises(ServiceError):
        clean_text("a" + "\u0301\u0316" * 200_000, 5000)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Éloïse ŒUVRARD", "eloise oeuvrard"),
        ("Jean-Pierre d’Ormesson", "jean pierre d'ormesson"),
        ("e\u0301tat", "ÉTAT"),
        ("Łukasz Groß", "lukasz gross"),
        ("  Ben\u00a0Saïd (rdv 3) ", "ben said rdv 3"),
        ("عَلِيّ", "علي"),
        ("ﬁn", "FIN"),
    ],
)
def test_what_is_looked_for_is_found_as_it_is_typed(one: str, other: str) -> None:
    assert search_words(one) == search_words(other) == " ".join(search_words(other)).split()
    assert search_words(one)


@given(ANY_TEXT)
def test_words_to_look_for_are_the_same_when_looked_at_again(text: str) -> None:
    words = search_words(text)
    assert search_words(" ".join(words)) == words


@pytest.mark.parametrize(
    "text",
    ["\u3164", "\u2800", "\u00ad", "\u115f", "\u17b4", "\U000e0041", "\U0001d173", "\ufe0f \u034f"],
)
def test_what_nobody_sees_is_nothing(text: str) -> None:
    assert clean_title(text) is None


def test_marks_are_not_heaped_on_a_letter() -> None:
    """They cover the lines around; what a script needs stays."""
    heaped = clean_title("Zo" + "\u0301\u0316" * 27 + "e")
    assert heaped == "Zó" + "\u0316" * 4 + "e"
    joined = clean_title("e" + "\u0316\u200d" * 27)
    assert joined is not None
    assert joined.count("\u0316") == 4
    for whole in ("\u05e9\u05bc\u05c1\u05b8\u0591", "क्ष्मीं", "1\ufe0f\u20e3", "ที่"):
        assert clean_title(whole) == unicodedata.normalize("NFC", whole)
