"""The style sheet and its living page."""

import re
from pathlib import Path

import httpx
import pytest

from tests.fixtures import Served
from tests.web.pages.test_pages import served_with
from web.i18n.languages import languages
from web.pages import assets
from web.pages.rendering import FOLDER, render
from web.pages.styles import _FAILURES
from web.tools.catalog import extracted

SHEET = assets.assets()["style.css"].content.decode()
_PHYSICAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right|top|bottom)|text-align: (?:left|right)"
    r"|(?<![-\w])(?:left|right|top|bottom):"
)
_MARKS = (
    r"\{#.*?#\}",
    r"\{% trans.*?endtrans %\}",
    r"\{[{%].*?[}%]\}",
    r"<[^>]*>",
    r' [a-z-]+="[^"]*"',
)


def test_the_sheet_knows_no_left_and_no_right() -> None:
    assert _PHYSICAL.findall(SHEET) == []
    assert "margin-inline" in SHEET
    # A legend as wide as its field floats to no side.
    assert SHEET.count("float: left") == 1


def test_colours_are_said_once() -> None:
    """A colour outside the two lists would be the same in the dark."""
    rules = re.sub(r":root \{.*?\n  ?\}|:root \{.*?\}", "", SHEET, flags=re.S)
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) <= {"#fff"}


def test_no_flag_is_written_by_hand() -> None:
    """A colour has its sign and its word: `panels.flag` has both."""
    by_hand = [
        file.name
        for file in Path(FOLDER).rglob("*.html")
        if 'class="flag' in file.read_text(encoding="utf-8")
    ]
    assert by_hand == ["panels.html"]


async def test_every_component_is_on_the_page(served: Served, client: httpx.AsyncClient) -> None:
    page = await client.get("/styles")
    assert page.status_code == 200
    template = (FOLDER / "styles.html").read_text(encoding="utf-8")
    for file in (FOLDER / "components").glob("*.html"):
        for name in re.findall(r"\{% macro ([a-z]\w*)\(", file.read_text(encoding="utf-8")):
            used = f"{file.stem}.{name}(" in template
            assert used or name in {"wrong", "message", "described"}, f"{file.stem}.{name}"
    with served_with(served, mode="production"):
        assert (await client.get("/styles")).status_code == 404


@pytest.mark.parametrize("code", languages())
def test_the_frame_in_every_language(code: str) -> None:
    """Also in those that wait for their texts: direction, tag, and that nobody has read it yet."""
    spoken = languages()[code]
    shown = {"path": "/language", "here": "", "form_token": "", "done": "", "area": "person"}
    html = render("styles.html", code, failures=_FAILURES, drawings=[], **shown)
    easy = ' class="easy"' if spoken.easy else ""
    assert f'<html lang="{spoken.tag}" dir="{spoken.direction}"{easy}>' in html
    asked = re.search(r'<footer class="frame foot">\s*<p>', html)
    assert (asked is not None) == spoken.unread


def test_no_word_is_written_with_a_dot_inside() -> None:
    """Who reads little does not read « connecté·e »."""
    texts = [one.id for one in extracted() if one.id]
    assert [one for one in texts if re.search(r"\w·\w", str(one))] == []


def test_templates_are_translated_by_marks_only() -> None:
    """No template says French words beside a mark: a language could not have them."""
    for file in Path(FOLDER).rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for mark in _MARKS:
            text = re.sub(mark, " ", text, flags=re.S)
        words = set(re.findall(r"[A-Za-zÀ-ÿ]{4,}", text)) - {
            "Unefois",
            "Camille",
            "Moreau",
            "HTTP",
            "vkey",
        }
        assert not words, f"{file.name}: {words}"


def test_to_stop_reading_aloud_is_not_said_as_to_stop_an_access() -> None:
    """In French one word could be both; in Spanish it would say that an access is taken away."""
    shown = {"path": "/language", "here": "", "form_token": "", "done": "", "area": "person"}
    html = render("styles.html", "es", failures=_FAILURES, drawings=[], **shown)
    assert 'data-stop="Parar"' in html
