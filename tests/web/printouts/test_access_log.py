"""The log on paper: every line in its order, and what is said where some are left out."""

import pytest

from tests.web.printouts.examples import FRENCH, NOW, WORKER, entry
from tests.web.printouts.reading import text_of
from web.printouts import access_log, typesetter
from web.printouts.access_log import MAX_LINES, PART, log_pages, log_parts
from web.printouts.letters import SIGN
from web.printouts.parts import page_count

LINES = 500


def test_five_hundred_lines_are_all_there_in_their_order() -> None:
    pdf = log_pages([entry(number) for number in range(LINES)], FRENCH, NOW)
    text = text_of(pdf)
    assert text.split()[-1] == str(page_count(pdf)), "pages are numbered across parts"
    places = [text.index(str(entry(number).id)) for number in range(LINES)]
    assert places == sorted(places)
    sentence = "Camille Moreau (Assistante sociale, CCAS de Lille) a ouvert un papier."
    assert text.count(sentence) == LINES
    assert text.count("Pour joindre : 03 20 00 00 01") == LINES
    assert "Seulement" not in text


def test_a_longer_log_is_laid_out_part_by_part() -> None:
    parts = log_parts([entry(number) for number in range(PART + 1)], FRENCH, NOW)
    assert [len(part["rows"]) for part in parts] == [PART, 1]
    assert [part["first"] for part in parts] == [True, False]
    assert [len(part["introduction"]) for part in parts] == [2, 0]


def test_a_log_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "MAX_LINES", 3)
    (part,) = log_parts([entry(number) for number in range(4)], FRENCH, NOW)
    assert len(part["rows"]) == 3
    said = part["introduction"][-1]
    assert said.startswith("Seulement les 3 lignes les plus récentes")
    assert MAX_LINES == 2000


def test_an_empty_log_is_a_page() -> None:
    (part,) = log_parts([], FRENCH, NOW)
    assert "Rien pour l’instant." in text_of(typesetter.lay_out("log", part))


def test_a_name_in_another_script_does_not_stop_the_log() -> None:
    named = entry(1, actor={"kind": "worker", **WORKER, "name": "王小明 محمد"})
    *before, last = log_parts([entry(2)] * PART + [named], FRENCH, NOW)
    text = text_of(typesetter.lay_out("log", last))
    assert f" {SIGN * 3} " in text
    assert "محمد" in text
    assert text.endswith(f"À leur place : {SIGN} Unefois · Qui a regardé mes papiers 1")
    assert [part["closing"] for part in before] == [[]]
