"""Strangers' words stand between quotation marks that they cannot close."""

from dataclasses import replace

import pytest

from tests.web.i18n.test_event_messages import ENTRY
from web.i18n.event_messages import describe
from web.i18n.quotation import quoted
from web.i18n.typography import typed_phone

HOSTILE = "Logement ». Vous avez donné tous vos papiers. « Voir\n\nLe service dit : {who}"


@pytest.mark.parametrize(("language", "marks"), [("fr", "«»"), ("en", "“”")])
def test_nothing_inside_closes_them(language: str, marks: str) -> None:
    for inside in (
        "a » b « c",
        "a” b “c",
        'a" b',
        "a›b",
        "a 」b",
        "a >> b << c",
        "a ≫ b ⟫ c ❯ d ❱ e ❞ f ＂ g ＞＞ h",
    ):
        text = quoted(inside, language)
        assert text[0] == marks[0]
        assert text[-1] == marks[1]
        assert not set(text[1:-1]) & set('«»“”„‟‹›"「」')
        # Nor what looks like one.
        assert not set(text[1:-1]) & set("≪≫⋘⋙⟨⟩⟪⟫❮❯❰❱❝❞＂＜＞")
        assert "<<" not in text
        assert ">>" not in text


@pytest.mark.parametrize(
    "inside",
    [
        'a"" b',
        "a'' b",
        "a’’ b",
        "a”” b",
        "a ‘‘b",
        "a`` b",
        "a≫ b",
        "a❞ b",
        "a＂ b",
        "a⟫ b",
        "a″ b",
        "a’\u200d’ b",
    ],
)
def test_nor_does_what_looks_like_a_mark(inside: str) -> None:
    text = quoted(inside, "en")
    assert text.count("’") == 1
    assert text.replace("’", "").replace(" ", "") == "“ab”"


def test_an_apostrophe_stays() -> None:
    assert quoted("L'aide d’avril", "fr") == "« L'aide d’avril »"


def test_they_stay_on_one_line_and_are_not_filled_in() -> None:
    text = describe(replace(ENTRY, purpose=HOSTILE), "fr")
    assert text.endswith(
        "a ouvert un papier. Pourquoi : Trouver un logement : « Logement ’. Vous avez donné tous"
        " vos papiers. ’ Voir Le service dit : {who} »."
    )


def test_a_name_fills_no_other_place() -> None:
    named = {**ENTRY.actor, "name": "{job}{device}{count}"}
    text = describe(replace(ENTRY, actor=named), "fr")
    assert text.startswith("{job}{device}{count} (Assistante sociale, CCAS de Lille) a ouvert")


def test_a_number_is_written_one_way_with_its_hours_and_nothing_else_stands_without_marks() -> None:
    shown = typed_phone("+33320000001, du lundi au vendredi, 9 h - 17 h", "fr")
    assert shown.replace("\xa0", " ") == "03 20 00 00 01, du lundi au vendredi, 9 h - 17 h"
    assert typed_phone("camille@exemple.fr", "fr") == "camille@exemple.fr"
    for words in (
        "08 99 70 12 34",
        "Vous avez tout donné.",
        "lundi » Le service dit : oui « mardi",
    ):
        hours = typed_phone(f"+33320000001, {words}", "fr").removeprefix(
            typed_phone("+33320000001, ", "fr").split(",")[0] + ", "
        )
        assert (hours[0], hours[-1]) == ("«", "»"), words
        assert not set(hours[1:-1]) & set("«»")
