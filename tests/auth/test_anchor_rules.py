"""Who somebody is on a paper, written in one way whoever types it; and what is refused."""

from datetime import date

import pytest

from auth.anchor_rules import (
    LONGEST,
    TypedAnchor,
    date_typed,
    date_written,
    end_written,
    name_written,
    written,
)
from base.errors import ServiceError

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Diallo", "diallo"),
        ("  DIALLO ", "diallo"),
        ("Léa-Maëlle", "leamaelle"),
        ("LEA MAELLE", "leamaelle"),
        ("Le\u0301a", "lea"),  # an accent that was typed apart
        ("N’Diaye", "ndiaye"),
        ("N'DIAYE", "ndiaye"),
        ("Œuvrard", "oeuvrard"),
        ("Groß", "gross"),
        ("Łukasz", "lukasz"),
        ("İbrahim", "ibrahim"),
        ("ｄｉａｌｌｏ", "diallo"),  # full width
        ("Наталія", "наталія"),
        ("Їжак Андрій", "іжакандріи"),  # marks above go, in every script
        ("Дар’я", "даря"),
        ("Дарʼя", "даря"),  # the letter that Ukrainian uses
        ("محمّد", "محمد"),
        ("مـحـمد", "محمد"),  # prolonged
        ("أحمد", "احمد"),
        ("中村", "中村"),
        ("Diallo\u200b\u202e3", "diallo"),
        ("", ""),
        ("-", ""),
    ],
)
def test_a_name_is_its_letters(typed: str, kept: str) -> None:
    assert name_written(typed) == kept


def test_scripts_stay_apart_and_given_names_stay_where_they_are() -> None:
    """Nothing is transliterated or guessed."""
    assert name_written("Ahmed") != name_written("أحمد")
    assert name_written("Marie Anne") != name_written("Anne Marie")
    assert name_written("Marie Anne") != name_written("Marie")


@pytest.mark.parametrize(
    "typed", ["1980-11-05", "1980-00-00", "1980-11-00", "1900-01-01", "2024-02-29", "2026-11-27"]
)
def test_a_date_that_papers_bear(typed: str) -> None:
    assert date_written(typed, TODAY) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "", "x", "1980-11-31", "1981-02-29", "1980-13-01", "1980-00-05", "1899-12-31", "2027-01-01",
        "2026-12-00", "0000-00-00", "80-11-05", "1980-11-5", "1980-11-05T00:00", "١٩٨٠-١١-٠٥",
    ],
)  # fmt: skip
def test_a_date_that_no_paper_bears(typed: str) -> None:
    with pytest.raises(ServiceError, match="anchor_date"):
        date_written(typed, TODAY)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("05/11/1980", "1980-11-05"),
        ("5/11/1980", "1980-11-05"),
        (" 05 11 1980 ", "1980-11-05"),
        ("05.11.1980", "1980-11-05"),
        ("05111980", "1980-11-05"),
        ("0/0/1980", "1980-00-00"),
        ("٠٥/١١/١٩٨٠", "1980-11-05"),
        ("11/1980", "11/1980"),
        ("05/11/80", "05/11/80"),
        ("", ""),
    ],
)
def test_a_date_as_people_write_it(typed: str, read: str) -> None:
    assert date_typed(typed) == read


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("4f7k", "4F7K"), ("4F 7K", "4F7K"), ("4-F-7-K", "4F7K"), ("OI12", "0112"), ("٤٥٦٧", "4567")],
)
def test_the_end_of_a_number(typed: str, kept: str) -> None:
    assert end_written(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "4F7", "4F7K9", "12AB34567", "éàüö", "中中中中", "½½½½", "____"]
)
def test_what_is_no_end_of_a_number(typed: str) -> None:
    """Nor the whole number: nobody gets used to typing it."""
    with pytest.raises(ServiceError, match="anchor_document"):
        end_written(typed)


@pytest.mark.parametrize(
    ("born", "allowed"),
    [
        ("2011-11-27", True),
        ("2011-11-28", False),
        ("2011-11-00", False),  # it may be the 30th
        ("2011-10-00", True),
        ("2011-00-00", False),
        ("2010-00-00", True),
        ("2026-11-27", False),
    ],
)
def test_nobody_under_fifteen(born: str, allowed: bool) -> None:
    typed = TypedAnchor("Diallo", "Fatou", born, "4F7K")
    if allowed:
        assert written(typed, TODAY)[2] == born
        return
    with pytest.raises(ServiceError, match="under_fifteen") as refused:
        written(typed, TODAY)
    assert refused.value.fields == (("birth_date",),)


@pytest.mark.parametrize("today", [date(2027, 2, 28), date(2027, 3, 1)])
def test_who_was_born_on_the_29th_of_february_is_fifteen_on_the_1st_of_march(today: date) -> None:
    typed = TypedAnchor("Diallo", "Fatou", "2012-02-29", "4F7K")
    if today.month == 3:
        assert written(typed, today)
        return
    with pytest.raises(ServiceError, match="under_fifteen"):
        written(typed, today)


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"family_name": " - "}, "anchor_name", "family_name"),
        ({"family_name": "x" * (LONGEST + 1)}, "anchor_name", "family_name"),
        ({"given_name": "x" * (LONGEST + 1)}, "anchor_name", "given_name"),
        ({"birth_date": "1980-02-30"}, "anchor_date", "birth_date"),
        ({"document_end": "4F7"}, "anchor_document", "document_end"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, str], code: str, field: str) -> None:
    right = {
        "family_name": "Diallo",
        "given_name": "",
        "birth_date": "1980-00-00",
        "document_end": "4F7K",
    }
    assert written(TypedAnchor(**right), TODAY) == ("diallo", "", "1980-00-00", "4F7K")
    with pytest.raises(ServiceError, match=code) as refused:
        written(TypedAnchor(**right | change), TODAY)
    assert refused.value.fields == ((field,),)
    assert "iallo" not in repr(TypedAnchor(**right)), "it cannot print"
