"""Languages: one file of metadata each; offered when their catalogue has every text."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel import Locale

from base.time_zones import PARIS
from vault import catalogue
from web.i18n import formats, languages, translations
from web.pages.labels import name_in
from web.tools import catalog

ROOT = Path(__file__).resolve().parents[3]
MOMENT = datetime(2026, 8, 1, 12, 5, tzinfo=UTC)


def test_those_that_are_offered_are_complete_and_the_others_wait() -> None:
    assert {"fr", "en"} <= set(languages.offered()) <= set(languages.languages())
    assert {"falc", "es", "ar", "uk"} <= set(languages.languages())
    for code in languages.offered():
        assert code == languages.SOURCE or list(catalog.faults(code)) == []


@pytest.mark.parametrize("code", ["es", "falc"])
def test_one_missing_text_of_a_language_that_is_offered_fails_the_check(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same catalogue is let pass while its language only waits."""
    file = tmp_path / "unefois.po"
    of_one = translations.catalogue_file("en").read_text(encoding="utf-8")
    file.write_text(of_one.replace('msgstr "Language"', 'msgstr ""'), encoding="utf-8")
    monkeypatch.setattr(catalog, "ROOT", tmp_path)
    monkeypatch.setattr(catalog, "extracted", _extracted_once())
    monkeypatch.setattr(
        catalog, "catalogue_file", lambda one: file if one == code else tmp_path / "none"
    )
    known = {code: languages.languages()[code]}
    monkeypatch.setattr("sys.argv", ["catalog", "--check"])
    for offered, result in ((False, 0), (True, 1)):
        changed = {code: _with(known[code], offered=offered)}
        monkeypatch.setattr(catalog, "languages", lambda changed=changed: changed)
        assert catalog.main() == result
        assert f"{code}: not translated: Langue" in capsys.readouterr().out


@pytest.mark.parametrize("code", languages.languages())
def test_each_has_what_a_page_needs_and_a_glossary(code: str) -> None:
    one = languages.languages()[code]
    assert Locale.parse(one.locale)
    assert one.direction == ("rtl" if Locale.parse(one.locale).text_direction == "rtl" else "ltr")
    assert one.name
    file = ROOT / "docs" / "languages" / f"{code}.md"
    assert code == languages.SOURCE or "| " in file.read_text(encoding="utf-8")
    raw = json.loads((ROOT / f"web/i18n/languages/{code}.json").read_text(encoding="utf-8"))
    assert raw["offered"] is False or translations.catalogue_file(code).exists() or code == "fr"


@pytest.mark.parametrize(
    ("code", "day", "moment", "size"),
    [
        ("fr", "1er août 2026", "1er août 2026 à 14 h 05", "1,5 Mo"),
        ("falc", "1er août 2026", "1er août 2026 à 14 h 05", "1,5 Mo"),
        ("en", "1 August 2026", "1 August 2026 at 14:05", "1.5 MB"),
        ("es", "1 de agosto de 2026", "1 de agosto de 2026 a las 14:05", "1,5 MB"),
        ("ar", "1 أغسطس 2026", "1 أغسطس 2026 الساعة 14:05", "1.5 ميغابايت"),
        ("uk", "1 серпня 2026\u202fр.", "1 серпня 2026\u202fр., 14:05", "1,5 МБ"),
    ],
)
def test_dates_and_numbers_are_those_of_the_language(
    code: str, day: str, moment: str, size: str
) -> None:
    """Without a special case: the words between them come with the catalogue."""
    assert formats.day_text(date(2026, 8, 1), code, PARIS) == day
    assert formats.day_text(MOMENT, code, PARIS) == day
    assert formats.moment_text(MOMENT, code, PARIS) == moment
    assert formats.size_text(1_500_000, code) == size
    assert formats.csv_separator(code) == (";" if "," in size else ",")


def test_a_paper_keeps_its_official_name_where_it_has_no_other() -> None:
    type_ = catalogue.by_code("payslip")
    assert type_ is not None
    names = type_.names
    for code in ("es", "ar", "uk"):
        assert name_in(names, code, plain=True) == name_in(names, code, plain=False) == names.fr
    assert name_in(names, "en", plain=True) == names.en
    assert name_in(names, "fr", plain=True) == name_in(names, "falc", plain=False) == names.falc
    assert name_in(names, "fr", plain=False) == names.fr


def _with(one: languages.Language, **changes: bool) -> languages.Language:
    values = {name: getattr(one, name) for name in one.__slots__}
    return languages.Language(**{**values, **changes})


def _extracted_once() -> object:
    found = catalog.extracted()
    return lambda: found
