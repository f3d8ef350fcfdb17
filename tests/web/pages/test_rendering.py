"""How pages write moments, numbers and French punctuation."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from web.pages.rendering import _environment

TIE = "\u00a0"


def written(source: str, language: str = "fr", **values: object) -> str:
    return _environment(language).from_string(source).render(values)


def test_no_line_breaks_before_french_punctuation() -> None:
    question = "{% trans name=name %}Ne plus rien montrer à {{ name }} ?{% endtrans %}"
    assert written(question, name="<Zoé>") == (f"Ne plus rien montrer à &lt;Zoé&gt;{TIE}?")
    assert written(question, "en", name="Zoé") == "Show nothing more to Zoé?"


def test_a_number_stays_whole_on_the_page_and_plain_in_a_field() -> None:
    number = "+33320000001, 9 h - 17 h"
    assert written("{{ n|phone }}", n=number).split(" ") == [
        TIE.join(("03", "20", "00", "00", "01")) + ",",
        f"9{TIE}h",
        "-",
        f"17{TIE}h",
    ]
    assert written("{{ n|national }}", n=number) == "03 20 00 00 01, 9 h - 17 h"


@pytest.mark.parametrize(
    ("day", "language", "expected"),
    [
        (date(2026, 8, 1), "fr", "1er août 2026"),
        (date(2026, 8, 1), "en", "1 August 2026"),
        (date(2026, 8, 11), "fr", "11 août 2026"),
    ],
)
def test_the_first_of_a_month(day: date, language: str, expected: str) -> None:
    assert written("{{ day|day }}", language, day=day) == expected


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        ("Europe/Paris", "4 mars 2026", "22"),
        ("Indian/Reunion", "5 mars 2026", "01"),
        ("America/Martinique", "4 mars 2026", "17"),
        ("Pacific/Noumea", "5 mars 2026", "08"),
    ],
)
def test_a_moment_is_told_where_its_reader_is(zone: str, day: str, hour: str) -> None:
    moment = datetime(2026, 3, 4, 21, 30, tzinfo=UTC)
    assert written("{{ at|day }}", at=moment, zone=ZoneInfo(zone)) == day
    told = written("{{ at|moment }}", at=moment, zone=ZoneInfo(zone))
    assert told == f"{day} à {hour}{TIE}h{TIE}30"
    # A date that is written on a paper is the same everywhere.
    assert written("{{ on|day }}", on=date(2026, 3, 4), zone=ZoneInfo(zone)) == "4 mars 2026"


def test_an_hour_stays_whole() -> None:
    moment = datetime(2026, 12, 1, 8, 5, tzinfo=UTC)
    assert written("{{ at|moment }}", at=moment) == f"1er décembre 2026 à 09{TIE}h{TIE}05"
